import { closeSync, constants, openSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Run } from "../../exec/run.ts";
import { ignoreMissing } from "../../files.ts";
import type { Mount } from "../../filesystem/filesystems.ts";
import { mounts } from "../../filesystem/mounts.ts";
import { recognisedOn } from "../../filesystem/signatures.ts";
import type { PhysicalVolume } from "../../lvm/reports.ts";
import { areEndsBlank } from "./block-device.ts";
import type { NamedDisk } from "./disk-patterns.ts";

/** What a disk was found to be, before anything is written to it. */
export type Finding =
  | { readonly kind: "blank" }
  /** In a volume group; whose that is, is for the caller to say. */
  | { readonly kind: "member"; readonly volume: PhysicalVolume; readonly group: string }
  /** LVM's label, in no volume group. */
  | { readonly kind: "labelled"; readonly volume: PhysicalVolume }
  /** LVM's label, in use by a volume group of which the disk itself knows nothing: its other disks do, or LVM was interrupted before it wrote of it to any. */
  | { readonly kind: "claimed"; readonly volume: PhysicalVolume }
  /** Holds something, and nobody uses it: `force` overwrites it. */
  | { readonly kind: "holds"; readonly what: string }
  /** In use, or nothing to write to: never taken. */
  | { readonly kind: "taken"; readonly what: string };

const SYS = "/sys/dev/block";

/** Looks at a disk; reads alone. `volume`: what LVM says of it. Rejects when it cannot be told who has it. */
export async function examineDisk(run: Run, disk: NamedDisk, volume: PhysicalVolume | undefined, sys = SYS): Promise<Finding> {
  if (volume?.group !== undefined) return { kind: "member", volume, group: volume.group };
  const user = await userOf(disk, sys);
  if (user !== undefined) return { kind: "taken", what: user };
  const signatures = await recognisedOn(run, disk.path);
  if (volume?.inUse === true) return { kind: "claimed", volume };
  if (signatures.includes("LVM2_member")) {
    return volume === undefined ? { kind: "taken", what: "it holds LVM's label, and LVM cannot read what it belongs to" } : { kind: "labelled", volume };
  }
  if (signatures.length > 0) return { kind: "holds", what: `it holds ${signatures.map(inWords).join(" and ")}` };
  return areEndsBlank(disk) ? { kind: "blank" } : { kind: "holds", what: "it holds data that nothing recognises: its first or last MiB is not zero" };
}

/** Who has the disk, or one of its partitions; undefined: nobody, since the kernel gives it to us alone. */
async function userOf(disk: NamedDisk, sys: string): Promise<string | undefined> {
  const folder = join(sys, `${disk.major}:${disk.minor}`);
  if ((await readFile(join(folder, "ro"), "utf8")).trim() === "1") return "it is read-only";
  if ((await isPartition(folder)) && !disk.isNamed) return "it is a partition";
  const parts = await partsOf(folder);
  for (const part of parts) {
    const holders = (await readdir(join(part.folder, "holders")).catch(ignoreMissing)) ?? [];
    if (holders.length > 0) return `${part.name} is in use by ${holders.join(", ")}`;
  }
  const mounted = whereMounted((await mounts()).filter(({ major, minor }) => parts.some(({ number }) => number === `${major}:${minor}`)));
  if (mounted !== undefined) return mounted;
  return isOurs(disk.path) ? undefined : "it is in use, by a mount in another namespace, as swap, or by a program that has it for itself";
}

/** undefined: nowhere. Of a machine's root disk a container may see nothing but folders, in places that are the container's own. */
export function whereMounted(mounted: readonly Pick<Mount, "root" | "target">[]): string | undefined {
  const [first] = mounted.toSorted((left, right) => left.root.length - right.root.length || left.target.length - right.target.length);
  if (first === undefined) return undefined;
  return first.root === "/" ? `it is mounted on ${first.target}` : `it is mounted: its ${first.root} is on ${first.target} here`;
}

/** The disk itself and its partitions. */
async function partsOf(folder: string): Promise<readonly { readonly name: string; readonly folder: string; readonly number: string }[]> {
  const folders = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const below = await Promise.all(folders.map(async (each) => ((await isPartition(each)) ? each : [])));
  return Promise.all(
    [folder, ...below.flat()].map(async (each) => {
      const uevent = await readFile(join(each, "uevent"), "utf8");
      const number = (await readFile(join(each, "dev"), "utf8")).trim();
      return { name: /^DEVNAME=(.*)$/m.exec(uevent)?.[1] ?? basename(each), folder: each, number };
    }),
  );
}

const isPartition = async (folder: string): Promise<boolean> => (await stat(join(folder, "partition")).catch(ignoreMissing)) !== undefined;

/** The kernel refuses to share a disk that is mounted, swapped to, or below another device, in whatever namespace. Source: open(2), O_EXCL. */
function isOurs(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw error;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  gpt: "a GPT partition table",
  dos: "an MBR partition table",
  PMBR: "a protective MBR",
  linux_raid_member: "a part of an md RAID",
};
const inWords = (signature: string): string => WORDS[signature] ?? signature;
