import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { KernelSlowCalls } from "../../../src/devicemapper/slow-calls.ts";
import { ThinToolsPrograms } from "../../../src/devicemapper/thin-tools-programs.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { labDisks } from "../choice.ts";
import { refusal } from "../../simulation/errno.ts";
import type { Disk, KernelUnderTest } from "./kernel.ts";
import { PREFIX, until } from "./pools.ts";

const dm = new KernelDeviceMapper();

/** The kernel that this runs on, as root, with the guest's scratch disks. */
export async function realKernel(): Promise<KernelUnderTest> {
  const threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  const [data, metadata] = labDisks.map(describeDisk);
  if (data === undefined || metadata === undefined) throw new Error("LAB_DISKS must name two scratch disks: one for data, one for metadata");
  const clean = async (): Promise<void> => {
    await removeDevices();
    for (const { path } of [data, metadata]) blank(path);
  };
  await clean();
  return {
    dm,
    slow: new KernelSlowCalls(threads),
    tools: new ThinToolsPrograms(),
    data,
    metadata,
    write,
    read,
    hold,
    blank,
    clean,
    close: () => threads.close(),
  };
}

export function describeDisk(path: string): Disk {
  const { rdev } = statSync(path);
  const [major, minor] = [(rdev >> 8) & 0xfff, rdev & 0xff];
  const size = Number(readFileSync(`/sys/class/block/${basename(path)}/size`, "utf8")) * 512;
  return { path, major, minor, sizeBytes: bytes(size) };
}

export function blank(path: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_SYNC);
  writeSync(fd, Buffer.alloc(MiB));
  closeSync(fd);
}

/** Pools after what stands on them; what is suspended is resumed, so that nothing waits for it. What is still being let go of is waited for. */
export async function removeDevices(): Promise<void> {
  const ours = dm.list().filter(({ name }) => name.startsWith(PREFIX));
  for (const { uuid } of ours) if (dm.info(uuid)?.suspended === true) dm.resume(uuid);
  let left = ours;
  await until(() => {
    left = left.filter(({ uuid }) => !tryRemove(uuid));
    return left.length === 0;
  });
}

function tryRemove(uuid: string): boolean {
  try {
    dm.remove(uuid);
    return true;
  } catch {
    return dm.info(uuid) === undefined;
  }
}

async function write(path: string, offset: number, data: Buffer): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_SYNC).catch(asRefusal(path));
  try {
    await file.write(data, 0, data.length, offset);
    await file.sync();
  } catch (error) {
    asRefusal(path)(error);
  } finally {
    await file.close().catch(() => undefined);
  }
}

async function read(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY).catch(asRefusal(path));
  try {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer;
  } catch (error) {
    return asRefusal(path)(error);
  } finally {
    await file.close();
  }
}

function hold(path: string): () => void {
  const fd = openSync(path, "r");
  return () => closeSync(fd);
}

const asRefusal =
  (path: string) =>
  (error: unknown): never => {
    throw refusal("input/output", path, error instanceof Error && "code" in error ? String(error.code) : "EIO");
  };
