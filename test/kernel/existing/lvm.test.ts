import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { readRange } from "../../../src/pool/backings/block-device.ts";
import { bytes, KiB, MiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { describePool, DISK, dm, GROUP, Machine, makeGroup, makePool, newVolume, output, program, removeVolumes, SECOND } from "./rig.ts";

jest.setTimeout(120_000);
let machine: Machine;

beforeEach(() => {
  cleanMachine();
  makeGroup(DISK);
  machine = new Machine();
});
afterEach(async () => {
  await machine.dispose();
  cleanMachine();
});

const THIN = `${GROUP}/thin`;
const FIELDS = "lv_name,lv_uuid,lv_size,lv_tags,lv_profile,transaction_id,lv_when_full,lv_active,seg_monitor,chunk_size";
const onRecord = (): string => output("lvs", "--all", "--noheadings", "--options", FIELDS, GROUP);
const poolUuid = (): string => dm.list().find(({ name }) => name === "admins--group-thin")?.uuid ?? "";
const refusal = (reason: RegExp) => ({ facts: { code: "pool-refused", reason: expect.stringMatching(reason) } });
const tags = (): string => output("lvs", "--noheadings", "--options", "lv_tags", THIN);

async function expectRefusal(reason: RegExp, volume = "thin"): Promise<void> {
  const before = { record: onRecord(), kernel: output("dmsetup", "table") };
  await expect(machine.open(describePool(`${GROUP}/${volume}`))).rejects.toMatchObject(refusal(reason));
  expect({ record: onRecord(), kernel: output("dmsetup", "table") }).toEqual(before);
}

describe("refused, and left as it is", () => {
  test("a volume that is no thin pool, and one that is not there", async () => {
    output("lvcreate", "--quiet", "--name", "thin", "--size", "64M", GROUP);
    await expectRefusal(/admins-group\/thin is no thin pool/);
    await expectRefusal(/admins-group\/nothing is no thin pool/, "nothing");
  });

  test("a pool with a thin volume of LVM in it, and one that had some", async () => {
    makePool();
    output("lvcreate", "--quiet", "--name", "theirs", "--virtualsize", "64M", "--thinpool", THIN);
    await expectRefusal(/holds thin volumes of LVM: theirs/);
    output("lvremove", "--quiet", "--yes", `${GROUP}/theirs`);
    await expectRefusal(/its transaction id there is [1-9]\d*, and has to be 0/);
  });

  test("a pool in which somebody else has thin devices that LVM does not know", async () => {
    makePool();
    dm.message(poolUuid(), "create_thin 17");
    await expectRefusal(/1 thin devices that this catalogue does not know/);
  });

  test("a pool whose transaction id somebody else has moved", async () => {
    makePool();
    dm.message(poolUuid(), "set_transaction_id 0 7");
    await expectRefusal(/at transaction id 7/);
  });

  test("the same, while LVM has it not activated", async () => {
    makePool();
    dm.message(poolUuid(), "create_thin 17");
    output("lvchange", "--activate", "n", THIN);
    await expectRefusal(/1 thin devices/);
    output("lvchange", "--activate", "y", THIN);
  });

  test("a pool that hands out chunks as others have left them, unless that is wanted", async () => {
    makePool("thin", "--zero", "n");
    await expectRefusal(/does not zero new chunks/);
    const pool = await machine.open({ ...describePool(THIN), zeroNewBlocks: false });
    expect(pool.view.figures?.state).toBe("rw");
  });

  test("a pool that another pool of dmthin has", async () => {
    makePool();
    output("lvchange", "--quiet", "--addtag", "dmthin-pool-other", THIN);
    await expectRefusal(/dmthin-pool-other/);
  });
});

test("a pool is taken with the chunk size it has, marked, fenced off from LVM's own thin volumes, and watched by nobody else", async () => {
  makePool();
  const pool = await machine.open(describePool(THIN));
  expect(pool.view.figures).toMatchObject({ chunkSize: 128 * KiB, transactionId: 1, state: "rw" });
  expect(pool.view.setup?.data.discardMaxBytes).toBeGreaterThan(0);
  await pool.calls.createVolume(newVolume("a"));
  expect(tags().trim().split(",").toSorted()).toEqual(["dmthin", "dmthin-pool-existing"]);
  expect(output("lvs", "--noheadings", "--options", "lv_profile,seg_monitor", THIN)).toMatch(/^dmthin-existing\s*(not (monitored|enabled))?$/);
  const fenced = program("lvcreate", "--name", "theirs", "--virtualsize", "64M", "--thinpool", THIN);
  expect(fenced.status).not.toBe(0);
  expect(fenced.stderr).toMatch(/Cannot use thin pool .* with transaction id [1-9]\d* for thin volumes/);
  expect(await pool.calls.inventory()).toEqual({ orphans: [], discrepancies: [] });
});

const DAEMON = ["/run/dmeventd.pid", "/run/dmeventd-client", "/run/dmeventd-server"] as const;

test("the host's dmeventd does not look after it any more", async () => {
  const monitoring = ["--config", "activation/monitoring=1"] as const;
  const hasOwn = existsSync(DAEMON[0]);
  try {
    makePool("thin", ...monitoring);
    const monitored = (): string => output("lvs", ...monitoring, "--noheadings", "--options", "seg_monitor", THIN);
    expect(monitored()).toBe("monitored");
    await machine.open(describePool(THIN));
    expect(monitored()).toBe("not monitored");
  } finally {
    if (!hasOwn) {
      process.kill(Number(readFileSync(DAEMON[0], "utf8")), "SIGKILL");
      for (const path of DAEMON) rmSync(path); // what finds them starts it again
    }
  }
});

test("what was written is there after a reboot: the pool is not active, nor its group, and the driver activates it", async () => {
  makePool();
  const first = await machine.open(describePool(THIN));
  await first.calls.createVolume(newVolume("a"));
  const content = Buffer.alloc(128 * KiB, "kept ");
  writeFileSync((await first.calls.activate(volumeId("a"), { readOnly: false })).path, content, { flag: "r+", flush: true });
  await machine.close(first);
  removeVolumes();
  output("vgchange", "--quiet", "--activate", "n", GROUP);
  expect(poolUuid()).toBe("");
  const second = await machine.open(describePool(THIN));
  const { path } = await second.calls.activate(volumeId("a"), { readOnly: true });
  expect(readRange(path, 0, content.length).equals(content)).toBe(true);
});

test("a group of which a disk is missing is waited for", async () => {
  output("vgextend", "--quiet", GROUP, SECOND);
  makePool();
  output("lvchange", "--activate", "n", THIN);
  const label = readRange(SECOND, 0, MiB);
  output("dd", "if=/dev/zero", `of=${SECOND}`, "bs=1M", "count=1", "conv=fsync", "status=none");
  await expect(machine.open(describePool(THIN))).rejects.toMatchObject({ facts: { code: "pool-not-ready", reason: expect.stringMatching(/lacks the disk/) } });
  writeFileSync(SECOND, label, { flag: "r+", flush: true });
  const pool = await machine.open(describePool(THIN));
  expect(pool.view.status).toEqual({ kind: "ready" });
});

test("it grows by what its group has free, and by a disk that its administrator adds", async () => {
  makePool();
  const pool = await machine.open(describePool(THIN));
  const before = pool.view.figures?.data.total ?? 0;
  await expect(pool.calls.extend("data", { by: bytes(64 * MiB) })).resolves.toMatchObject({ toBytes: (256 + 64) * MiB });
  expect(pool.view.figures?.data.total).toBe(before + (64 * MiB) / (128 * KiB));
  const metadata = await pool.calls.extend("metadata", { by: bytes(4 * MiB) });
  expect(metadata.toBytes).toBe(metadata.fromBytes + 4 * MiB);
  const all = await pool.calls.extend("data", "max");
  await expect(pool.calls.extend("data", { by: bytes(64 * MiB) })).rejects.toMatchObject({ facts: { code: "out-of-range" } });
  output("vgextend", "--quiet", GROUP, SECOND);
  await expect(pool.calls.extend("data", { by: bytes(64 * MiB) })).resolves.toMatchObject({ toBytes: all.toBytes + 64 * MiB });
});

test("a tenant's copy of the group's own label, in a volume and in the pool's first chunk, disturbs nothing of the driver's", async () => {
  makePool();
  const pool = await machine.open(describePool(THIN));
  await pool.calls.createVolume(newVolume("a"));
  const { path } = await pool.calls.activate(volumeId("a"), { readOnly: false });
  writeFileSync(path, readRange(DISK, 0, 4 * MiB), { flag: "r+", flush: true });
  // A host's LVM that looks at everything is disturbed: without --devices the driver's would be, too.
  const careless = program("vgchange", "--addtag", "careless", GROUP);
  expect(careless).toMatchObject({ stderr: expect.stringMatching(/duplicate PV/i) });
  await expect(pool.calls.extend("data", { by: bytes(64 * MiB) })).resolves.toMatchObject({ toBytes: (256 + 64) * MiB });
  await machine.close(pool);
  const again = await machine.open(describePool(THIN));
  expect(again.view.status).toEqual({ kind: "ready" });
  await expect(again.calls.extend("data", { by: bytes(64 * MiB) })).resolves.toMatchObject({ toBytes: (256 + 128) * MiB });
});

test("two disks with one label are told by name, and not taken", async () => {
  makePool();
  output("lvchange", "--activate", "n", THIN);
  writeFileSync(SECOND, readRange(DISK, 0, MiB), { flag: "r+", flush: true });
  await expect(machine.open(describePool(THIN))).rejects.toMatchObject(refusal(/have the same label of LVM/));
});
