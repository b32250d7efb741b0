import { describe, expect, test } from "@jest/globals";
import { DmthinError, fromPlain, isErrno, isError, toPlain, withCauses, type ErrorCode, type FactsOf } from "../../src/errors.ts";
import { GiB } from "../../src/units.ts";
import { namesIn } from "./operations-page.ts";

/** One of each: the compiler refuses this list when a code is missing. */
const samples: { readonly [Code in ErrorCode]: FactsOf<Code> } = {
  "invalid-argument": { code: "invalid-argument", problems: ["size is negative", "name is empty"] },
  "not-found": { code: "not-found", kind: "volume", id: "vol-a" },
  "already-exists": { code: "already-exists", kind: "volume", id: "vol-a", difference: "its size is 1 GiB" },
  "out-of-range": { code: "out-of-range", what: "8 EiB", reason: "a pool ends at 256 TiB" },
  "in-progress": { code: "in-progress", kind: "volume", id: "vol-a", operation: "expansion" },
  "bad-page-token": { code: "bad-page-token", token: "x\ny" },
  "being-deleted": { code: "being-deleted", kind: "snapshot", id: "snap-a" },
  "volume-staged": { code: "volume-staged", id: "vol-a", path: "/stage" },
  "not-staged": { code: "not-staged", id: "vol-a", path: "/stage" },
  "use-conflict": { code: "use-conflict", id: "vol-a", path: "/stage", difference: "it is read-only there" },
  "published-elsewhere": { code: "published-elsewhere", id: "vol-a", path: "/pod" },
  "foreign-content": { code: "foreign-content", id: "vol-a", expected: "ext4", found: "swap" },
  "path-unusable": { code: "path-unusable", path: "/pod", reason: "it is a file" },
  "pool-low": { code: "pool-low", pool: "fast", resource: "metadata", freeBytes: GiB, minimumBytes: GiB },
  "pool-too-small": { code: "pool-too-small", pool: "fast", wantedBytes: GiB, availableBytes: GiB },
  "pool-not-writable": { code: "pool-not-writable", pool: "fast", state: "ro" },
  "pool-not-ready": { code: "pool-not-ready", pool: "fast", reason: "it is locked" },
  "pool-refused": { code: "pool-refused", pool: "fast", reason: "its superblock is blank", remedy: "restore it" },
  "pools-unknown": { code: "pools-unknown", node: "node1", reason: "the API server has not told them yet" },
  "pool-unchanged": { code: "pool-unchanged", pool: "fast", reason: "its data cannot be made larger", remedy: "add a disk" },
  "pool-stuck": { code: "pool-stuck", pool: "fast", operation: "create", forSeconds: 12 },
  "sources-apart": { code: "sources-apart", reason: "they lie in two pools" },
  "not-in-topology": { code: "not-in-topology", node: "node7", asked: ["node8"] },
  "catalog-refused": { code: "catalog-refused", path: "/var/lib/dmthin/fast.db", reason: "it is newer", remedy: "update dmthin" },
  "kernel-failed": { code: "kernel-failed", operation: "create_thin", subject: "dmthin-fast", errno: "EEXIST" },
  "program-failed": {
    code: "program-failed",
    argv: ["mkfs.xfs", "/dev/dm-1"],
    exitCode: 1,
    signal: undefined,
    stderr: "no space\n",
    timedOut: false,
    aborted: false,
  },
  "program-missing": { code: "program-missing", program: "mkfs.xfs", package: "xfsprogs" },
  deadline: { code: "deadline", operation: "statfs of /pod" },
  cancelled: { code: "cancelled", operation: "expansion of vol-a" },
  "shutting-down": { code: "shutting-down" },
  "mkfs-refused": { code: "mkfs-refused", id: "vol-x", filesystem: "ext4", mkfsOptions: ["-b", "999"], reason: "invalid block size" },
  "root-needed": { code: "root-needed", operation: "this" },
  "api-unreachable": { code: "api-unreachable", request: "create ThinVolume vol-a", reason: "connection refused" },
  "api-conflict": { code: "api-conflict", kind: "ThinVolume", name: "vol-a" },
  "api-refused": { code: "api-refused", request: "create ThinVolume vol-a", status: 403, reason: "no such right" },
  "api-expired": { code: "api-expired", request: "watch ThinVolume" },
  "pool-missing": { code: "pool-missing", problem: 'there is no pool "slow" (there is fast)' },
  "claim-gone": { code: "claim-gone", namespace: "default", name: "data" },
  "node-unavailable": { code: "node-unavailable", node: "node7", reason: "its agent is not ready" },
  "no-node": { code: "no-node", pool: "fast", reasons: ["node one: it is cordoned"] },
  "config-invalid": {
    code: "config-invalid",
    source: "a.yaml",
    problems: [
      { path: "pools[0].name", message: "is required" },
      { path: "", message: "is empty" },
    ],
  },
};
const all = Object.values(samples);

