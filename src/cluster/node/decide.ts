import { DmthinError } from "../../errors.ts";
import { isAccepted, isTerminating } from "../objects/meta.ts";
import { isPassing } from "./passing.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import type { PoolSeen } from "./pool-seen.ts";

/** What the pool's catalogue has under the object's id; `deleting`: durably on its way out. */
export type Held = "ready" | "deleting" | "nothing";

export interface Seen {
  readonly node: string;
  readonly pool: PoolSeen;
  /** Of an open catalogue; "nothing" of a closed one proves nothing. */
  readonly held: Held;
  /** What is wrong with the object itself: none but the controller should have made it, and that is not taken for granted. */
  readonly problems: readonly string[];
  /** That what is here under its name is something else, as an error. */
  readonly taken: DmthinError | undefined;
}

/** The next thing to do for an object. Those that change the kernel are done for what the API server says now, never for what a cache says. */
export type Decision =
  | { readonly kind: "leave" }
  /** Put our finalizer on it: from then on it may exist here. */
  | { readonly kind: "accept" }
  /** Make it, or find it made. */
  | { readonly kind: "make" }
  /** Carry out what its spec asks of what is there. */
  | { readonly kind: "change" }
  /** Delete it here. */
  | { readonly kind: "remove" }
  /** Take our finalizer off: nothing of it is here. */
  | { readonly kind: "release" }
  /** Its status says what is there. */
  | { readonly kind: "report" }
  /** Its status says that its volume is gone, or that its pool is another. */
  | { readonly kind: "lost"; readonly reason: "absent" | "other-pool" }
  /** A final answer. */
  | { readonly kind: "fail"; readonly error: DmthinError }
  /** It passes: looked at again later. */
  | { readonly kind: "wait"; readonly error: DmthinError };

const LEAVE: Decision = { kind: "leave" };

/** Source: facts/kubernetes-rules.md, "How a call through objects stays safe". */
export function decide(object: PlacedObject, seen: Seen): Decision {
  if (object.spec.nodeName !== seen.node) return LEAVE;
  if (isTerminating(object)) return isAccepted(object) ? decideRemoval(object, seen) : LEAVE;
  if (!isAccepted(object)) return decideAcceptance(object, seen);
  return object.status.phase === "Ready" ? decideChange(object, seen) : decideMaking(object, seen);
}

/** Whether the status answers the spec as it is. */
const isAnswered = ({ metadata, status }: PlacedObject): boolean => status.observedGeneration === metadata.generation;

/**
 * Nothing was asked of the kernel yet, so whatever is wrong can be said without a trace. What is here already was not made
 * for it, such as a volume whose object was lost: accepted, it would be deleted with an object that only names it.
 */
function decideAcceptance(object: PlacedObject, { pool, problems, taken }: Seen): Decision {
  if (object.status.phase === "Failed" && isAnswered(object)) return LEAVE;
  if (problems.length > 0) return invalid(problems);
  if (pool.kind === "closed") return closed(pool.error);
  return taken === undefined || object.status.phase === "Ready" ? { kind: "accept" } : { kind: "fail", error: taken };
}

function decideMaking(object: PlacedObject, { pool, held, problems }: Seen): Decision {
  if (object.status.phase === "Failed" && isAnswered(object)) {
    // What a failed creation may have left is deleted with the object; only a catalogue that is open proves that it left nothing.
    const isAbsent = pool.kind === "open" && isSamePool(object, pool.uuid) && pool.isSettled && held !== "ready";
    return isAbsent || isTaken(object) ? { kind: "release" } : LEAVE;
  }
  if (problems.length > 0) return invalid(problems);
  if (pool.kind === "closed") return closed(pool.error);
  return isSamePool(object, pool.uuid) ? { kind: "make" } : { kind: "fail", error: otherPool(object, pool.uuid) };
}

/** What was made once is never made again: an empty volume in place of a lost one would be taken for it. */
function decideChange(object: PlacedObject, { pool, held, problems }: Seen): Decision {
  if (pool.kind === "closed") return { kind: "report" };
  if (!isSamePool(object, pool.uuid)) return { kind: "lost", reason: "other-pool" };
  if (held !== "ready") return { kind: "lost", reason: "absent" };
  if (isAnswered(object)) return { kind: "report" };
  return problems.length > 0 ? invalid(problems) : { kind: "change" };
}

function decideRemoval(object: PlacedObject, { pool, held, problems }: Seen): Decision {
  // Nothing was ever made for it; what has its name here is somebody else's.
  if ((problems.length > 0 && object.status.phase !== "Ready") || isTaken(object)) return { kind: "release" };
  if (pool.kind === "closed") return closed(pool.error);
  if (!isSamePool(object, pool.uuid)) return { kind: "fail", error: otherPool(object, pool.uuid) };
  if (held === "ready") return { kind: "remove" };
  if (pool.isSettled) return { kind: "release" };
  const { name } = pool.pool.description;
  return { kind: "wait", error: new DmthinError({ code: "pool-not-ready", pool: name, reason: "an earlier call hangs in the kernel" }) };
}

/** Its creation was refused for what has its name here: that is somebody else's. */
const isTaken = ({ status }: PlacedObject): boolean => status.phase === "Failed" && status.failure?.code === "already-exists";

/**
 * A pool of the same name that was made anew knows nothing of what the one before holds. An object without the uuid was
 * accepted by a process that died before it could tell: then it is the pool that was here.
 */
const isSamePool = ({ status }: PlacedObject, uuid: string): boolean => status.poolUUID === undefined || status.poolUUID === uuid;

const closed = (error: DmthinError): Decision => (isPassing(error) ? { kind: "wait", error } : { kind: "fail", error });
const invalid = (problems: readonly string[]): Decision => ({ kind: "fail", error: new DmthinError({ code: "invalid-argument", problems }) });

function otherPool({ spec, status, metadata }: PlacedObject, uuid: string): DmthinError {
  const reason = `the pool of that name here is another (${uuid}), and ${metadata.name} is in pool ${status.poolUUID ?? ""}`;
  const remedy = "bring that pool's disks back; only if they are gone for good, force the object's deletion";
  return new DmthinError({ code: "pool-refused", pool: spec.poolName, reason, remedy });
}
