import { types } from "node:util";
import { formatBytes, type Bytes } from "./units.ts";

/**
 * Every failure the driver knows, told apart by `code`. An error carries facts, a sentence for its reader that says
 * what to do, and its cause. What a code means to gRPC stands in csi/codes.ts, for each call.
 */
export type ErrorFacts =
  /** A request or an option is wrong; every problem at once. */
  | { readonly code: "invalid-argument"; readonly problems: readonly string[] }
  | {
      readonly code: "not-found";
      readonly kind: ObjectKind;
      readonly id: string;
      /** Those of the kind that there are, where they are few. */
      readonly known?: readonly string[];
    }
  /** The name is taken by something that differs from what was asked. */
  | { readonly code: "already-exists"; readonly kind: ObjectKind; readonly id: string; readonly difference: string }
  /** A size that cannot be had, with the range that can. */
  | { readonly code: "out-of-range"; readonly what: string; readonly reason: string }
  /** Another operation on the same object is under way: try again. */
  | { readonly code: "in-progress"; readonly kind: ObjectKind; readonly id: string; readonly operation: string }
  /** A page token that this list did not give out, or no longer knows. */
  | { readonly code: "bad-page-token"; readonly token: string }
  /** Deleted, and only waiting for what holds it open or for its pool: the name is free later. */
  | { readonly code: "being-deleted"; readonly kind: ObjectKind; readonly id: string }
  | { readonly code: "volume-staged"; readonly id: string; readonly path: string }
  | { readonly code: "not-staged"; readonly id: string; readonly path: string }
  /** What asks is not compatible with how the volume is staged or published already. */
  | { readonly code: "use-conflict"; readonly id: string; readonly path: string; readonly difference: string }
  /** A single writer has it elsewhere on this node already. */
  | { readonly code: "published-elsewhere"; readonly id: string; readonly path: string }
  /** The volume holds something other than what it should: never formatted, never mounted. */
  | { readonly code: "foreign-content"; readonly id: string; readonly expected: string; readonly found: string }
  /** A path that should be ours to mount on, and is not. */
  | { readonly code: "path-unusable"; readonly path: string; readonly reason: string }
  | {
      readonly code: "pool-low";
      readonly pool: string;
      readonly resource: "data" | "metadata" | "host";
      readonly freeBytes: Bytes;
      readonly minimumBytes: Bytes;
      /** Of metadata: what volumes could take of it by writing anew all that they share. */
      readonly forCopies?: boolean;
    }
  | { readonly code: "pool-too-small"; readonly pool: string; readonly wantedBytes: Bytes; readonly availableBytes: Bytes }
  /** The pool works, and takes no changes now: its kernel state. */
  | { readonly code: "pool-not-writable"; readonly pool: string; readonly state: string }
  /** The pool is being started or recovered, or its lock is another process's: try again. */
  | { readonly code: "pool-not-ready"; readonly pool: string; readonly reason: string }
  /** The node has not been told yet which pools it has, so that nothing is certainly absent: try again. */
  | { readonly code: "pools-unknown"; readonly node: string; readonly reason: string }
  /** The pool was looked at and not taken: a person has to decide. */
  | { readonly code: "pool-refused"; readonly pool: string; readonly reason: string; readonly remedy: string }
  /** What was asked of a pool cannot be done, and nothing of it was changed: it goes on as before. */
  | { readonly code: "pool-unchanged"; readonly pool: string; readonly reason: string; readonly remedy: string }
  /** A call into the pool has not come back by its caller's deadline; it goes on and is not undone. */
  | { readonly code: "pool-stuck"; readonly pool: string; readonly operation: string; readonly forSeconds: number }
  | { readonly code: "sources-apart"; readonly reason: string }
  /** The volume may be on the nodes that were asked for, and this is none of them. */
  | { readonly code: "not-in-topology"; readonly node: string; readonly asked: readonly string[] }
  | { readonly code: "catalog-refused"; readonly path: string; readonly reason: string; readonly remedy: string }
  /** The kernel said no; `errno` is its name, such as EBUSY. */
  | { readonly code: "kernel-failed"; readonly operation: string; readonly subject: string; readonly errno: string }
  | {
      readonly code: "program-failed";
      readonly argv: readonly string[];
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
      readonly stderr: string;
      readonly timedOut: boolean;
      readonly aborted: boolean;
    }
  /** mkfs failed with options that the volume's owner has chosen. */
  | { readonly code: "mkfs-refused"; readonly id: string; readonly filesystem: string; readonly mkfsOptions: readonly string[]; readonly reason: string }
  | { readonly code: "program-missing"; readonly program: string; readonly package: string }
  | { readonly code: "deadline"; readonly operation: string }
  /** The caller does not wait for an answer any more. */
  | { readonly code: "cancelled"; readonly operation: string }
  | { readonly code: "shutting-down" }
  | { readonly code: "root-needed"; readonly operation: string }
  /** The API server gave no answer, or one that asks to come again (429, 5xx). `request`: such as "create ThinVolume vol-a". */
  | { readonly code: "api-unreachable"; readonly request: string; readonly reason: string }
  /** The object is another or has changed since it was read, or its name is taken: read it again, decide again. */
  | { readonly code: "api-conflict"; readonly kind: string; readonly name: string }
  /** The API server understood and said no, by this HTTP status. */
  | { readonly code: "api-refused"; readonly request: string; readonly status: number; readonly reason: string }
  /** The version that a watch goes on from is one that the API server no longer has: list again. */
  | { readonly code: "api-expired"; readonly request: string }
  /** The cluster's ThinPools, as they are now, have none for a volume; others may be made or marked at any moment. `problem`: a sentence. */
  | { readonly code: "pool-missing"; readonly problem: string }
  /** The claim that a volume is for is gone, or is another one of the same name: nothing was made. */
  | { readonly code: "claim-gone"; readonly namespace: string; readonly name: string }
  /** The node that would have to do it does not answer, and has not begun. */
  | { readonly code: "node-unavailable"; readonly node: string; readonly reason: string }
  /** No node that was asked for can take a new volume in the pool; why not, node by node. */
  | { readonly code: "no-node"; readonly pool: string; readonly reasons: readonly string[] }
  | {
      readonly code: "config-invalid";
      readonly source: string;
      readonly problems: readonly ConfigProblem[];
      /** There is no such file, and how it was named: nothing else is wrong then. */
      readonly missing?: FileNamed;
    };

