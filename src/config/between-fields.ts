import { posix } from "node:path";
import { KiB, bytes, formatBytes, parseSize, roundUp, type Bytes } from "../units.ts";
import { claimProblems } from "./claims.ts";
import { MAXIMUM_METADATA_BYTES, defaultMetadata, leastMetadata } from "./metadata-size.ts";
import { at, textAt, type Path, type Problem } from "./document-paths.ts";
import { isWithin } from "./paths.ts";
import { DEFAULT_VOLUME_SIZE } from "./pool-document.ts";
import { spellPath } from "./wording.ts";

/**
 * The checks between the fields of a document. They run whatever else is wrong with it, so that all problems come at
 * once: hence `unknown`, and nothing is said of fields that had a problem of their own.
 */
const sizeAt = (value: unknown, ...path: Path): Bytes | undefined => {
  const found = at(value, path);
  return typeof found === "number" ? bytes(found) : undefined;
};

/** Of one pool, paths relative to it. Shared with the ThinPool's spec. */
function poolProblems(pool: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  const data = sizeAt(pool, "backing", "loop", "dataSize");
  const metadata = sizeAt(pool, "backing", "loop", "metadataSize");
  const chunk = sizeAt(pool, "chunkSize") ?? bytes(64 * KiB);
  const most = sizeAt(pool, "backing", "loop", "maximumDataSize");
  if (data !== undefined && most !== undefined && most < data) {
    problems.push({ path: ["backing", "loop", "maximumDataSize"], message: `${formatBytes(most)} is less than dataSize, ${formatBytes(data)}` });
  }
  if (data !== undefined && metadata !== undefined && metadata < leastMetadata(data, chunk)) {
    problems.push({
      path: ["backing", "loop", "metadataSize"],
      message: `${formatBytes(metadata)} cannot map ${formatBytes(data)} in chunks of ${formatBytes(chunk)}: at least ${formatBytes(leastMetadata(data, chunk))}, better ${formatBytes(defaultMetadata(data, chunk))}`,
    });
  }
  for (const key of ["dataSize", "maximumDataSize"]) {
    const size = sizeAt(pool, "backing", "loop", key);
    if (size !== undefined && leastMetadata(size, chunk) > MAXIMUM_METADATA_BYTES) problems.push({ path: ["chunkSize"], message: chunkTooSmall(size, chunk) });
  }
  problems.push(...shares(pool), ...fixedByExisting(pool));
  const ratio = at(pool, ["overcommitRatio"]);
  const wanted = sizeAt(pool, "defaultVolumeSize");
  if (data !== undefined && wanted !== undefined && typeof ratio === "number" && wanted > data * ratio) {
    const size = wanted === parseSize(DEFAULT_VOLUME_SIZE) ? `${formatBytes(wanted)}, which is the default,` : formatBytes(wanted);
    const message = `${size} is more than the pool may ever promise, ${formatBytes(data * ratio)}: set it lower, or make dataSize larger`;
    problems.push({ path: ["defaultVolumeSize"], message });
  }
  return problems;
}

function chunkTooSmall(size: Bytes, chunk: Bytes): string {
  const step = bytes(64 * KiB);
  const enough = roundUp(bytes(Math.ceil((chunk * leastMetadata(size, chunk)) / MAXIMUM_METADATA_BYTES)), step);
  const most = formatBytes(MAXIMUM_METADATA_BYTES);
  return `${formatBytes(size)} in chunks of ${formatBytes(chunk)} needs ${formatBytes(leastMetadata(size, chunk))} of metadata, and the kernel takes at most ${most}: at least ${formatBytes(enough)}`;
}

/** Metadata has a spare of its own size beside it, unless both are on other disks. */
function shares(pool: unknown): readonly Problem[] {
  const group = at(pool, ["backing", "directLvm"]);
  const [data, metadata, others] = [at(group, ["thinpPercent"]), at(group, ["thinpMetaPercent"]), at(group, ["metadataDevices"])];
  if (typeof data !== "number" || typeof metadata !== "number" || (Array.isArray(others) && others.length > 0) || data + 2 * metadata <= 100) return [];
  const message = `${data}% for data, and ${metadata}% each for metadata and its spare, are more than there is: at most ${100 - 2 * metadata}%`;
  return [{ path: ["backing", "directLvm", "thinpPercent"], message }];
}

