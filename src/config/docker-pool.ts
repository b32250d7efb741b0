import { type DockerOption, DOCKER_OPTIONS, dockerDefaults } from "./docker-options.ts";
import { at } from "./document-paths.ts";
import { BACKING_KINDS, type BackingKind } from "./pool-description.ts";
import { unknownKey } from "./problems.ts";

/** One of `storageOpts`, by its place among them. */
interface Given {
  readonly index: number;
  readonly key: string;
  readonly value: string;
  readonly option: DockerOption;
}
interface Remark {
  readonly index: number;
  readonly message: string;
}

export interface DockerPool {
  /** The pool's document, with what the options say in it. */
  readonly pool: object;
  /** Which of the options says what stands at a path. */
  readonly saidBy: ReadonlyMap<string, number>;
  readonly problems: readonly Remark[];
  /** Options that make no sense here, each with what to use. */
  readonly refused: readonly Remark[];
}

/** Writes out a pool that is described in Docker's words. `given`: what its document says beside them, which comes first. */
export function dockerPool(storageOpts: readonly string[], given: object, directory: string): DockerPool {
  const { known, problems } = recognise(storageOpts);
  const kind = kindOf(known, given);
  const refused: Remark[] = [];
  const saidBy = new Map<string, number>();
  const pool: object = structuredClone(given);
  for (const { index, key, value, option } of known) {
    if (option.backing !== undefined && option.backing !== kind) {
      refused.push({ index, message: misplaced(key, option.backing, kind) });
      continue;
    }
    const read = option.read(value);
    if ("problem" in read) problems.push({ index, message: `${key}: ${read.problem}` });
    else if ("refused" in read) refused.push({ index, message: `${key}: ${read.refused}` });
    else if ("value" in read && option.becomes !== undefined) {
      if (at(given, option.becomes.split(".")) === undefined) put(pool, option.becomes, read.value);
      else problems.push({ index, message: `${key} and ${option.becomes} say the same: give one of them` });
      saidBy.set(option.becomes, index);
    }
  }
  for (const [path, value] of Object.entries(dockerDefaults(kind, directory))) {
    if (at(pool, path.split(".")) === undefined) put(pool, path, value);
  }
  return { pool, saidBy, problems: [...problems, ...conflicts(known)], refused };
}

function recognise(storageOpts: readonly string[]): { readonly known: readonly Given[]; readonly problems: Remark[] } {
  const known: Given[] = [];
  const problems: Remark[] = [];
  for (const [index, text] of storageOpts.entries()) {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const key = name.trim().toLowerCase();
    const option = Object.hasOwn(DOCKER_OPTIONS, key) ? DOCKER_OPTIONS[key] : undefined;
    const repeatable = key === "dm.mkfsarg" || key === "dm.mountopt";
    if (key === "") problems.push({ index, message: `${text} is not an option such as dm.basesize=20G` });
    else if (option === undefined) problems.push({ index, message: `${key}: ${unknownKey(key, Object.keys(DOCKER_OPTIONS))}` });
    else if (!repeatable && known.some((other) => other.key === key)) problems.push({ index, message: `${key} is given twice` });
    else known.push({ index, key, value: value.trim(), option });
  }
  return { known, problems };
}

/** What the document says, else the option that names a device, else files, as it was with Docker. */
function kindOf(known: readonly Given[], given: object): BackingKind {
  const said = BACKING_KINDS.find((kind) => at(given, ["backing", kind]) !== undefined);
  return said ?? known.find(({ key }) => DEVICE_OPTIONS.has(key))?.option.backing ?? "loop";
}
const DEVICE_OPTIONS: ReadonlySet<string> = new Set(["dm.thinpooldev", "dm.directlvm_device", "dm.datadev", "dm.metadatadev"]);

const WHERE: Readonly<Record<BackingKind, string>> = {
  loop: "files",
  devices: "dm.datadev and dm.metadatadev",
  directLvm: "dm.directlvm_device",
  existing: "dm.thinpooldev",
};
const misplaced = (key: string, wanted: BackingKind, kind: BackingKind): string =>
  wanted === "directLvm" && !DEVICE_OPTIONS.has(key)
    ? `${key} needs dm.directlvm_device: this pool is on ${WHERE[kind]}`
    : `${key} is for pools on ${WHERE[wanted]}, and this one is on ${WHERE[kind]}`;

/** Docker's own: shares are given together, and deletion is deferred only where removal is. */
function conflicts(known: readonly Given[]): readonly Remark[] {
  const find = (key: string): Given | undefined => known.find((one) => one.key === key);
  const alone = (key: string, other: string): readonly Remark[] => {
    const one = find(key);
    return one === undefined || find(other) !== undefined ? [] : [{ index: one.index, message: `${key} needs ${other} beside it` }];
  };
  return [
    ...alone("dm.thinp_percent", "dm.thinp_metapercent"),
    ...alone("dm.thinp_metapercent", "dm.thinp_percent"),
    ...alone("dm.datadev", "dm.metadatadev"),
    ...alone("dm.metadatadev", "dm.datadev"),
  ];
}

/** Makes the mappings above it; what is no mapping is left for the schema to complain about. */
function put(pool: object, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() ?? path;
  let inner: unknown = pool;
  for (const key of keys) {
    if (typeof inner !== "object" || inner === null) return;
    if (at(inner, [key]) === undefined) Reflect.set(inner, key, {});
    inner = at(inner, [key]);
  }
  if (typeof inner === "object" && inner !== null) Reflect.set(inner, last, value);
}