/** How a command was told its file: --config has a default that nobody may have meant. */
export type FileNamed = "by --config" | "as argument";

export type ObjectKind = "volume" | "snapshot" | "group snapshot" | "orphan" | "pool" | "node" | "path";
export interface ConfigProblem {
  /** Where in the document: "pools[0].backing.loop.dataSize". */
  readonly path: string;
  readonly message: string;
}
export type ErrorCode = ErrorFacts["code"];
export type FactsOf<Code extends ErrorCode> = Extract<ErrorFacts, { readonly code: Code }>;

/** In a cluster a pool is as its ThinPool describes it: the command changes nothing of that. */
const extend = (option = ""): string => `("dmthin pool extend${option}"; in a cluster its ThinPool)`;

/** By the state of a pool that takes no changes. */
const REMEDIES: Readonly<Record<string, string>> = {
  out_of_data_space: `delete volumes or snapshots, or make it larger ${extend()}`,
  ro: `its metadata is full or cannot be written: make the metadata larger ${extend(" --metadata")}, and look at the kernel's log`,
  needs_check: 'an operation on its metadata has failed: stop what uses it, then "dmthin pool check" and "dmthin pool repair"',
  Fail: 'the kernel can neither read nor write its metadata: look at the disks below it and at the kernel\'s log, then "dmthin pool check" and "dmthin pool repair"',
};

/** By the HTTP status with which the API server refuses. */
const REFUSALS: Readonly<Record<number, string>> = {
  401: "its token is not accepted: look at the pod's service account",
  403: "the service account lacks that right: install the chart's roles of this version",
  404: "the cluster lacks that kind of object: install the chart's CRDs",
  422: "the object is not what the CRDs of the cluster allow: install those of this version",
};

type Sentences = { readonly [Code in ErrorCode]: (facts: FactsOf<Code>) => string };

