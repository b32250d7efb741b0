import { expect, test } from "@jest/globals";
import { BTRFS_SWITCHES, isOlder, missingFrom, parseKernelRelease, XFS_SWITCHES } from "../../../src/filesystem/kernel-features.ts";

test.each([
  ["5.15.0-1051-aws", [5, 15]],
  ["6.1.0-18-amd64", [6, 1]],
  ["6.12.43+deb13-amd64", [6, 12]],
  ["7.2.7", [7, 2]],
  ["5.14.0-427.13.1.el9_4.x86_64", [5, 14]],
  ["unreadable", [5, 15]],
])("the kernel's version is read from %s as distributions write it", (release, version) => {
  expect(parseKernelRelease(release)).toEqual(version);
});

test("6.10 is newer than 6.9, and 6.0 newer than 5.19", () => {
  expect(isOlder([6, 9], [6, 10])).toBe(true);
  expect(isOlder([6, 10], [6, 9])).toBe(false);
  expect(isOlder([5, 19], [6, 0])).toBe(true);
  expect(isOlder([6, 0], [5, 19])).toBe(false);
  expect(isOlder([6, 1], [6, 1])).toBe(false);
});

const names = (release: string): readonly string[] =>
  [...missingFrom(parseKernelRelease(release), XFS_SWITCHES), ...missingFrom(parseKernelRelease(release), BTRFS_SWITCHES)].map(({ name }) => name);

test("a filesystem made on an old kernel has nothing that this kernel cannot mount, and on a new one lacks nothing", () => {
  expect(names("5.15.0")).toEqual(["nrext64", "rmapbt", "block-group-tree"]);
  expect(names("6.1.0")).toEqual(["nrext64", "rmapbt"]);
  expect(names("6.6.0")).toEqual([]);
  expect(names("7.2.7")).toEqual([]);
});
