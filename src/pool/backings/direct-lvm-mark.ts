import { randomInt } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DmthinError } from "../../errors.ts";
import { ignoreMissing, syncPath, writeLasting } from "../../files.ts";

/**
 * What tells a pool's own disks from all others: a mark, drawn once, on record in the state directory before the first
 * write to a disk, in the uuids of its physical volumes and in a tag of its volume group. Whatever was interrupted is
 * found by it; a disk without it is a stranger's.
 */
export interface Mark {
  readonly mark: string;
  /**
   * `making`: its volume group may not be there yet. `importing`: it is there, and an import has not come to its end. `made`:
   * one that is not there is lost, never made anew. `wiping`: it is being taken apart.
   */
  readonly phase: "making" | "importing" | "made" | "wiping";
  /** Disks that were added by hand, beside those of the description. */
  readonly added: readonly string[];
}

const FILE = "volume-group.json";
const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz";
const MARK = /^[0-9a-z]{20}$/;

export const drawMark = (): string => draw(20);

/** A physical volume's uuid: 32 characters, in groups of 6-4-4-4-4-4-6. Source: lvm2, lib/uuid/uuid.c. */
export const newVolumeUuid = (mark: string): string =>
  `dmthin${mark}${draw(6)}`.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, "$1-$2-$3-$4-$5-$6-$7");
export const isMarked = (volumeUuid: string, mark: string): boolean => volumeUuid.replaceAll("-", "").startsWith(`dmthin${mark}`);

export const DMTHIN_TAG = "dmthin";
export const markTag = (mark: string): string => `dmthin-mark-${mark}`;
export const poolTag = (pool: string): string => `dmthin-pool-${pool}`;
/** The mark of a volume group, by its tags; undefined: it was not made by this program. */
export const markOf = (tags: readonly string[]): string | undefined =>
  tags.flatMap((tag) => (tag.startsWith("dmthin-mark-") ? [tag.slice("dmthin-mark-".length)] : [])).find((mark) => MARK.test(mark));

export async function readMark(stateDirectory: string): Promise<Mark | undefined> {
  const path = join(stateDirectory, FILE);
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  if (text === undefined) return undefined;
  const mark = parse(text);
  if (mark !== undefined) return mark;
  throw new DmthinError({
    code: "catalog-refused",
    path,
    reason: "it is no record of a volume group",
    remedy: "put it back as it was, or bring the pool up with dmthin pool import",
  });
}

function parse(text: string): Mark | undefined {
  try {
    const { mark, phase, added } = JSON.parse(text) as Partial<Mark>;
    const isWhole =
      typeof mark === "string" && MARK.test(mark) && phase !== undefined && ["making", "importing", "made", "wiping"].includes(phase) && Array.isArray(added);
    return isWhole ? { mark, phase, added: added.map(String) } : undefined;
  } catch {
    return undefined;
  }
}

/** On disk when it returns. */
export async function writeMark(stateDirectory: string, mark: Mark): Promise<void> {
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  await writeLasting(join(stateDirectory, FILE), `${JSON.stringify(mark)}\n`, 0o600);
}

export async function removeMark(stateDirectory: string): Promise<void> {
  await rm(join(stateDirectory, FILE), { force: true });
  await syncPath(stateDirectory);
}

const draw = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join("");
