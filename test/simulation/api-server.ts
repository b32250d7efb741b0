import type { ApiServer, ObjectsApi, Selection } from "../../src/cluster/api/objects-api.ts";
import { isNewer } from "../../src/cluster/api/versions.ts";
import type { Kind } from "../../src/cluster/objects/kinds.ts";
import { isObjectName, type ApiObject } from "../../src/cluster/objects/meta.ts";
import { DmthinError } from "../../src/errors.ts";
import { selects } from "./api-selection.ts";
import { ApiStore, copy, Versions, type Change, type StoredObject } from "./api-store.ts";
import { SimulatedWatch } from "./api-watch.ts";

export type Verb = "list" | "watch" | "get" | "create" | "patch" | "patch status" | "delete";

export interface ApiRequest {
  readonly verb: Verb;
  readonly kind: string;
  /** Empty for lists and watches. */
  readonly name: string;
}

interface Fault {
  readonly verb: Verb;
  readonly kind: string;
  /** How many requests are let through first. */
  skip: number;
  readonly error: Error;
  /** The request is carried out, and its answer is lost. */
  readonly isAfter: boolean;
}

/**
 * An API server in memory, with its rules of versions, generations, finalizers, status and preconditions, and with what
 * goes wrong with real ones. What a request changes is told to watches later than the request's answer, unless a fault says otherwise.
 */
export class SimulatedApiServer implements ApiServer {
  /** All that were made, in their order. */
  readonly requests: ApiRequest[] = [];
  readonly #versions = new Versions();
  readonly #stores = new Map<string, ApiStore>();
  readonly #watches = new Set<SimulatedWatch>();
  readonly #faults: Fault[] = [];
  #compacted = "0";
  #isAway = false;
  #held: PromiseWithResolvers<void> | undefined;
  /** Called before each request is carried out: a test may change things, or keep it waiting. */
  beforeRequest: ((request: ApiRequest) => Promise<void> | void) | undefined;

