import type { Kind } from "../objects/kinds.ts";
import type { ApiObject } from "../objects/meta.ts";

export interface Selection {
  /** Such as `spec.nodeName=one`. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly resourceVersion: string;
  /** The names of those that are there, and that this version of the driver cannot read. */
  readonly unreadable?: readonly string[];
}

export type WatchEvent<Item> =
  | { readonly type: "ADDED" | "MODIFIED"; readonly object: Item }
  /** Of what is gone its metadata is enough. Its version is that of its end. */
  | { readonly type: "DELETED"; readonly object: ApiObject }
  /** Nothing has changed up to this version. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** The state that a change is meant for: "api-conflict" when the object is another or has changed since. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface PatchOptions {
  /** What only the node says; without it, all but that. */
  readonly subresource?: "status";
  /** Of a status, name both, or the uid costs a request more. */
  readonly preconditions?: Partial<Preconditions>;
}

/** What merges into an object, after RFC 7386: null removes a key, a list takes the place of a list. */
export type MergePatch = Readonly<Record<string, unknown>>;

/**
 * One kind's objects on the API server. Every request has a time limit of its own and ends with `signal`. Errors are
 * DmthinErrors: "api-unreachable" (no answer, 429, 5xx: repeat), "api-conflict" (409: read again, decide again),
 * "api-refused" (other 4xx: a person has to look), "api-expired" (410, of a watch: list again).
 */
export interface ObjectsApi<Item extends ApiObject> {
  list(selection?: Selection, signal?: AbortSignal): Promise<Listing<Item>>;
  /** Resolves when the server ends the watch, which it does after some minutes. `from`: what a list or an event told. */
  watch(from: string, selection: Selection, onEvent: (event: WatchEvent<Item>) => void, signal: AbortSignal): Promise<void>;
  /** Live, from etcd; undefined when there is none. */
  get(name: string, signal?: AbortSignal): Promise<Item | undefined>;
  /** "api-conflict" when the name is taken. */
  create(
    object: { readonly metadata: { readonly name: string } & Readonly<Record<string, unknown>> } & Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<Item>;
  /** With preconditions, only the object as it was seen is changed. Answers undefined when there is none. */
  patch(name: string, patch: MergePatch, options?: PatchOptions, signal?: AbortSignal): Promise<Item | undefined>;
  /** One with finalizers is only marked. Gone already is success. */
  delete(name: string, preconditions?: Partial<Preconditions>, signal?: AbortSignal): Promise<void>;
}

/** The API server, kind by kind. */
export interface ApiServer {
  /** `namespace`: for kinds that are in one. */
  objects<Item extends ApiObject>(kind: Kind<Item>, namespace?: string): ObjectsApi<Item>;
}
