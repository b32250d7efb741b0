import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { MiB } from "../../../src/units.ts";
import { BLANK, contentOf } from "../disk-content.ts";
import { silentLogger } from "../../../src/logger.ts";
import { createBacking } from "../../../src/pool/backings/create-backing.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { describePool, dm, GROUP, lvm, newState, openPool, removeState, tool } from "./rig.ts";
import { SparseDisks } from "./sparse-disks.ts";

jest.setTimeout(180_000);
/** A pool takes at least 1 GiB. */
const disks = new SparseDisks(3, 1100 * MiB);
const DISKS = disks.paths;
const [FIRST = "", SECOND = "", THIRD = ""] = DISKS;
let state: string;

beforeAll(() => cleanMachine());
beforeEach(() => {
  state = newState();
});
afterEach(() => {
  cleanMachine([]);
  disks.blank();
  removeState(state);
});
afterAll(() => disks[Symbol.dispose]());

interface Occupation {
  readonly what: string;
  readonly make: (disk: string) => void;
  readonly undo?: (disk: string) => void;
  readonly told: RegExp;
  /** Whether `force` may overwrite it. */
  readonly isForced: boolean;
}

const MOUNT_POINT = "/mnt/taken";
const OCCUPATIONS: readonly Occupation[] = [
  { what: "ext4", make: (disk) => void tool("mkfs.ext4", "-q", disk), told: /it holds ext4/, isForced: true },
  { what: "xfs", make: (disk) => void tool("mkfs.xfs", "-q", disk), told: /it holds xfs/, isForced: true },
  { what: "btrfs", make: (disk) => void tool("mkfs.btrfs", "-q", disk), told: /it holds btrfs/, isForced: true },
  { what: "swap", make: (disk) => void tool("mkswap", disk), told: /it holds swap/, isForced: true },
  { what: "GPT", make: (disk) => plantGpt(disk), told: /it holds a GPT partition table/, isForced: true },
  { what: "MBR", make: (disk) => plantMbr(disk, 0x83), told: /it holds an MBR partition table/, isForced: true },
  { what: "md RAID", make: plantRaid, told: /it holds a part of an md RAID/, isForced: true },
  {
    what: "LVM's label in no volume group",
    make: (disk) => void tool("lvm", "pvcreate", "-q", disk),
    told: /it holds LVM's label, and is in no volume group/,
    isForced: true,
  },
  {
    what: "bytes that nothing recognises",
    make: (disk) => void tool("sh", "-c", `printf secret | dd of=${disk} bs=1 seek=4711 conv=fsync,notrunc status=none`),
    told: /it holds data that nothing recognises/,
    isForced: true,
  },
  {
    what: "another volume group",
    make: (disk) => void (tool("lvm", "pvcreate", "-q", disk), tool("lvm", "vgcreate", "-q", "other", disk)),
    told: /it is in volume group other/,
    isForced: false,
  },
  {
    what: "a mounted filesystem",
    make: (disk) => {
      tool("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk); // else the kernel writes the rest later
      mkdirSync(MOUNT_POINT, { recursive: true });
      tool("mount", disk, MOUNT_POINT);
      tool("sync", "-f", MOUNT_POINT);
    },
    undo: () => void tool("umount", MOUNT_POINT),
    told: /it is mounted on \/mnt\/taken/,
    isForced: false,
  },
  {
    what: "swap in use",
    make: (disk) => void (tool("mkswap", disk), tool("swapon", disk)),
    undo: (disk) => void tool("swapoff", disk),
    told: /it is in use/,
    isForced: false,
  },
  {
    what: "a device-mapper device on it",
    make: (disk) => void tool("dmsetup", "create", "other-user", "--table", `0 2048 linear ${disk} 0`),
    undo: () => void tool("dmsetup", "remove", "other-user"),
    told: /in use by dm-/,
    isForced: false,
  },
];

/** Tools for these are not in the image. Writes a block at a sector. */
function plant(disk: string, sector: number, block: Buffer): void {
  const file = join(state, "planted");
  writeFileSync(file, block);
  tool("dd", `if=${file}`, `of=${disk}`, "bs=512", `seek=${sector}`, "conv=fsync,notrunc", "status=none");
}

const sectorsOf = (disk: string): number => Number(tool("blockdev", "--getsize64", disk)) / 512;

/** One partition of a type, at sector 2048 or over everything. */
function plantMbr(disk: string, type: number): void {
  const block = Buffer.alloc(512);
  block[450] = type;
  block.writeUInt32LE(type === 0xee ? 1 : 2048, 454);
  block.writeUInt32LE(type === 0xee ? sectorsOf(disk) - 1 : 131_072, 458);
  block.writeUInt16LE(0xaa55, 510);
  plant(disk, 0, block);
}

/** Without a partition in it. Source: UEFI specification 2.10, 5.3. */
function plantGpt(disk: string): void {
  plantMbr(disk, 0xee);
  const last = sectorsOf(disk) - 1;
  const header = Buffer.alloc(512);
  header.write("EFI PART", 0, "latin1");
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  for (const [offset, sector] of [
    [24, 1],
    [32, last],
    [40, 34],
    [48, last - 34],
    [72, 2],
  ] as const)
    header.writeBigUInt64LE(BigInt(sector), offset);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(Buffer.alloc(128 * 128)), 88);
  header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
  plant(disk, 1, header);
}

