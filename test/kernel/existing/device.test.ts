import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { readRange } from "../../../src/pool/backings/block-device.ts";
import { KiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { describePool, DISK, Machine, makeGroup, makePool, newVolume, output, removeVolumes, SECOND } from "./rig.ts";

jest.setTimeout(120_000);
let machine: Machine;

beforeEach(() => {
  cleanMachine();
  machine = new Machine();
});
afterEach(async () => {
  await machine.dispose();
  cleanMachine();
});

const make = (name: string, table: string, ...options: readonly string[]): string => output("dmsetup", "create", name, "--table", table, ...options);
/** Data on one disk, metadata on the first 32 MiB of the other; chunks of 256 KiB. */
const makeBarePool = (): string => {
  make("bare-linear", `0 65536 linear ${SECOND} 0`, "--uuid", "ADMIN-metadata");
  return make("bare-pool", `0 1048576 thin-pool /dev/mapper/bare-linear ${DISK} 512 0`, "--uuid", "ADMIN-pool");
};
const refusal = (reason: RegExp) => ({ facts: { code: "pool-refused", reason: expect.stringMatching(reason) } });

test("a pool under a bare name is taken with its chunk size, waited for after a reboot, and has its volumes again", async () => {
  await expect(machine.open(describePool("bare-pool"))).rejects.toMatchObject({
    facts: { code: "pool-not-ready", reason: expect.stringMatching(/no device-mapper device bare-pool/) },
  });
  makeBarePool();
  const first = await machine.open(describePool("bare-pool"));
  expect(first.view.figures).toMatchObject({ chunkSize: 256 * KiB, transactionId: 1 });
  await first.calls.createVolume(newVolume("a"));
  const content = Buffer.alloc(64 * KiB, "kept ");
  writeFileSync((await first.calls.activate(volumeId("a"), { readOnly: false })).path, content, { flag: "r+", flush: true });
  await expect(first.calls.extend("data", "max")).rejects.toMatchObject({
    facts: { code: "pool-unchanged", reason: expect.stringMatching(/its device is an administrator's/) },
  });
  await machine.close(first);
  removeVolumes();
  output("dmsetup", "remove", "bare-pool");
  output("dmsetup", "remove", "bare-linear");
  await expect(machine.open(describePool("bare-pool"))).rejects.toMatchObject({ facts: { code: "pool-not-ready" } });
  makeBarePool();
  const second = await machine.open(describePool("bare-pool"));
  const { path } = await second.calls.activate(volumeId("a"), { readOnly: true });
  expect(readRange(path, 0, content.length).equals(content)).toBe(true);
});

test("a pool that was made anew on blank metadata under the same name is not taken for the old one", async () => {
  makeBarePool();
  const pool = await machine.open(describePool("bare-pool"));
  await pool.calls.createVolume(newVolume("a"));
  await machine.close(pool);
  removeVolumes();
  output("dmsetup", "remove", "bare-pool");
  output("dmsetup", "remove", "bare-linear");
  output("dd", "if=/dev/zero", `of=${SECOND}`, "bs=1M", "count=1", "conv=fsync", "status=none");
  makeBarePool();
  await expect(machine.open(describePool("bare-pool"))).rejects.toMatchObject({ facts: { code: expect.stringMatching(/refused/) } });
});

test("one that hands out chunks as others have left them is refused, unless that is wanted", async () => {
  make("bare-linear", `0 65536 linear ${SECOND} 0`, "--uuid", "ADMIN-metadata");
  make("bare-pool", `0 1048576 thin-pool /dev/mapper/bare-linear ${DISK} 512 0 1 skip_block_zeroing`, "--uuid", "ADMIN-pool");
  await expect(machine.open(describePool("bare-pool"))).rejects.toMatchObject(refusal(/does not zero new chunks/));
  const pool = await machine.open({ ...describePool("bare-pool"), zeroNewBlocks: false });
  expect(pool.view.figures?.state).toBe("rw");
});

test("what is no thin pool, has no uuid, is LVM's or the driver's own is refused", async () => {
  make("bare-linear", `0 65536 linear ${SECOND} 0`, "--uuid", "ADMIN-linear");
  await expect(machine.open(describePool("bare-linear"))).rejects.toMatchObject(refusal(/no thin pool: its target is linear/));
  make("bare-anonymous", `0 65536 linear ${SECOND} 65536`);
  await expect(machine.open(describePool("bare-anonymous"))).rejects.toMatchObject(refusal(/has no uuid/));
  output("dmsetup", "remove", "bare-linear");
  output("dmsetup", "remove", "bare-anonymous");
  makeGroup(DISK);
  makePool();
  await expect(machine.open(describePool("admins--group-thin"))).rejects.toMatchObject(refusal(/is LVM's/));
});
