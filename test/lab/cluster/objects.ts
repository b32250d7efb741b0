/** Objects of the Kubernetes API, as far as tests look at all of them alike; cases name the fields of theirs. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Metadata;
  readonly spec?: Fields;
  readonly status?: Fields;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
}

export interface Fields {
  readonly [field: string]: unknown;
  readonly conditions?: readonly ApiCondition[];
  readonly phase?: string;
  readonly nodeName?: string;
}

export interface ApiCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ApiList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ApiObject[];
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

/** A condition of an object, when it is true. */
export const isTrue = (object: ApiObject, type: string): boolean =>
  object.status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
