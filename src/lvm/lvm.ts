import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DmthinError } from "../errors.ts";
import { pendingPrograms } from "../exec/pending.ts";
import type { Output, Run } from "../exec/run.ts";
import { tryLock, type Lock } from "../linux/lock.ts";
import type { Bytes } from "../units.ts";
import { CONFIG, ENVIRONMENT } from "./configuration.ts";
import { PROFILE_DIRECTORY, profileText, writeProfile } from "./profile.ts";
import {
  LOGICAL_VOLUME_FIELDS,
  PHYSICAL_VOLUME_FIELDS,
  VOLUME_GROUP_FIELDS,
  isGroupKnown,
  logicalVolumes,
  parseReport,
  physicalVolume,
  volumeGroup,
  type LogicalVolume,
  type PhysicalVolume,
  type Row,
  type VolumeGroup,
} from "./reports.ts";

export interface LvmOptions {
  readonly run: Run;
  /** All that LVM is shown: its own disks, so that a header that a tenant has written into a volume is none of its business. undefined: as the host has it set up. */
  readonly devices: readonly string[] | undefined;
  /**
   * The path of a lock that each command holds while it runs, whatever becomes of who has started it: the next one waits
   * for it, in another thread or process too. undefined: nobody else is at work on these disks.
   */
  readonly lock?: string | undefined;
  /** The call gives up after this, the command never: it is left to finish, and the next one waits for it. Default: ten minutes. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 600_000;
const LOCK_RETRY_MS = 50;
/** Without it LVM would start a daemon, to tell it that there is nothing to do. Source: lvm2, daemons/dmeventd/dmeventd.h. */
const DMEVENTD = "/run/dmeventd-server";
const REPORT = ["--reportformat", "json", "--units", "b", "--nosuffix"];

/** Where and how large a logical volume is made. */
export interface NewVolume {
  readonly name: string;
  readonly extents: number;
  /** The disks that it may lie on; none: any of the group's. */
  readonly on: readonly string[];
  readonly tags?: readonly string[];
  /** Zero its beginning, and wipe what was recognised there. */
  readonly wipe: boolean;
}

/** Of two volumes. */
export interface NewPool {
  readonly data: string;
  readonly metadata: string;
  /** The disks that the metadata's spare may lie on; none: any of the group's. */
  readonly spareOn: readonly string[];
  readonly chunkSize: Bytes;
  readonly zero: boolean;
}

export interface MetadataPlace {
  readonly on?: readonly string[];
  readonly stays?: boolean;
}

/**
 * The commands of LVM that make, activate and grow pools, one function each, no policy. Never killed, one at a time,
 * without udev, dmeventd, hints and backups. Volumes are named "group/volume". Failures are "program-failed".
 */
export class Lvm {
  readonly #options: LvmOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LvmOptions) {
    this.#options = options;
  }