const fixedByExisting = (pool: unknown): readonly Problem[] =>
  at(pool, ["backing", "existing"]) === undefined || at(pool, ["chunkSize"]) === undefined
    ? []
    : [{ path: ["chunkSize"], message: "a pool that exists has its chunk size already, which is taken from it: leave this out" }];

/** Of a standalone document. */
export function documentProblems(document: unknown): readonly Problem[] {
  const found = at(document, ["pools"]);
  const pools: readonly unknown[] = Array.isArray(found) ? found : [];
  return [
    ...pools.flatMap((pool, index) => poolProblems(pool).map(({ path, message }) => ({ path: ["pools", index, ...path], message }))),
    ...poolNames(pools),
    ...defaults(pools),
    ...claimProblems(pools),
    ...directories(document, pools),
    ...sockets(document),
  ];
}

/** Of a role that is told its pools by the cluster: of the places alone. */
export const rolePlaceProblems = (document: unknown): readonly Problem[] => [...directories(document, []), ...sockets(document)];

/** Each with the path of the first that has the same. */
function repeated(
  places: readonly { readonly path: Path; readonly text: string | undefined }[],
): readonly { readonly path: Path; readonly text: string; readonly first: Path }[] {
  const seen = new Map<string, Path>();
  return places.flatMap(({ path, text }) => {
    if (text === undefined) return [];
    const first = seen.get(text);
    if (first === undefined) seen.set(text, path);
    return first === undefined ? [] : [{ path, text, first }];
  });
}

const poolNames = (pools: readonly unknown[]): readonly Problem[] =>
  repeated(pools.map((pool, index) => ({ path: ["pools", index, "name"], text: textAt(pool, "name") }))).map(({ path, text, first }) => ({
    path,
    message: `${text} is the name of another pool already, ${spellPath(first.slice(0, 2))}`,
  }));

const defaults = (pools: readonly unknown[]): readonly Problem[] =>
  repeated(pools.map((pool, index) => ({ path: ["pools", index, "default"], text: at(pool, ["default"]) === true ? "default" : undefined }))).map(
    ({ path, first }) => ({
      path,
      message: `only one pool is the default, and ${spellPath(first.slice(0, 2))} is it already`,
    }),
  );

function directories(document: unknown, pools: readonly unknown[]): readonly Problem[] {
  const state = textAt(document, "stateDirectory");
  const run = textAt(document, "runDirectory");
  const taken: { path: Path; directory: string }[] = [];
  const problems: Problem[] = [];
  for (const [index, pool] of pools.entries()) {
    const directory = textAt(pool, "backing", "loop", "directory");
    if (directory === undefined) continue;
    const path = ["pools", index, "backing", "loop", "directory"];
    const other = taken.find((one) => isWithin(directory, one.directory) || isWithin(one.directory, directory));
    if (other !== undefined)
      problems.push({ path, message: `${directory} and ${other.directory} (${spellPath(other.path)}) overlap: give each pool a directory of its own` });
    if (state !== undefined && isWithin(state, directory))
      problems.push({ path, message: `${directory} holds the state directory ${state}: give the pool a directory of its own` });
    if (run !== undefined && isWithin(directory, run))
      problems.push({ path, message: `${directory} is in the run directory ${run}, which is empty after a reboot` });
    taken.push({ path, directory });
  }
  if (state !== undefined && run !== undefined && (isWithin(state, run) || isWithin(run, state))) {
    problems.push({
      path: ["runDirectory"],
      message: `${run} and the state directory ${state} overlap: the one is emptied by a reboot, the other must not be`,
    });
  }
  return problems;
}

/** Sockets of both kinds may share a directory, not a name. */
function sockets(document: unknown): readonly Problem[] {
  const socket = textAt(document, "socket");
  const admin = textAt(document, "adminSocket");
  return socket !== undefined && admin !== undefined && posix.normalize(socket) === posix.normalize(admin)
    ? [{ path: ["adminSocket"], message: `${admin} is the CSI socket already` }]
    : [];
}
