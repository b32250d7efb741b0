import type { AccessType, Capability, Origin, VolumeRecord } from "../catalog/records.ts";
import { invalid } from "./invalid.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";
import { sizeDifference } from "./sizes.ts";
import type { GroupWanted, VolumeWanted } from "./volumes.ts";

/** What a new volume is to be. */
export interface Purpose {
  readonly access: AccessType;
  /** As asked, by capability or parameter; undefined for block, or when it is left to the source or the pool. */
  readonly filesystem: FilesystemType | undefined;
  /** None for block: a class may serve both. */
  readonly mkfsOptions: readonly string[];
}

/** Throws "invalid-argument" when the request contradicts itself. */
export function purposeOf({ capabilities, parameters }: VolumeWanted): Purpose {
  const block = capabilities.filter(({ access }) => access === "block");
  if (block.length > 0 && block.length < capabilities.length) throw invalid("a volume is either a block device or a filesystem, not both");
  if (block.length > 0) return { access: "block", filesystem: undefined, mkfsOptions: [] };
  const asked = new Set([...capabilities.map(({ filesystem }) => filesystem), parameters.filesystem].filter((type) => type !== undefined));
  if (asked.size > 1) throw invalid(`a volume has one filesystem, and ${[...asked].join(" and ")} were asked for`);
  return { access: "mount", filesystem: [...asked][0], mkfsOptions: parameters.mkfsOptions };
}

/** How an existing volume differs from what is asked for by its name, in words; undefined when it is what is asked for. */
export function differenceFrom(wanted: VolumeWanted, purpose: Purpose, existing: { readonly record: VolumeRecord; readonly pool: string }): string | undefined {
  const { record, pool } = existing;
  const { parameters, capabilities, origin, size } = wanted;
  const { type } = record.filesystem;
  if (purpose.access !== accessOf(record)) return `it is ${type === undefined ? "a block device" : "a filesystem"}`;
  if (purpose.filesystem !== undefined && purpose.filesystem !== type) return `its filesystem is ${type}`;
  if (parameters.pool !== undefined && parameters.pool !== pool) return `it is in pool ${pool}`;
  if (formatOrigin(origin) !== formatOrigin(record.origin)) return `it was made from ${formatOrigin(record.origin)}`;
  if (!sameItems(capabilities.map(spell), record.capabilities.map(spell))) {
    return `its capabilities are ${record.capabilities.map(spell).join(", ")}`;
  }
  if (!sameList(purpose.mkfsOptions, record.mkfsOptions)) return `its mkfsOptions are ${JSON.stringify(record.mkfsOptions.join(" "))}`;
  const { discardOnDelete = record.parameters.discardOnDelete, xfsNospaceMaxRetries = record.parameters.xfsNospaceMaxRetries } = parameters.mutable;
  if (discardOnDelete !== record.parameters.discardOnDelete) return `its discardOnDelete is ${record.parameters.discardOnDelete}`;
  if (xfsNospaceMaxRetries !== record.parameters.xfsNospaceMaxRetries) return `its xfsNospaceMaxRetries is ${record.parameters.xfsNospaceMaxRetries}`;
  return sizeDifference(size, record.sizeBytes);
}

export const accessOf = ({ filesystem }: Pick<VolumeRecord, "filesystem">): AccessType => (filesystem.type === undefined ? "block" : "mount");

const sameList = (left: readonly string[], right: readonly string[]): boolean => JSON.stringify(left) === JSON.stringify(right);
/** In whatever order. */
export const sameItems = (left: readonly string[], right: readonly string[]): boolean => sameList(left.toSorted(), right.toSorted());

/** Throws "invalid-argument" when the request contradicts itself. */
export function checkGroup({ sourceVolumeIds }: GroupWanted): void {
  if (sourceVolumeIds.length === 0) throw invalid("a group snapshot needs source volumes");
  if (new Set(sourceVolumeIds).size < sourceVolumeIds.length) throw invalid("a group snapshot takes each source volume once");
}

/** How an existing group snapshot differs from what is asked for by its name, in words; undefined when it is what is asked for. */
export const groupDifference = (sourceVolumeIds: readonly string[], existing: readonly string[]): string | undefined =>
  sameItems(existing, sourceVolumeIds) ? undefined : `its source volumes are ${existing.join(", ")}`;

/** Throws "invalid-argument" when the ids are not those of the group snapshot's members. */
export function requireMembers(groupId: string, members: readonly string[], asked: readonly string[]): void {
  if (!sameItems(members, asked)) throw invalid(`the snapshots of group snapshot ${groupId} are ${members.join(", ")}`);
}

const formatOrigin = (origin: Origin): string => (origin.kind === "blank" ? "nothing" : `${origin.kind} ${origin.id}`);

/** Without the filesystem, which has its own comparison. */
const spell = ({ access, mode, mountFlags }: Capability): string => [access, mode, ...mountFlags].join(" ");