  async physicalVolumes(): Promise<readonly PhysicalVolume[]> {
    return (await this.#report("pvs", PHYSICAL_VOLUME_FIELDS, [])).map(physicalVolume);
  }

  /** With the groups that they are in, in one command. */
  async disks(): Promise<{ readonly volumes: readonly PhysicalVolume[]; readonly groups: readonly VolumeGroup[] }> {
    const rows = await this.#report("pvs", `${PHYSICAL_VOLUME_FIELDS},${VOLUME_GROUP_FIELDS.replace("vg_name,vg_uuid,", "")}`, []);
    const inGroups = rows.filter(isGroupKnown).map(volumeGroup);
    return { volumes: rows.map(physicalVolume), groups: [...new Map(inGroups.map((group) => [group.uuid, group])).values()] };
  }

  async volumeGroups(): Promise<readonly VolumeGroup[]> {
    return (await this.#report("vgs", VOLUME_GROUP_FIELDS, [])).map(volumeGroup);
  }

  /** Hidden ones too. */
  async logicalVolumes(group: string): Promise<readonly LogicalVolume[]> {
    return logicalVolumes(await this.#report("lvs", LOGICAL_VOLUME_FIELDS, ["--all", group]));
  }

  /** Refuses what LVM recognises something on. */
  async createPhysicalVolume(device: string, uuid: string): Promise<void> {
    await this.#run("pvcreate", ["--uuid", uuid, "--norestorefile", device]);
  }

  /** Without autoactivation: only its owner activates what is in it. */
  async createVolumeGroup(name: string, devices: readonly string[], options: { readonly tags: readonly string[]; readonly extentBytes: Bytes }): Promise<void> {
    const { tags, extentBytes } = options;
    await this.#run("vgcreate", ["--setautoactivation", "n", "--physicalextentsize", `${extentBytes}b`, ...tagged(tags), name, ...devices]);
  }

  async extendVolumeGroup(name: string, devices: readonly string[]): Promise<void> {
    await this.#run("vgextend", [name, ...devices]);
  }

  async removeVolumeGroup(name: string): Promise<void> {
    await this.#run("vgremove", [name]);
  }

  async tagVolumeGroup(name: string, change: TagChange): Promise<void> {
    await this.#run("vgchange", [...tagArguments(change), name]);
  }

  async createVolume(group: string, { name, extents, on, tags = [], wipe }: NewVolume): Promise<void> {
    const wiping = wipe ? ["--yes", "--wipesignatures", "y", "--zero", "y"] : ["--wipesignatures", "n", "--zero", "n"];
    await this.#run("lvcreate", [...wiping, "--setautoactivation", "n", ...tagged(tags), "--name", name, "--extents", String(extents), group, ...on]);
  }

  async removeVolume(volume: string): Promise<void> {
    await this.#run("lvremove", ["--yes", volume]);
  }

  /** Of a pool: what writes do when it is full, and its profile, in one command. */
  async changeVolume(volume: string, { whenFull, profile, ...tags }: VolumeChange): Promise<void> {
    const full = whenFull === undefined ? [] : ["--errorwhenfull", whenFull === "error" ? "y" : "n"];
    const attach = profile === undefined ? [] : ["--metadataprofile", profile];
    await this.#run("lvchange", [...full, ...attach, ...tagArguments(tags), volume]);
  }

  /** Makes a thin pool of two volumes, which keeps the name of the data's. Wipes the metadata, and reserves a spare of its size. */
  async convertToPool(group: string, { data, metadata, spareOn, chunkSize, zero }: NewPool): Promise<void> {
    const features = ["--chunksize", `${chunkSize}b`, "--zero", zero ? "y" : "n", "--poolmetadataspare", "y"];
    await this.#run("lvconvert", ["--yes", "--type", "thin-pool", "--poolmetadata", `${group}/${metadata}`, ...features, `${group}/${data}`, ...spareOn]);
  }

  /** A pool, or the parts of one that is not active, which are read-only then. LVM takes such parts one by one. */
  async activate(...volumes: readonly string[]): Promise<void> {
    for (const volume of volumes) await this.#run("lvchange", ["--yes", "--activate", "y", volume]);
  }

  async deactivate(...volumes: readonly string[]): Promise<void> {
    await this.#run("lvchange", ["--yes", "--activate", "n", ...volumes]);
  }

  /** The host's dmeventd, where one runs, leaves the volume alone from then on. */
  async stopMonitoring(volume: string): Promise<void> {
    if (existsSync(DMEVENTD)) await this.#run("lvchange", ["--monitor", "n", volume]);
  }

  /** Loads the tables anew from what LVM has on record: sizes, low water mark. The pool is suspended for a moment. */
  async refresh(volume: string): Promise<void> {
    await this.#run("lvchange", ["--refresh", volume]);
  }

  /** Writes a pool's metadata anew onto the spare, by thin_repair with these options, and keeps the old as NAME_metaN. Nothing of it may be active. */
  async repairPool(pool: string, thinRepairOptions: readonly string[]): Promise<void> {
    const options = thinRepairOptions.length === 0 ? "" : `global/thin_repair_options=[${thinRepairOptions.map((option) => `"${option}"`).join(",")}]`;
    await this.#run("lvconvert", ["--yes", "--repair", pool], options);
  }

  /** Makes the volume that much larger, on these disks, or on any of the group's. Of a pool: its data. */
  async extend(volume: string, extents: number, on: readonly string[] = []): Promise<void> {
    await this.#run("lvextend", ["--extents", `+${extents}`, volume, ...on]);
  }

  /**
   * With `on` on these disks, and then the spare does not grow with it. Without, it does: `stays` on the disks that each of
   * the two has something on, and fails where these have no room. Source: measured with LVM 2.03.31.
   */
  async extendPoolMetadata(pool: string, by: Bytes, { on = [], stays = false }: MetadataPlace = {}): Promise<void> {
    await this.#run("lvextend", [...(stays ? ["--alloc", "cling"] : []), "--poolmetadatasize", `+${by}b`, pool, ...on]);
  }

  /** Belongs before every activation and refresh: without its profile a pool has no low water mark. */
  async writeProfile(name: string, autoextend: { readonly thresholdPercent: number; readonly percent: number }): Promise<void> {
    await writeProfile(PROFILE_DIRECTORY, name, profileText(autoextend));
  }

  async #report(command: string, fields: string, which: readonly string[]): Promise<readonly Row[]> {
    const { stdout } = await this.#run(command, [...REPORT, "--options", fields, ...which]);
    return parseReport(stdout);
  }

  /** After the one before it has ended, also when its call was given up. */
  async #run(command: string, args: readonly string[], config = ""): Promise<Output> {
    const { run, devices, lock: path, deadlineMs = DEADLINE_MS } = this.#options;
    const shown = devices === undefined ? [] : ["--devices", devices.join(",")];
    const argv = ["lvm", command, ...shown, "--config", `${CONFIG} ${config}`.trim(), ...args];
    const turn = this.#last.then(async () => {
      const lock = path === undefined ? undefined : await lockWithin(path, deadlineMs, argv);
      const release = (): void => lock?.release();
      try {
        // As its standard input: LVM closes what it is given beyond its first three descriptors.
        return await run(argv, { neverKill: true, deadlineMs, env: ENVIRONMENT, onStarted: release, ...(lock === undefined ? {} : { stdin: lock.fd }) });
      } finally {
        release();
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

async function lockWithin(path: string, deadlineMs: number, argv: readonly string[]): Promise<Lock> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const lock = tryLock(path);
    if (lock !== undefined) return lock;
    if (performance.now() >= until)
      throw new DmthinError({ code: "deadline", operation: `${argv[1]}, which waits for ${lvmLeftAtWork()?.operation ?? "another command of LVM"},` });
    await sleep(LOCK_RETRY_MS, undefined, { ref: false });
  }
}

/** Commands that this thread has started, and that have outlived their callers' patience; undefined: none. */
export function lvmLeftAtWork(): LeftAtWork | undefined {
  const left = pendingPrograms().filter(({ neverKill, argv, isGivenUp }) => neverKill && argv[0] === "lvm" && isGivenUp());
  const [first] = left;
  if (first === undefined) return undefined;
  const ended = Promise.all(left.map(async (program) => program.ended)).then(() => undefined);
  return { operation: `lvm ${first.argv[1]}`, since: new Date(first.startedAt), ended };
}

export interface LeftAtWork {
  readonly operation: string;
  readonly since: Date;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

export interface TagChange {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

export interface VolumeChange extends TagChange {
  readonly whenFull?: "queue" | "error";
  readonly profile?: string;
}

const tagged = (tags: readonly string[]): readonly string[] => tags.flatMap((tag) => ["--addtag", tag]);
const tagArguments = ({ add = [], remove = [] }: TagChange): readonly string[] => [...tagged(add), ...remove.flatMap((tag) => ["--deltag", tag])];