/** A superblock of version 1.0, near the end. Source: drivers/md/md_p.h, struct mdp_superblock_1. */
function plantRaid(disk: string): void {
  const at = Math.floor((sectorsOf(disk) - 16) / 8) * 8;
  const block = Buffer.alloc(256 + 2);
  block.writeUInt32LE(0xa92b4efc, 0);
  block.writeUInt32LE(1, 4);
  for (let index = 16; index < 32; index++) block[index] = index;
  block.writeBigUInt64LE(BigInt(at), 144);
  block.writeUInt32LE(1, 220);
  let sum = 0n;
  for (let offset = 0; offset < 256; offset += 4) sum += BigInt(block.readUInt32LE(offset));
  sum += BigInt(block.readUInt16LE(256));
  block.writeUInt32LE(Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn), 216);
  plant(disk, at, block);
}

describe.each(OCCUPATIONS)("a disk with $what", ({ what, make, undo, told, isForced }) => {
  test(`is refused by name with what was found, and stays byte for byte as it was${isForced ? "; force takes it" : ", force or not"}`, async () => {
    make(THIRD);
    const before = contentOf(THIRD);
    try {
      for (const force of isForced ? [false] : [false, true]) {
        const refusal = await openPool(state, { devices: [FIRST, THIRD], force }).then(
          () => "it was taken",
          (error: unknown) => String(error),
        );
        expect(refusal).toContain(`${THIRD}: `);
        expect(refusal).toMatch(told);
        expect(contentOf(THIRD)).toBe(before);
        expect(contentOf(FIRST)).toBe(BLANK);
      }
    } finally {
      undo?.(THIRD);
    }
    // Each takes seconds: those that are cleared in different ways.
    if (!["ext4", "GPT", "md RAID", "LVM's label in no volume group"].includes(what)) return;
    const pool = await openPool(state, { devices: [THIRD], force: true });
    expect(pool.view.status).toEqual({ kind: "ready" });
    await pool.close(10_000);
  });
});