const sentences: Sentences = {
  "invalid-argument": ({ problems }) => problems.join("; "),
  "not-found": ({ kind, id, known = [] }) => `there is no ${kind} ${id}${known.length === 0 ? "" : ` (there is ${known.join(", ")})`}`,
  "already-exists": ({ kind, id, difference }) => `${kind} ${id} exists already, and differs: ${difference}`,
  "out-of-range": ({ what, reason }) => `${what} cannot be had: ${reason}`,
  "in-progress": ({ kind, id, operation }) => `${operation} of ${kind} ${id} is under way: try again when it has ended`,
  "bad-page-token": ({ token }) => `page token ${JSON.stringify(token)} is not one of this list's: start again without one`,
  "being-deleted": ({ kind, id }) => `${kind} ${id} is being deleted: try again when it is gone`,
  "volume-staged": ({ id, path }) => `volume ${id} is in use on this node at ${path}: unstage it first`,
  "not-staged": ({ id, path }) => `volume ${id} is not staged at ${path}: stage it first`,
  "use-conflict": ({ id, path, difference }) => `volume ${id} is in use at ${path} already, and differently: ${difference}`,
  "published-elsewhere": ({ id, path }) => `volume ${id} has a single writer, and is published at ${path} already`,
  "foreign-content": ({ id, expected, found }) =>
    `volume ${id} should hold ${expected} and holds ${found}: it is neither formatted nor mounted; look at it before anything else is done`,
  "path-unusable": ({ path, reason }) => `${path} cannot be used: ${reason}`,
  "pool-low": ({ pool, resource, freeBytes, minimumBytes, forCopies }) =>
    forCopies === true
      ? `pool ${pool} has ${formatBytes(freeBytes)} of metadata left, with what it can still be given, and its volumes could take ${formatBytes(minimumBytes)} by writing anew what a copy shares with them: delete snapshots or clones, or make the metadata larger ${extend(" --metadata")}`
      : resource === "host"
        ? `the filesystem below pool ${pool} has ${formatBytes(freeBytes)} free, less than its reserve of ${formatBytes(minimumBytes)}: make room there, or lower hostReserve`
        : `pool ${pool} has ${formatBytes(freeBytes)} of ${resource} space free, less than its minimum of ${formatBytes(minimumBytes)}: delete volumes or snapshots, or make the pool larger ${extend()}`,
  "pool-too-small": ({ pool, wantedBytes, availableBytes }) =>
    `pool ${pool} can take ${formatBytes(availableBytes)} more, and ${formatBytes(wantedBytes)} were asked for: delete volumes, make the pool larger, or raise its overcommit ratio`,
  "pool-not-writable": ({ pool, state }) => `pool ${pool} is in state ${state} and takes no changes: ${REMEDIES[state] ?? 'see "dmthin info"'}`,
  "pool-not-ready": ({ pool, reason }) => `pool ${pool} is not ready yet (${reason}): try again`,
  "pools-unknown": ({ node, reason }) => `node ${node} does not know all its pools yet (${reason}): try again`,
  "pool-refused": ({ pool, reason, remedy }) => `pool ${pool} is not used: ${reason}; ${remedy}`,
  "pool-unchanged": ({ pool, reason, remedy }) => `pool ${pool} stays as it is: ${reason}; ${remedy}`,
  "pool-stuck": ({ pool, operation, forSeconds }) =>
    `${operation} in pool ${pool} has waited ${forSeconds} s for the kernel and goes on waiting: try again; if it stays so, look at the disks below the pool`,
  "not-in-topology": ({ node, asked }) => `volumes made here are on node ${node}, and only ${asked.join(", ")} would do`,
  "sources-apart": ({ reason }) => `these volumes cannot be snapshotted together: ${reason}`,
  "catalog-refused": ({ path, reason, remedy }) => `catalogue ${path} is not used: ${reason}; ${remedy}`,
  "kernel-failed": ({ operation, subject, errno }) =>
    `the kernel refused ${operation} of ${subject}: ${errno}${errno === "EACCES" || errno === "EPERM" ? ", which takes root" : ""}`,
  "program-failed": ({ argv, exitCode, signal, stderr, timedOut, aborted }) => {
    const how = timedOut
      ? "ran out of time"
      : aborted
        ? "was ended with its call"
        : signal === undefined
          ? `exited with ${exitCode ?? "no code"}`
          : `was ended by ${signal}`;
    return `${argv.join(" ")} ${how}${stderr.trim() === "" ? "" : `: ${stderr.trim().slice(-1000)}`}`;
  },
  "mkfs-refused": ({ id, filesystem, mkfsOptions, reason }) =>
    `volume ${id} cannot be formatted: mkfs.${filesystem} failed with its mkfsOptions "${mkfsOptions.join(" ")}" (${reason.slice(-500)}): delete it, and make it anew with others`,
  "program-missing": ({ program, package: name }) => `the program ${program} is not installed: install the package ${name}`,
  deadline: ({ operation }) => `${operation} ran out of time: try again`,
  cancelled: ({ operation }) => `${operation} was given up by its caller`,
  "root-needed": ({ operation }) => `${operation} needs root: run it as root, or with sudo`,
  "api-unreachable": ({ request, reason }) => `the API server did not answer "${request}" (${reason}): try again`,
  "api-conflict": ({ kind, name }) => `${kind} ${name} was changed by somebody else meanwhile: try again`,
  "api-refused": ({ request, status, reason }) =>
    `the API server refused "${request}" (${status}: ${reason})${REFUSALS[status] === undefined ? "" : `: ${REFUSALS[status]}`}`,
  "api-expired": ({ request }) => `the API server no longer has what "${request}" goes on from: try again`,
  "pool-missing": ({ problem }) => problem,
  "claim-gone": ({ namespace, name }) => `the claim ${namespace}/${name} that the volume is for is gone, or is another one of that name: nothing was made`,
  "node-unavailable": ({ node, reason }) => `node ${node} cannot do it now: ${reason}`,
  "no-node": ({ pool, reasons }) => `pool ${pool} takes no new volume where it is asked for: ${reasons.join("; ")}`,
  "shutting-down": () => "the driver is shutting down: try again when it is back",
  "config-invalid": ({ source, problems, missing }) => {
    if (missing !== undefined) return `there is no ${source}${missing === "by --config" ? ": name the configuration with --config" : ""}`;
    return [`${source} is not valid:`, ...problems.map(({ path, message }) => `  ${path === "" ? "(document)" : path}: ${message}`)].join("\n");
  },
};

