import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NAMESPACE } from "../../e2e/installation.ts";

/** Who a request is from: the sidecars share the controller's account, and have other names. */
export type Role = "controller" | "node";

/** One request of the driver's, as the API server saw it. */
export interface ApiRequest {
  readonly role: Role;
  /** Such as `patch thinvolumes/status`. */
  readonly what: string;
  readonly isWrite: boolean;
  readonly name: string;
  /** Milliseconds since 1970, to a microsecond. */
  readonly begun: number;
  readonly ended: number;
}

const account = (role: Role): string => `system:serviceaccount:${NAMESPACE}:dmthin-${role}`;

/** Requests of the driver's accounts, each told once: a watch when it begins, everything else when it has ended. */
export const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata", users: [account("controller"), account("node")] }, { level: "None" }],
};

/** Source: audit.k8s.io/v1, Event. */
interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

const WRITES = new Set(["create", "update", "patch", "delete"]);

/** All that the driver has asked for since the cluster began, in the order of its beginnings. */
export async function driverRequests(clusterFolder: string): Promise<readonly ApiRequest[]> {
  const text = await readFile(join(clusterFolder, "control-plane/audit.log"), "utf8");
  const events = text
    .split("\n")
    .slice(0, -1) // nothing, or a line that is being written
    .map((line) => JSON.parse(line) as AuditEvent);
  return events.flatMap((event) => requestOf(event) ?? []).toSorted((left, right) => left.begun - right.begun);
}

function requestOf({ stage, verb, user, userAgent = "", objectRef = {}, requestReceivedTimestamp, stageTimestamp }: AuditEvent): ApiRequest | undefined {
  const role = (["controller", "node"] as const).find((each) => user.username === account(each));
  if (role === undefined || !userAgent.startsWith(`dmthin-${role}/`)) return undefined;
  if (stage !== (verb === "watch" ? "ResponseStarted" : "ResponseComplete")) return undefined;
  const { resource = "", subresource, name = "" } = objectRef;
  const what = `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
  return { role, what, isWrite: WRITES.has(verb), name, begun: milliseconds(requestReceivedTimestamp), ended: milliseconds(stageTimestamp) };
}

/** Date knows no microseconds. */
export function milliseconds(time: string): number {
  const [, whole = "", microseconds = "0"] = /^(.*\.\d{3})(\d{3})Z$/.exec(time) ?? [];
  return whole === "" ? Date.parse(time) : Date.parse(`${whole}Z`) + Number(microseconds) / 1000;
}

/** How many there are of each, the most frequent first, as words. */
export function counted(requests: readonly ApiRequest[], per = 1): string {
  const counts = new Map<string, number>();
  for (const { role, what } of requests) counts.set(`${role} ${what}`, (counts.get(`${role} ${what}`) ?? 0) + 1);
  const sorted = Array.from(counts).toSorted(([, left], [, right]) => right - left);
  return sorted.map(([what, count]) => `${Number((count / per).toFixed(2))} ${what}`).join(", ") || "none";
}
