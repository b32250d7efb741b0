import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DeviceMapper } from "../../devicemapper/device-mapper.ts";
import { ignoreMissing, isMissing } from "../../files.ts";
import { isMadeByLvm } from "../../lvm/names.ts";
import { readRange } from "./block-device.ts";
import { isOurs } from "../names.ts";

const SYS_BLOCK = "/sys/class/block";
const SECTOR = 512;
/** The label is in one of a disk's first four sectors; its header has the volume's uuid behind it. Source: lvm2, lib/format_text/layout.h and lib/label/label.h. */
const LABEL_SECTORS = 4;
const LABEL_ID = "LABELONE";
const LABEL_TYPE = "LVM2 001";
const UUID_LENGTH = 32;

export interface LabelledDisk {
  readonly path: string;
  /** Without its hyphens. */
  readonly volumeUuid: string;
}

/**
 * The disks of this machine that LVM has labelled, without those through which tenants' data can be read: the volumes of
 * any driver of ours, what stands on them, what its pools lie on, and logical volumes. LVM is shown these alone, so that
 * a label that a tenant has written is not even read. Rejects when it cannot be told what a disk stands on.
 */
export async function labelledDisks(dm: DeviceMapper, sys = SYS_BLOCK): Promise<readonly LabelledDisk[]> {
  const devices = new Map(dm.list().map(({ minor, uuid }) => [`dm-${minor}`, uuid]));
  const isTenants = (name: string): boolean => isOurs({ uuid: devices.get(name) ?? "" });
  const found: LabelledDisk[] = [];
  for (const name of await readdir(sys)) {
    const uuid = devices.get(name);
    if (name.startsWith("dm-") && (uuid === undefined || isMadeByLvm({ uuid }) || dm.info(uuid)?.suspended !== false)) continue;
    if (await standsOn(sys, name, isTenants)) continue;
    if ((await related(sys, name, "holders")).some(isTenants) || (await sizeOf(join(sys, name))) === 0) continue;
    const path = `/dev/${name.replaceAll("!", "/")}`;
    const volumeUuid = readLabel(path);
    if (volumeUuid !== undefined) found.push({ path, volumeUuid });
  }
  return found;
}

/** Whether it is one, or stands on one. */
async function standsOn(sys: string, name: string, matches: (name: string) => boolean): Promise<boolean> {
  if (matches(name)) return true;
  for (const below of await related(sys, name, "slaves")) if (await standsOn(sys, below, matches)) return true;
  return false;
}

/** A partition has no folder of what it stands on. */
const related = async (sys: string, name: string, relation: "slaves" | "holders"): Promise<readonly string[]> =>
  (await readdir(join(sys, name, relation)).catch(ignoreMissing)) ?? [];

/** In sectors; 0 also for a device that has just gone: what sysfs had opened of it answers ENODEV. Source: fs/kernfs/file.c. */
const sizeOf = async (folder: string): Promise<number> =>
  readFile(join(folder, "size"), "utf8").then(Number, (error: NodeJS.ErrnoException) => {
    if (isMissing(error) || error.code === "ENODEV") return 0;
    throw error;
  });

/** undefined also for a drive without a medium, and a device that has just gone. */
function readLabel(path: string): string | undefined {
  let start;
  try {
    start = readRange(path, 0, LABEL_SECTORS * SECTOR);
  } catch {
    return undefined;
  }
  for (let from = 0; from + SECTOR <= start.length; from += SECTOR) {
    const label = start.subarray(from, from + SECTOR);
    if (label.toString("latin1", 0, 8) !== LABEL_ID || label.toString("latin1", 24, 32) !== LABEL_TYPE) continue;
    const headerAt = label.readUInt32LE(20);
    return label.toString("latin1", headerAt, headerAt + UUID_LENGTH);
  }
  return undefined;
}
