import { posix } from "node:path";
import { quote } from "../../config/wording.ts";
import type { Problems } from "./problems.ts";

/** Source: csi spec, "Size Limits". */
const MAX_STRING_BYTES = 128;
const MAX_MAP_BYTES = 4096;
/** Source: PATH_MAX of include/uapi/linux/limits.h, without its NUL. */
const MAX_PATH_BYTES = 4095;

export type StringMap = Readonly<Record<string, string>>;

/** What the CSI specification bans in names: control characters, save tab and line breaks. Source: spec.md, CreateVolumeRequest.name. */
const isBanned = (name: string): boolean => /\p{Cc}/u.test(name.replaceAll(/[\t\n\r]/g, ""));

/** Else any characters: names are only hashed and compared. */
export function parseName(name: string, problems: Problems): string {
  if (name === "") problems.add("name is missing");
  const size = Buffer.byteLength(name);
  if (isBanned(name)) problems.add("name has control characters, which CSI bans");
  if (size > MAX_STRING_BYTES) problems.add(`name has ${size} bytes: at most ${MAX_STRING_BYTES} are taken`);
  return name;
}

/** Only that it is there: whether it can be one of ours is asked last, since a wrong request goes before a missing object. */
export function parseId(field: string, id: string, problems: Problems): string {
  if (id === "") problems.add(`${field} is missing`);
  return id;
}

/** Sums keys and values. */
export function checkMap(field: string, map: StringMap, problems: Problems): void {
  const size = Object.entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (size > MAX_MAP_BYTES) problems.add(`${field} has ${size} bytes: at most ${MAX_MAP_BYTES} are taken`);
}

/** An absolute path, with no "//", "." or trailing "/" left in it; ".." is refused, for a symlink would change what it means. */
export function parsePath(field: string, path: string, problems: Problems): string {
  if (path === "") problems.add(`${field} is missing`);
  else if (path.includes("\0")) problems.add(`${field} ${quote(path)} contains a NUL`);
  else if (!path.startsWith("/")) problems.add(`${field} ${quote(path)} is not absolute`);
  else if (path.split("/").includes("..")) problems.add(`${field} ${quote(path)} contains ".."`);
  else if (Buffer.byteLength(path) > MAX_PATH_BYTES) problems.add(`${field} has more than ${MAX_PATH_BYTES} bytes`);
  return tidy(path);
}

/** Where a volume is said to be: wherever no volume can be, it simply is not, which is for the caller to say. */
export function parseWhereabouts(field: string, path: string, problems: Problems): string {
  if (path === "") problems.add(`${field} is missing`);
  return tidy(path);
}

const tidy = (path: string): string => {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
};
