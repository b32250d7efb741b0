import { describe, expect, test } from "@jest/globals";
import { TYPES } from "../../../src/filesystem/types.ts";
import { mkfsProblems } from "../../../src/filesystem/mkfs-usage.ts";

const problems = (type: keyof typeof TYPES, line: string): readonly string[] =>
  mkfsProblems(
    `mkfs.${type}`,
    TYPES[type].usage,
    line.split(" ").filter((word) => word !== ""),
  );

describe("options that a volume may have", () => {
  test.each([
    ["ext4", ""],
    ["ext4", "-N 100 -m0 -E stride=16,lazy_itable_init=0 -O ^has_journal"],
    ["ext4", "-Fqv -L -label"],
    ["xfs", "-m reflink=1,crc=1 -isize=1024 -K"],
    ["btrfs", "--csum xxhash --nodesize=32768 -M -O block-group-tree -d single"],
  ] as const)("%s %s", (type, line) => expect(problems(type, line)).toEqual([]));
});

describe("options that cannot be right", () => {
  test.each([
    ["ext4", "-n", /may not be given "-n"/],
    ["ext4", "-Fn", /may not be given "-Fn"/],
    ["ext4", "-t ext2", /may not be given "-t"/],
    ["ext4", "--help", /may not be given "--help"/],
    ["ext4", "data", /"data" is no option of mkfs.ext4/],
    ["ext4", "-N 100 200", /"200" is no option/],
    ["ext4", "-m", /-m lacks its value/],
    ["ext4", "-J device=/dev/sda", /"device=\/dev\/sda" names a path/],
    ["xfs", "-N", /may not be given "-N"/],
    ["xfs", "-l logdev=/dev/sda", /names a path/],
    ["xfs", "-", /"-" is no option/],
    ["btrfs", "--rootdir x", /may not be given "--rootdir"/],
    ["btrfs", "--mixed=yes", /may not be given "--mixed=yes"/],
    ["btrfs", "--csum", /--csum lacks its value/],
    ["btrfs", "--constructor x", /may not be given "--constructor"/],
  ] as const)("%s %s", (type, line, sentence) => expect(problems(type, line).join("; ")).toMatch(sentence));
});
