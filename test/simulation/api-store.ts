import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { MergePatch, PatchOptions, Preconditions } from "../../src/cluster/api/objects-api.ts";
import { isNewer } from "../../src/cluster/api/versions.ts";
import { DmthinError } from "../../src/errors.ts";

/** An object as etcd has it. */
export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

export interface Change {
  readonly version: string;
  readonly before: StoredObject | undefined;
  /** What is gone, too: as it was last, with the version of its end. */
  readonly object: StoredObject;
  readonly isGone: boolean;
}

/** Versions are of all kinds together, as etcd's are. */
export class Versions {
  #last = 100;

  next(): string {
    return String(++this.#last);
  }

  get last(): string {
    return String(this.#last);
  }
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** As on the wire. */
export const copy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

/** RFC 7386. */
export function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, merge(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** One kind's objects in one namespace, and all that ever happened to them. Knows nothing of time or faults. */
export class ApiStore {
  readonly changes: Change[] = [];
  readonly objects = new Map<string, StoredObject>();
  readonly #versions: Versions;
  readonly #kind: string;
  readonly #onChange: (change: Change) => void;

  constructor(kind: string, versions: Versions, onChange: (change: Change) => void) {
    this.#kind = kind;
    this.#versions = versions;
    this.#onChange = onChange;
  }

  create(object: Json & { readonly metadata: Json & { readonly name: string } }): StoredObject {
    const { name } = object.metadata;
    if (this.objects.has(name)) throw this.#conflict(name);
    const given = copy(object);
    const metadata = { ...given.metadata, name, uid: randomUUID(), resourceVersion: "", generation: 1, creationTimestamp: now() };
    return this.#put({ ...given, metadata }, undefined);
  }

  /** `check` throws when the object would not be of its schema: nothing is changed then. */
  patch(
    name: string,
    patch: MergePatch,
    { subresource, preconditions = {} }: PatchOptions,
    check: (object: StoredObject) => void = () => undefined,
  ): StoredObject | undefined {
    const before = this.objects.get(name);
    if (before === undefined) return undefined;
    this.#meet(before, preconditions);
    const merged = merge(before, copy(patch)) as StoredObject;
    const after = subresource === "status" ? withStatus(before, merged["status"]) : this.#changed(before, merged);
    if (isDeepStrictEqual(after, before)) return before;
    check(after);
    return this.#isOver(after) ? this.#remove(after) : this.#put(after, before);
  }

  delete(name: string, preconditions: Partial<Preconditions>): void {
    const before = this.objects.get(name);
    if (before === undefined) return;
    this.#meet(before, preconditions);
    if (before.metadata.deletionTimestamp !== undefined) return;
    const { metadata } = before;
    const after = { ...before, metadata: { ...metadata, deletionTimestamp: now(), deletionGracePeriodSeconds: 0, generation: metadata.generation + 1 } };
    if (this.#isOver(after)) this.#remove(after);
    else this.#put(after, before);
  }

  #isOver({ metadata: { deletionTimestamp, finalizers = [] } }: StoredObject): boolean {
    return deletionTimestamp !== undefined && finalizers.length === 0;
  }

  /** What a change of the object itself may change: not its status, not what the server keeps of it. */
  #changed(before: StoredObject, merged: StoredObject): StoredObject {
    const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, name, finalizers = [] } = before.metadata;
    const added = (merged.metadata.finalizers ?? []).filter((finalizer) => !finalizers.includes(finalizer));
    if (deletionTimestamp !== undefined && added.length > 0) {
      throw this.#refused(`change ${this.#kind} ${name}`, 422, "no new finalizers can be added if the object is being deleted");
    }
    const end = deletionTimestamp === undefined ? {} : { deletionTimestamp };
    const metadata = { ...merged.metadata, name, uid, creationTimestamp, resourceVersion, generation, ...end };
    const { status: _, ...rest } = merged;
    const after = before["status"] === undefined ? { ...rest, metadata } : { ...rest, metadata, status: before["status"] };
    return isDeepStrictEqual(contents(after), contents(before)) ? after : { ...after, metadata: { ...metadata, generation: generation + 1 } };
  }

  #meet({ metadata }: StoredObject, { uid, resourceVersion }: Partial<Preconditions>): void {
    if ((uid ?? metadata.uid) !== metadata.uid || (resourceVersion ?? metadata.resourceVersion) !== metadata.resourceVersion)
      throw this.#conflict(metadata.name);
  }

  #put(object: StoredObject, before: StoredObject | undefined): StoredObject {
    const version = this.#versions.next();
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: version } };
    this.objects.set(stored.metadata.name, stored);
    this.#record({ version, before, object: stored, isGone: false });
    return stored;
  }

  #remove(object: StoredObject): StoredObject {
    const { name } = object.metadata;
    const before = this.objects.get(name);
    const version = this.#versions.next();
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: version } };
    this.objects.delete(name);
    this.#record({ version, before, object: last, isGone: true });
    return last;
  }

  #record(change: Change): void {
    this.changes.push(change);
    this.#onChange(change);
  }

  since(version: string): readonly Change[] {
    return this.changes.filter((change) => isNewer(change.version, version));
  }

  #conflict(name: string): DmthinError {
    return new DmthinError({ code: "api-conflict", kind: this.#kind, name });
  }

  #refused(request: string, status: number, reason: string): DmthinError {
    return new DmthinError({ code: "api-refused", request, status, reason });
  }
}

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, "Z");
const withStatus = (object: StoredObject, status: unknown): StoredObject => (status === undefined ? object : { ...object, status });
const contents = (object: StoredObject): Json => ({ ...object, metadata: undefined, status: undefined });
