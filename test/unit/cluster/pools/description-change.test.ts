import { expect, test } from "@jest/globals";
import { changeProblems, namedDisks } from "../../../../src/cluster/pools/description-change.ts";
import { described, loop } from "./seen-pool.ts";

const lvm = (more: object = {}) => ({ backing: { directLvm: { devices: ["/dev/sda", "/dev/disk/by-id/nvme-*"], ...more } } });
const devices = (data: string, metadata: string) => ({ backing: { devices: { data, metadata } } });
const existing = (pool: string) => ({ backing: { existing: { pool } } });
const problems = (before: object, after: object): readonly string[] => changeProblems(described("fast", before), described("fast", after));

test.each([
  [
    "options of use",
    loop("fast"),
    loop("fast", { overcommitRatio: 2, filesystem: "xfs", autoextendThreshold: "70%", trim: { interval: "never" }, whenFull: "error" }),
  ],
  ["a larger file", loop("fast"), { backing: { loop: { directory: "/srv/fast", dataSize: "200Gi", maximumDataSize: "300Gi", hostReserve: "2Gi" } } }],
  ["more disks", lvm(), lvm({ devices: ["/dev/sdb", "/dev/sda", "/dev/disk/by-id/nvme-*"], metadataDevices: ["/dev/sdc"] })],
  ["nothing", existing("vg/pool"), existing("vg/pool")],
])("%s may change", (_, before, after) => {
  expect(problems(before, after)).toEqual([]);
});

test.each([
  [loop("fast"), loop("other"), ["spec.backing.loop.directory is /srv/other, and the pool was made with /srv/fast"]],
  [
    { backing: devices("/dev/a", "/dev/b").backing },
    { ...devices("/dev/a", "/dev/b"), chunkSize: "128Ki", zeroNewBlocks: false },
    [expect.stringMatching(/^spec\.chunkSize is 128 KiB, .* 64 KiB$/), expect.stringMatching(/^spec\.zeroNewBlocks is false/)],
  ],
  [
    { backing: { loop: { directory: "/srv/fast", dataSize: "2Gi", metadataSize: "64Mi" } }, defaultVolumeSize: "1Gi" },
    { backing: { loop: { directory: "/srv/fast", dataSize: "1Gi", metadataSize: "32Mi" } }, defaultVolumeSize: "1Gi" },
    [expect.stringMatching(/dataSize is 1 GiB, and a pool of 2 GiB is never made smaller/), expect.stringMatching(/metadataSize is 32 MiB/)],
  ],
  [loop("fast"), lvm(), ["spec.backing is directLvm, and the pool was made with loop"]],
  [lvm(), lvm({ devices: ["/dev/sda"] }), ["spec.backing.directLvm.devices has no more /dev/disk/by-id/nvme-*, and disks are only added"]],
  [lvm({ volumeGroup: "one" }), lvm({ volumeGroup: "two" }), ["spec.backing.directLvm.volumeGroup is two, and the pool was made with one"]],
  [lvm({ metadataDevices: ["/dev/sdc"] }), lvm(), ["spec.backing.directLvm.metadataDevices has no more /dev/sdc, and disks are only added"]],
  [
    devices("/dev/a", "/dev/b"),
    devices("/dev/b", "/dev/a"),
    [expect.stringMatching(/^spec\.backing\.devices\.data is \/dev\/b/), expect.stringMatching(/^spec\.backing\.devices\.metadata/)],
  ],
  [existing("vg/one"), existing("vg/two"), ["spec.backing.existing.pool is vg/two, and the pool was made with vg/one"]],
])("what a pool was made with stays: %j to %j", (before, after, said) => {
  expect(problems(before, after)).toEqual(said);
});

test("a pool that exists has its own chunk size, of which its description says nothing", () => {
  expect(
    changeProblems(
      { ...described("fast", existing("vg/one")), chunkSize: described("fast", loop("fast", { chunkSize: "128Ki" })).chunkSize },
      described("fast", existing("vg/one")),
    ),
  ).toEqual([]);
});

test("disks that a pattern finds are nobody's by name", () => {
  expect(namedDisks(described("fast", lvm({ metadataDevices: ["/dev/vd?", "/dev/sdc"] })))).toEqual(["/dev/sda", "/dev/sdc"]);
  expect(namedDisks(described("fast"))).toEqual([]);
});