test("each error has its row in docs/operations.md, with what to do, and no other has", async () => {
  expect((await namesIn("Errors")).toSorted()).toEqual(Object.keys(samples).toSorted());
});

test.each(all.map((facts) => [facts.code, facts] as const))("%s is a sentence with its facts in it, not a template's leftovers", (_, facts) => {
  const { message } = new DmthinError(facts);
  expect(message).toMatch(/\w+ \w+/);
  expect(message).not.toMatch(/undefined|\[object|NaN|\$\{/);
  for (const [key, value] of Object.entries(facts)) {
    if (key !== "code" && typeof value === "string" && !value.includes("\n")) expect(message).toContain(value);
  }
});

const failed = (change: Partial<FactsOf<"program-failed">>): string => new DmthinError({ ...samples["program-failed"], ...change }).message;

describe("a program that failed", () => {
  test("says how it ended, and what it complained of", () => {
    expect(failed({})).toBe("mkfs.xfs /dev/dm-1 exited with 1: no space");
    expect(failed({ exitCode: undefined, signal: "SIGKILL", stderr: "" })).toBe("mkfs.xfs /dev/dm-1 was ended by SIGKILL");
    expect(failed({ timedOut: true, stderr: "" })).toBe("mkfs.xfs /dev/dm-1 ran out of time");
    expect(failed({ aborted: true, stderr: "" })).toBe("mkfs.xfs /dev/dm-1 was ended with its call");
    expect(failed({ exitCode: undefined, stderr: "" })).toBe("mkfs.xfs /dev/dm-1 exited with no code");
  });
  test("does not fill the log: of much output the end is kept, where the reason stands", () => {
    const message = failed({ stderr: `${"x".repeat(100_000)} the reason` });
    expect(message.length).toBeLessThan(1100);
    expect(message).toMatch(/the reason$/);
  });
});

test("a configuration's problems stand one a line, each with its place", () => {
  expect(new DmthinError(samples["config-invalid"]).message).toBe("a.yaml is not valid:\n  pools[0].name: is required\n  (document): is empty");
});

test("an error is told by its code, whatever else is thrown", () => {
  const error: unknown = new DmthinError(samples["kernel-failed"]);
  expect(isError(error, "kernel-failed")).toBe(true);
  expect(isError(error, "not-found")).toBe(false);
  expect(isErrno(error, "EEXIST")).toBe(true);
  expect(isErrno(error, "EBUSY")).toBe(false);
  for (const other of [new Error("kernel-failed"), undefined, "kernel-failed", { facts: samples["kernel-failed"] }]) {
    expect(isError(other, "kernel-failed")).toBe(false);
    expect(isErrno(other, "EEXIST")).toBe(false);
  }
});

test("with its causes an error says nothing twice: a cause whose text its sentence has in it already", () => {
  const cause = new Error("listen EADDRINUSE: address already in use 127.0.0.1:9100");
  const same = new DmthinError({ code: "path-unusable", path: "metrics.listen 127.0.0.1:9100", reason: cause.message }, { cause });
  expect(withCauses(same)).toBe("metrics.listen 127.0.0.1:9100 cannot be used: listen EADDRINUSE: address already in use 127.0.0.1:9100");
  expect(withCauses(new Error("cannot stage", { cause: same }))).toBe(`cannot stage (because ${same.message})`);
  expect(withCauses(new Error("cannot stage: EIO", { cause: new Error("EIO", { cause: new Error("disk on fire") }) }))).toBe(
    "cannot stage: EIO (because EIO (because disk on fire))",
  );
});

const across = (error: unknown): Error => fromPlain(structuredClone(toPlain(error)));

describe("an error that crosses a thread", () => {
  test.each(all.map((facts) => [facts.code, facts] as const))("%s arrives as what it was", (code, facts) => {
    const error = new DmthinError(facts);
    const arrived = across(error);
    expect(isError(arrived, code)).toBe(true);
    expect(arrived).toMatchObject({ message: error.message, facts, stack: error.stack });
  });

  test("keeps its causes, down to the one that is not ours", () => {
    const root = new TypeError("disk on fire");
    const middle = new DmthinError(samples["kernel-failed"], { cause: root });
    const arrived = across(new DmthinError(samples["pool-refused"], { cause: middle }));
    expect(isErrno(arrived.cause, "EEXIST")).toBe(true);
    expect((arrived.cause as Error).cause).toMatchObject({ message: "disk on fire", stack: root.stack });
    expect(((arrived.cause as Error).cause as Error).cause).toBeUndefined();
  });

  test("is an error also when what was thrown was none", () => {
    expect(across("just text")).toMatchObject({ message: "just text" });
    expect(across(undefined)).toBeInstanceOf(Error);
  });
});
