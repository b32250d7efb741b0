import { expect, test } from "@jest/globals";
import { deviceOf } from "../../../src/filesystem/device-number.ts";
import { parseMountinfo } from "../../../src/filesystem/mountinfo.ts";

/** Recorded on Linux 7.2 and from a kubelet's host; the last three lines have optional fields, escapes, and a type with a dot. */
const RECORDED = `20 1 0:18 / / rw,relatime - hostfs /dev/root rw,/
32 25 7:0 / /tmp/m rw,noatime - ext4 /dev/loop0 rw
33 25 7:0 / /tmp/m2 ro,noexec,noatime - ext4 /dev/loop0 rw
33 25 0:7 /loop0 /tmp/f ro,relatime - devtmpfs devtmpfs rw,mode=755
32 25 254:0 / /tmp/m ro,relatime - xfs /dev/mapper/snap ro,nouuid,norecovery,inode64,logbufs=8,logbsize=32k,noquota
98 29 254:3 / /var/lib/kubelet/a\\040b\\011c\\134d\\012e rw,relatime shared:5 master:1 propagate_from:2 - ext4 /dev/dm-3 rw,stripe=16
99 29 254:4 / /var/lib/kubelet/käse\\040und\\040brot rw,relatime shared:6 - fuse.sshfs host:/x\\040y rw,user_id=0
100 29 254:5 /dir\\040x /mnt rw unbindable - btrfs /dev/dm-5 rw,subvol=/dir\\040x
`;

test("mounts are read in their order, with what is seen at each and how", () => {
  const mounts = parseMountinfo(RECORDED);
  expect(mounts.map(({ target, readOnly }) => [target, readOnly])).toEqual([
    ["/", false],
    ["/tmp/m", false],
    ["/tmp/m2", true],
    ["/tmp/f", true],
    ["/tmp/m", true],
    ["/var/lib/kubelet/a b\tc\\d\ne", false],
    ["/var/lib/kubelet/käse und brot", false],
    ["/mnt", false],
  ]);
  expect(mounts[3]).toEqual({
    target: "/tmp/f",
    root: "/loop0",
    major: 0,
    minor: 7,
    type: "devtmpfs",
    readOnly: true,
    options: ["ro", "relatime", "mode=755"],
    source: "devtmpfs",
  });
  expect(mounts[6]).toMatchObject({ type: "fuse.sshfs", source: "host:/x y", major: 254, minor: 4 });
  expect(mounts[7]).toMatchObject({ root: "/dir x", options: ["rw", "subvol=/dir x"] });
});

test("a line that is none is skipped, not misread", () => {
  expect(parseMountinfo("\nnonsense\n20 1 x:y / / rw - ext4 a rw\n20 1 7:0 / / rw shared:1\n")).toEqual([]);
});

test("device numbers above 255 are read as makedev writes them", () => {
  expect(deviceOf(0xfe03)).toEqual({ major: 254, minor: 3 });
  // /dev/dm-70001
  expect(deviceOf(254 * 256 + (70001 % 256) + Math.floor(70001 / 256) * 2 ** 20)).toEqual({ major: 254, minor: 70001 });
});
