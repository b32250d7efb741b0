import { expect, test } from "@jest/globals";
import { errorOf, failureOf } from "../../../../src/cluster/objects/failure.ts";
import { DmthinError } from "../../../../src/errors.ts";

test("a node's error is the same error to who asked, over the API server's JSON too", () => {
  const error = new DmthinError({ code: "out-of-range", what: "8 EiB", reason: "a pool ends at 256 TiB" });
  const failure = JSON.parse(JSON.stringify(failureOf(error, 3))) as ReturnType<typeof failureOf>;
  expect(failure).toMatchObject({ code: "out-of-range", generation: 3 });
  expect(errorOf(failure)).toEqual(error);
});

test.each([{ code: "of-another-version" }, { code: "invalid-argument" }])(
  "of facts that this version cannot put into words (%j) the node's own words are told",
  (facts) => {
    const error = errorOf({ code: facts.code, facts, message: "as the node has said it", generation: 1 });
    expect(error).not.toBeInstanceOf(DmthinError);
    expect(error.message).toBe("as the node has said it");
  },
);
