import { at, textAt, type Path, type Problem } from "./document-paths.ts";
import { lvmKernelName } from "./lvm-kernel-name.ts";
import { spellPath } from "./wording.ts";

/**
 * What pools lie on belongs to one of them, and to it once: block devices, volume groups, thin pools that exist.
 * Told from the text alone: that two names lead to one disk is seen when the disk is looked at.
 */
interface Claim {
  readonly path: Path;
  /** As it was written. */
  readonly text: string;
}

const claim = (pools: readonly unknown[], ...path: Path): readonly Claim[] => {
  const text = textAt(pools, ...path);
  return text === undefined ? [] : [{ path: ["pools", ...path], text }];
};

const list = (pools: readonly unknown[], ...path: Path): readonly Claim[] => {
  const found = at(pools, path);
  return Array.isArray(found) ? found.flatMap((_, index) => claim(pools, ...path, index)) : [];
};

export const claimProblems = (pools: readonly unknown[]): readonly Problem[] => [
  ...twice(
    pools.flatMap((_, index) => [
      ...claim(pools, index, "backing", "devices", "data"),
      ...claim(pools, index, "backing", "devices", "metadata"),
      ...list(pools, index, "backing", "directLvm", "devices"),
      ...list(pools, index, "backing", "directLvm", "metadataDevices"),
    ]),
    (one, other) => one === other || globMatches(one, other) || globMatches(other, one),
  ),
  ...twice(
    pools.flatMap((_, index) => volumeGroup(pools, index)),
    (one, other) => one === other,
  ),
  ...twice(
    pools.flatMap((_, index) => claim(pools, index, "backing", "existing", "pool")),
    (one, other) => existingKernelName(one) === existingKernelName(other),
  ),
  ...insideOurs(pools),
];

function twice(claims: readonly Claim[], same: (one: string, other: string) => boolean): readonly Problem[] {
  return claims.flatMap(({ path, text }, index) => {
    const first = claims.slice(0, index).find((earlier) => !areOneList(earlier.path, path) && same(earlier.text, text));
    if (first === undefined) return [];
    const what = first.text === text ? text : `${text} is also ${first.text}: it`;
    return [{ path, message: `${what} is in use already: ${spellPath(first.path)}` }];
  });
}

/** A disk may be named and found by a pattern of the same list: it is taken once. */
const areOneList = (one: Path, other: Path): boolean =>
  typeof one.at(-1) === "number" && one.length === other.length && one.slice(0, -1).every((part, index) => part === other[index]);

/** `*` and `?` as the shell has them, in the last part only; a leading dot needs no special case in /dev. */
export function globMatches(pattern: string, path: string): boolean {
  if (!/[*?]/.test(pattern)) return false;
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${source}$`).test(path);
}

/** The kernel's name of a pool that was made before: group/pool of LVM's, or a device as it is. */
function existingKernelName(pool: string): string {
  const [group = "", volume] = pool.split("/");
  return volume === undefined ? pool : lvmKernelName(group, volume);
}

export const defaultVolumeGroup = (poolName: string): string => `dmthin-${poolName}`;

function volumeGroup(pools: readonly unknown[], index: number): readonly Claim[] {
  const backing = at(pools, [index, "backing", "directLvm"]);
  const name = textAt(pools, index, "name");
  if (typeof backing !== "object" || backing === null) return [];
  const text = textAt(backing, "volumeGroup") ?? (name === undefined ? undefined : defaultVolumeGroup(name));
  return text === undefined ? [] : [{ path: ["pools", index, "backing", "directLvm", "volumeGroup"], text }];
}

/** A group that the driver makes has the one pool that it makes there. */
function insideOurs(pools: readonly unknown[]): readonly Problem[] {
  const groups = pools.flatMap((_, index) => volumeGroup(pools, index));
  return pools
    .flatMap((_, index) => claim(pools, index, "backing", "existing", "pool"))
    .flatMap(({ path, text }) => {
      const group = groups.find((one) => text.startsWith(`${one.text}/`));
      return group === undefined ? [] : [{ path, message: `${group.text} is the volume group of ${spellPath(group.path.slice(0, 2))}` }];
    });
}
