import { expect, test } from "@jest/globals";
import { parseProbe } from "../../../src/filesystem/probe.ts";

/** Recorded from blkid of util-linux 2.41.5. */
const RECORDED = {
  ext4: "DEVNAME=/dev/loop0\nUUID=12122e8f-27ff-4e33-a122-b080caaeea43\nVERSION=1.0\nFSBLOCKSIZE=4096\nBLOCK_SIZE=4096\nFSLASTBLOCK=1310720\nFSSIZE=5368709120\nTYPE=ext4\nUSAGE=filesystem\n",
  btrfs:
    "DEVNAME=/dev/loop0\nUUID=4b3b982e-9777-478c-ba75-ace20276dd54\nUUID_SUB=02feb9a9-60f4-4482-8ec6-028855f22f41\nFSBLOCKSIZE=4096\nBLOCK_SIZE=4096\nFSLASTBLOCK=1310720\nFSSIZE=5368709120\nTYPE=btrfs\nUSAGE=filesystem\n",
  LVM2_member: "DEVNAME=/dev/loop0\nUUID=nxha92-DzPK-VZel-oDEW-0fBq-fpVH-rZGdYW\nVERSION=LVM2\\ 001\nTYPE=LVM2_member\nUSAGE=raid\n",
  table: "DEVNAME=/dev/loop0\nPTTYPE=dos\n",
  ext4WithTable:
    "DEVNAME=/dev/loop0\nUUID=339a4913-870f-426e-9ed0-eb5bd96e5097\nVERSION=1.0\nFSBLOCKSIZE=4096\nBLOCK_SIZE=4096\nFSLASTBLOCK=1310720\nFSSIZE=5368709120\nTYPE=ext4\nUSAGE=filesystem\nPTTYPE=dos\n",
};

test("a filesystem is known by its type and its own uuid", () => {
  expect(parseProbe(RECORDED.ext4, 0)).toEqual({ type: "ext4", uuid: "12122e8f-27ff-4e33-a122-b080caaeea43" });
  expect(parseProbe(RECORDED.btrfs, 0)).toEqual({ type: "btrfs", uuid: "4b3b982e-9777-478c-ba75-ace20276dd54" });
});

test("what is no filesystem is named, so that it is not formatted over", () => {
  expect(parseProbe(RECORDED.LVM2_member, 0)).toEqual({ type: "LVM2_member", uuid: "nxha92-DzPK-VZel-oDEW-0fBq-fpVH-rZGdYW" });
  expect(parseProbe(RECORDED.table, 0)).toEqual({ type: "partition table", uuid: undefined });
});

test("a volume whose filesystem has a boot sector in front is still that filesystem", () => {
  expect(parseProbe(RECORDED.ext4WithTable, 0)?.type).toBe("ext4");
});

test("nothing known is undefined, several at once are neither of them", () => {
  expect(parseProbe("", 2)).toBeUndefined();
  expect(parseProbe("", 8)).toEqual({ type: "several filesystems at once", uuid: undefined });
});
