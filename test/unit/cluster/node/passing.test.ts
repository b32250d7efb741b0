import { expect, test } from "@jest/globals";
import { isPassing } from "../../../../src/cluster/node/passing.ts";
import { DmthinError, type ErrorFacts } from "../../../../src/errors.ts";

const request = "patch ThinVolume vol-a";
const program = { argv: ["lvextend"], exitCode: undefined, signal: "SIGTERM", stderr: "", timedOut: false, aborted: false };

test.each<ErrorFacts>([
  { code: "in-progress", kind: "volume", id: "vol-a", operation: "creation" },
  { code: "pool-not-ready", pool: "fast", reason: "it is being recovered" },
  { code: "pools-unknown", node: "one", reason: "the API server has not told them yet" },
  { code: "pool-stuck", pool: "fast", operation: "creation", forSeconds: 30 },
  { code: "deadline", operation: "creation" },
  { code: "cancelled", operation: "creation" },
  { code: "shutting-down" },
  { code: "api-unreachable", request, reason: "no answer" },
  { code: "api-conflict", kind: "ThinVolume", name: "vol-a" },
  { code: "api-refused", request, status: 403, reason: "forbidden" },
  { code: "api-expired", request },
  { code: "program-failed", ...program, timedOut: true },
  { code: "program-failed", ...program, aborted: true },
])("what passes is tried again and is no answer: $code", (facts) => {
  expect(isPassing(new DmthinError(facts))).toBe(true);
});

test.each<ErrorFacts>([
  { code: "pool-refused", pool: "fast", reason: "it is another's", remedy: "look" },
  { code: "invalid-argument", problems: ["it is wrong"] },
  { code: "being-deleted", kind: "volume", id: "vol-a" },
  { code: "program-failed", ...program, exitCode: 1 },
])("what stays so until another question is an answer: $code", (facts) => {
  expect(isPassing(new DmthinError(facts))).toBe(false);
});

test("a fault of ours is nothing that anybody who asks could mend: tried again", () => {
  expect(isPassing(new TypeError("undefined is no function"))).toBe(true);
});