test("of the disks that a pattern finds, those that hold something are left out and told; the others make the pool", async () => {
  const folder = join(state, "by-id");
  mkdirSync(folder);
  for (const [index, disk] of DISKS.entries()) symlinkSync(disk, join(folder, `nvme-${index}`));
  tool("mkfs.xfs", "-q", SECOND);
  const before = contentOf(SECOND);
  const told: string[] = [];
  const pool = await openPool(state, { devices: [join(folder, "nvme-*"), join(folder, "nvme-?")] }, { told });
  expect((await lvm(...DISKS).physicalVolumes()).map(({ device, group }) => [device, group])).toEqual([
    [FIRST, GROUP],
    [THIRD, GROUP],
  ]);
  expect(told.join("\n")).toMatch(/left out .*nvme-1: it holds xfs/);
  const named = (index: number): string => join(folder, `nvme-${index}`);
  expect([pool.view.memberDisks, pool.view.excludedDisks]).toEqual([[named(0), named(2)], [{ path: named(1), reason: "it holds xfs" }]]);
  expect(contentOf(SECOND)).toBe(before);
  await pool.close(10_000);
  disks.blank([SECOND]);
  const again = await openPool(state, { devices: [join(folder, "nvme-*"), "/dev/disk/by-id/absent"] });
  expect(again.view.memberDisks).toEqual([named(0), named(2)]);
  expect(again.view.excludedDisks).toEqual([
    {
      path: named(1),
      reason: expect.stringMatching(
        /^it is blank, and is not in the pool's volume group: dmthin pool extend --add-device adds it; in a cluster name it in its ThinPool$/,
      ),
    },
    { path: "/dev/disk/by-id/absent", reason: "it is not there" },
  ]);
  await again.calls.addDevices([named(1)]);
  expect(again.view.memberDisks?.toSorted()).toEqual([named(0), named(1), named(2)]);
  expect(again.view.excludedDisks).toEqual([{ path: "/dev/disk/by-id/absent", reason: "it is not there" }]);
  await again.close(10_000);
});

test("a pattern that no disk fits is told as it was written, and nothing of what disks hold", async () => {
  const pattern = join(state, "nvme-SAMSNUG_*");
  await expect(openPool(state, { devices: [pattern] })).rejects.toThrow(`no disk fits ${pattern}; correct that, or attach the disks`);
});

test("a disk that is not there is waited for, one too small is refused, and nothing is written meanwhile", async () => {
  await expect(openPool(state, { devices: [FIRST, "/dev/disk/by-id/absent"] })).rejects.toThrow(
    /not ready yet \(disks are not there: \/dev\/disk\/by-id\/absent; attach them, or correct their paths\)/,
  );
  tool("dmsetup", "create", "test-small", "--uuid", "TEST-small", "--table", `0 ${(512 * 2048).toFixed(0)} linear ${SECOND} 0`);
  const small = `/dev/dm-${dm.info("TEST-small")?.minor}`;
  await expect(openPool(state, { devices: [small] })).rejects.toThrow(/a pool takes at least 1 GiB/);
  expect(contentOf(FIRST)).toBe(BLANK);
});

test("a pool that is refused tells of its disks, too", async () => {
  tool("mkfs.xfs", "-q", SECOND);
  const description = describePool({ devices: [FIRST, SECOND, "/dev/disk/by-id/absent"] });
  const parts = { dm, stateDirectory: join(state, "direct"), lvmLock: undefined, logger: silentLogger, probe: async () => undefined };
  const backing = createBacking(description, parts);
  await expect(backing.openCatalogFolder?.()).rejects.toThrow(/it holds xfs/);
  expect(backing.disks).toEqual({
    members: [],
    excluded: [
      { path: SECOND, reason: "it holds xfs" },
      { path: "/dev/disk/by-id/absent", reason: "it is not there" },
    ],
  });
});

test("a volume group that another state directory made for a pool of this name is not taken", async () => {
  const first = await openPool(state, { devices: [FIRST] });
  await first.close(10_000);
  const other = newState();
  await expect(openPool(other, { devices: [FIRST] })).rejects.toThrow(/of a pool direct that this machine's state directory does not know; dmthin pool import/);
  removeState(other);
});

test("a volume group that was made and is gone is waited for, never made anew on what is there", async () => {
  const first = await openPool(state, { devices: [FIRST, SECOND] });
  await first.close(10_000);
  await expect(openPool(state, { devices: [THIRD] })).rejects.toThrow(/not ready yet \(volume group dmthin-direct is on none of its disks/);
  await expect(openPool(state, { devices: [FIRST] })).rejects.toThrow(/not ready yet \(1 of the disks of volume group dmthin-direct are not there/);
  expect(contentOf(THIRD)).toBe(BLANK);
});
