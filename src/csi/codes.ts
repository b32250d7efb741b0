import { status } from "@grpc/grpc-js";
import { DmthinError, type ErrorCode, type FactsOf } from "../errors.ts";

type Rule<Code extends ErrorCode> = status | ((facts: FactsOf<Code>) => status);
type Rules = { readonly [Code in ErrorCode]: Rule<Code> };

/**
 * What each error is to gRPC. Callers act on it: the provisioner repeats after CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE
 * and ABORTED, looks for another node after RESOURCE_EXHAUSTED, and takes all else as final; the snapshotter never lets go
 * of a snapshot after RESOURCE_EXHAUSTED. So what may still be going on is never INTERNAL, and a full pool is
 * RESOURCE_EXHAUSTED to CreateVolume only. Source: csi spec, error tables; external-provisioner and external-snapshotter.
 */
const usual: Rules = {
  "invalid-argument": status.INVALID_ARGUMENT,
  "not-found": status.NOT_FOUND,
  "already-exists": status.ALREADY_EXISTS,
  "out-of-range": status.OUT_OF_RANGE,
  "in-progress": status.ABORTED,
  "bad-page-token": status.ABORTED,
  "being-deleted": status.ABORTED,
  "volume-staged": status.FAILED_PRECONDITION,
  "not-staged": status.FAILED_PRECONDITION,
  "use-conflict": status.ALREADY_EXISTS,
  "published-elsewhere": status.FAILED_PRECONDITION,
  "foreign-content": status.FAILED_PRECONDITION,
  "path-unusable": status.FAILED_PRECONDITION,
  "pool-low": status.FAILED_PRECONDITION,
  "pool-too-small": status.FAILED_PRECONDITION,
  "pool-not-writable": status.FAILED_PRECONDITION,
  "pool-not-ready": status.UNAVAILABLE,
  "pools-unknown": status.UNAVAILABLE,
  "pool-refused": status.FAILED_PRECONDITION,
  "pool-unchanged": status.FAILED_PRECONDITION,
  "pool-stuck": status.DEADLINE_EXCEEDED,
  "not-in-topology": status.FAILED_PRECONDITION,
  "sources-apart": status.FAILED_PRECONDITION,
  "catalog-refused": status.FAILED_PRECONDITION,
  "kernel-failed": status.INTERNAL,
  "program-failed": ({ timedOut, aborted }) => (timedOut ? status.DEADLINE_EXCEEDED : aborted ? status.ABORTED : status.INTERNAL),
  "mkfs-refused": status.FAILED_PRECONDITION,
  "program-missing": status.FAILED_PRECONDITION,
  deadline: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  "shutting-down": status.UNAVAILABLE,
  "root-needed": status.PERMISSION_DENIED,
  "api-unreachable": status.UNAVAILABLE,
  "api-conflict": status.ABORTED,
  "api-refused": status.INTERNAL,
  "api-expired": status.UNAVAILABLE,
  // Not INVALID_ARGUMENT, after which the provisioner waits for five minutes at least: the ThinPool is often made just after its claim.
  "pool-missing": status.FAILED_PRECONDITION,
  "claim-gone": status.FAILED_PRECONDITION,
  "node-unavailable": status.FAILED_PRECONDITION,
  "no-node": status.FAILED_PRECONDITION,
  "config-invalid": status.INTERNAL,
};

/** Where a call says it otherwise. */
const otherwise: Readonly<Record<string, Partial<Rules>>> = {
  CreateVolume: {
    // NOT_FOUND is for the source; a pool that does not exist is a wrong parameter.
    "not-found": ({ kind }) => (kind === "pool" ? status.INVALID_ARGUMENT : status.NOT_FOUND),
    "pool-low": status.RESOURCE_EXHAUSTED,
    "pool-too-small": status.RESOURCE_EXHAUSTED,
    "pool-not-writable": status.RESOURCE_EXHAUSTED,
    "pool-refused": status.RESOURCE_EXHAUSTED,
    "catalog-refused": status.RESOURCE_EXHAUSTED,
    "not-in-topology": status.RESOURCE_EXHAUSTED,
    "node-unavailable": status.RESOURCE_EXHAUSTED,
    "no-node": status.RESOURCE_EXHAUSTED,
  },
  GetCapacity: { "not-found": status.INVALID_ARGUMENT, "pool-missing": status.INVALID_ARGUMENT },
  // FAILED_PRECONDITION would tell the kubelet "in use: expand it offline".
  NodeExpandVolume: {
    "not-staged": status.NOT_FOUND,
    "volume-staged": status.INTERNAL,
    "published-elsewhere": status.INTERNAL,
    "foreign-content": status.INTERNAL,
    "path-unusable": status.INTERNAL,
    "pool-low": status.INTERNAL,
    "pool-too-small": status.INTERNAL,
    "pool-not-writable": status.INTERNAL,
    "pool-refused": status.INTERNAL,
    "catalog-refused": status.INTERNAL,
    "program-missing": status.INTERNAL,
  },
};

/** `method`: a CSI call's name. What is no DmthinError is a fault of ours: INTERNAL. */
export function statusOf(method: string, error: unknown): status {
  return error instanceof DmthinError ? apply(error.facts, method) : status.INTERNAL;
}

function apply<Code extends ErrorCode>(facts: FactsOf<Code>, method: string): status {
  const rule: Rule<Code> = otherwise[method]?.[facts.code] ?? usual[facts.code];
  return typeof rule === "function" ? rule(facts) : rule;
}