const sentenceOf = <Code extends ErrorCode>(facts: FactsOf<Code>): string => (sentences[facts.code] as (facts: FactsOf<Code>) => string)(facts);

export class DmthinError extends Error {
  override readonly name = "DmthinError";
  readonly facts: ErrorFacts;

  constructor(facts: ErrorFacts, options?: { readonly cause?: unknown }) {
    super(sentenceOf(facts), options);
    this.facts = facts;
  }
}

/** Narrows: `if (isError(error, "kernel-failed")) error.facts.errno`. */
export const isError = <Code extends ErrorCode>(error: unknown, code: Code): error is DmthinError & { readonly facts: FactsOf<Code> } =>
  error instanceof DmthinError && error.facts.code === code;

/** Whether the kernel refused with this errno, such as "EBUSY". */
export const isErrno = (error: unknown, errno: string): boolean => isError(error, "kernel-failed") && error.facts.errno === errno;

/** In words, with what it came from: "cannot stage (because EIO: …)"; what the sentence has in it already is not said twice. For logs. */
export function withCauses(error: Error): string {
  if (!types.isNativeError(error.cause)) return error.message;
  const because = withCauses(error.cause);
  return error.message.includes(because) ? error.message : `${error.message} (because ${because})`;
}

/** An error as plain data, to cross a thread; `fromPlain` makes it an error again, its causes with it. */
export interface PlainError {
  readonly facts: ErrorFacts | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: PlainError | undefined;
}

export function toPlain(error: unknown): PlainError {
  if (!types.isNativeError(error)) return { facts: undefined, message: String(error), stack: undefined, cause: undefined };
  return {
    facts: error instanceof DmthinError ? error.facts : undefined,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : toPlain(error.cause),
  };
}

export function fromPlain(plain: PlainError): Error {
  const options = plain.cause === undefined ? {} : { cause: fromPlain(plain.cause) };
  const error = plain.facts === undefined ? new Error(plain.message, options) : new DmthinError(plain.facts, options);
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