  objects<Item extends ApiObject>(kind: Kind<Item>, namespace = ""): ObjectsApi<Item> {
    const store = this.#store(kind, namespace);
    const read = (object: StoredObject): Item => this.#check(kind, object.metadata.name, object);
    const isReadable = (object: StoredObject): boolean => kind.schema.safeParse(object).success;
    const ask = async <Answer>(verb: Verb, name: string, signal: AbortSignal | undefined, act: () => Answer): Promise<Answer> =>
      this.#ask({ verb, kind: kind.kind, name }, signal, act);
    return {
      list: async (selection = {}, signal) =>
        ask("list", "", signal, () => {
          const selected = [...store.objects.values()].filter((object) => selects(selection, object));
          const unreadable = selected.filter((object) => !isReadable(object)).map(({ metadata: { name } }) => name);
          return { items: selected.filter(isReadable).map(read), resourceVersion: this.#versions.last, unreadable };
        }),
      watch: async (from, selection, onEvent, signal) => {
        const watch = await ask("watch", "", signal, () => this.#watch(kind.kind, store, from, selection));
        return watch.run((event) => {
          if (event.type === "BOOKMARK") return onEvent(event);
          const parsed = kind.schema.safeParse(event.object);
          if (parsed.success) onEvent({ type: event.type, object: parsed.data });
        }, signal);
      },
      get: async (name, signal) =>
        ask("get", name, signal, () => {
          const object = store.objects.get(name);
          return object === undefined ? undefined : read(object);
        }),
      create: async (object, signal) =>
        ask("create", object.metadata.name, signal, () => {
          const { status, ...rest } = object;
          if (!isObjectName(object.metadata.name)) throw refused(kind, object.metadata.name, "metadata.name: it is no name");
          this.#check(kind, object.metadata.name, { ...rest, metadata: { ...EMPTY, ...object.metadata } });
          return read(store.create({ apiVersion: kind.apiVersion, kind: kind.kind, ...rest, ...(kind.apiVersion.startsWith("dmthin.io/") ? {} : { status }) }));
        }),
      patch: async (name, patch, options = {}, signal) =>
        ask(options.subresource === undefined ? "patch" : "patch status", name, signal, () => {
          const object = store.patch(name, patch, options, (changed) => void read(changed));
          return object === undefined ? undefined : read(object);
        }),
      delete: async (name, preconditions = {}, signal) => ask("delete", name, signal, () => store.delete(name, preconditions)),
    };
  }

  /** What is stored, as it is. */
  stored(kind: Kind<ApiObject>, namespace = ""): ReadonlyMap<string, StoredObject> {
    return this.#store(kind, namespace).objects;
  }

  /** Nothing answers, and what watches is cut off, until the answered function is called. */
  goAway(): () => void {
    this.#isAway = true;
    for (const watch of this.#watches) watch.fail(this.#unreachable({ verb: "watch", kind: "", name: "" }));
    return () => {
      this.#isAway = false;
    };
  }

  /** The nth request (1 is the next) of that verb and kind fails, without effect. */
  fail(verb: Verb, kind: string, nth: number, error: Error = this.#unreachable({ verb, kind, name: "" })): void {
    this.#faults.push({ verb, kind, skip: nth - 1, error, isAfter: false });
  }

  /** The nth request is carried out, and nobody hears of it. */
  loseAnswer(verb: Verb, kind: string, nth: number): void {
    this.#faults.push({ verb, kind, skip: nth - 1, error: this.#unreachable({ verb, kind, name: "" }), isAfter: true });
  }

  /** The server ends all watches, as it does after some minutes. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  /** The watches that run now stay open and tell nothing any more, as behind a dead load balancer. */
  stallWatches(): void {
    for (const watch of this.#watches) watch.stall();
    this.#watches.clear();
  }

  /** Watches tell nothing until the answered function is called, then all of it: they are late. */
  holdWatches(): () => void {
    const held = Promise.withResolvers<void>();
    this.#held = held;
    for (const watch of this.#watches) watch.hold(held.promise);
    return () => {
      this.#held = undefined;
      held.resolve();
    };
  }

  /** etcd forgets what was: running watches end with "api-expired", as do those that go on from before now. */
  compact(): void {
    this.#compacted = this.#versions.last;
    for (const watch of this.#watches) watch.fail(new DmthinError({ code: "api-expired", request: "watch" }));
  }

  /** Tells all watches that nothing has changed. */
  sendBookmarks(): void {
    for (const watch of this.#watches) watch.tell({ type: "BOOKMARK", resourceVersion: this.#versions.last });
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  #store(kind: Kind<ApiObject>, namespace: string): ApiStore {
    const key = `${kind.apiVersion}/${namespace}/${kind.plural}`;
    const found = this.#stores.get(key);
    if (found !== undefined) return found;
    const store = new ApiStore(kind.kind, this.#versions, (change) => this.#publish(key, change));
    this.#stores.set(key, store);
    return store;
  }

  #publish(key: string, change: Change): void {
    for (const watch of this.#watches) if (this.#stores.get(key) === watch.store) watch.tellChange(change);
  }

  #watch(kind: string, store: ApiStore, from: string, selection: Selection): SimulatedWatch {
    if (from !== "0" && isNewer(this.#compacted, from)) throw new DmthinError({ code: "api-expired", request: `watch ${kind}` });
    const watch = new SimulatedWatch(store, selection, (ended) => this.#watches.delete(ended));
    if (this.#held !== undefined) watch.hold(this.#held.promise);
    if (from === "0") for (const object of store.objects.values()) watch.tellChange({ version: "0", before: undefined, object, isGone: false });
    else for (const change of store.since(from)) watch.tellChange(change);
    this.#watches.add(watch);
    return watch;
  }

  async #ask<Answer>(request: ApiRequest, signal: AbortSignal | undefined, act: () => Answer): Promise<Answer> {
    signal?.throwIfAborted();
    this.requests.push(request);
    await this.beforeRequest?.(request);
    await Promise.resolve();
    signal?.throwIfAborted();
    const fault = this.#faults.find(({ verb, kind }) => verb === request.verb && kind === request.kind);
    const isHit = fault !== undefined && fault.skip-- === 0;
    if (isHit) this.#faults.splice(this.#faults.indexOf(fault), 1);
    if (isHit && !fault.isAfter) throw fault.error;
    if (this.#isAway) throw this.#unreachable(request);
    const answer = act();
    await Promise.resolve();
    signal?.throwIfAborted();
    if (isHit) throw fault.error;
    return answer;
  }

  /** As the CRD's schema would. */
  #check<Item extends ApiObject>(kind: Kind<Item>, name: string, object: Readonly<Record<string, unknown>>): Item {
    const parsed = kind.schema.safeParse(copy(object));
    if (parsed.success) return parsed.data;
    const reason = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    throw refused(kind, name, reason);
  }

  #unreachable({ verb, kind, name }: ApiRequest): DmthinError {
    return new DmthinError({ code: "api-unreachable", request: [verb, kind, name].join(" ").trim(), reason: "ECONNREFUSED" });
  }
}

const refused = (kind: Kind<ApiObject>, name: string, reason: string): DmthinError =>
  new DmthinError({ code: "api-refused", request: `create ${kind.kind} ${name}`, status: 422, reason });

const EMPTY = { uid: "", resourceVersion: "", creationTimestamp: "" };
