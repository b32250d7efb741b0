import { describe, expect, test } from "@jest/globals";
import { decide, type Decision, type Seen } from "../../../../src/cluster/node/decide.ts";
import type { PlacedObject } from "../../../../src/cluster/objects/placed-object.ts";
import type { PoolSeen } from "../../../../src/cluster/node/pool-seen.ts";
import { NODE_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { DmthinError } from "../../../../src/errors.ts";
import type { Pool } from "../../../../src/pool/pool.ts";
import { describePool } from "../../../contract/volumes/description.ts";

const pool = { description: describePool({ data: "d", metadata: "m" }, {}) } as Pool;
const OPEN: PoolSeen = { kind: "open", pool, uuid: "uuid-1", isSettled: true };
const RECOVERING: PoolSeen = { kind: "closed", pool, error: new DmthinError({ code: "pool-not-ready", pool: "contract", reason: "it is being recovered" }) };
const REFUSED: PoolSeen = { kind: "closed", pool, error: new DmthinError({ code: "pool-refused", pool: "contract", reason: "r", remedy: "s" }) };
const UNSETTLED: PoolSeen = { ...OPEN, isSettled: false };
const OTHER: PoolSeen = { ...OPEN, uuid: "uuid-2" };

interface Wanted {
  readonly accepted?: boolean;
  readonly terminating?: boolean;
  readonly status?: Partial<PlacedObject["status"]>;
  readonly node?: string;
}

function object({ accepted = false, terminating = false, status = {}, node = "one" }: Wanted): PlacedObject {
  return {
    metadata: {
      name: "vol-a",
      uid: "u",
      resourceVersion: "1",
      generation: 2,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(terminating ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {}),
      finalizers: accepted ? ["somebody/else", NODE_FINALIZER] : ["somebody/else"],
      labels: {},
      annotations: {},
    },
    spec: { name: "a", nodeName: node, poolName: "contract" },
    status: { phase: "Pending", conditions: [], ...status },
  };
}

const READY = { phase: "Ready", poolUUID: "uuid-1", observedGeneration: 2 } as const;
const FAILED = { phase: "Failed", poolUUID: "uuid-1", observedGeneration: 2 } as const;

function decided(wanted: Wanted, seen: Partial<Seen> = {}): string {
  const decision: Decision = decide(object(wanted), { node: "one", pool: OPEN, held: "nothing", problems: [], taken: undefined, ...seen });
  if (decision.kind === "lost") return `lost: ${decision.reason}`;
  return "error" in decision ? `${decision.kind}: ${decision.error.facts.code}` : decision.kind;
}

test("another node's object is nothing to us, whatever it says", () => {
  expect(decided({ node: "two" })).toBe("leave");
  expect(decided({ node: "two", accepted: true, terminating: true }, { held: "ready" })).toBe("leave");
});

describe("not accepted", () => {
  test("it is accepted before anything else, also when something of its name is here", () => {
    expect(decided({})).toBe("accept");
    expect(decided({}, { held: "ready" })).toBe("accept");
  });
  test("what is here and is not what it asks for was not made for it: refused without being accepted, so that it does not go with the object", () => {
    const taken = new DmthinError({ code: "already-exists", kind: "volume", id: "vol-a", difference: "it is a block device" });
    expect(decided({}, { held: "ready", taken })).toBe("fail: already-exists");
    expect(decided({}, { held: "ready", taken, pool: RECOVERING })).toBe("wait: pool-not-ready");
    expect(decided({ status: READY }, { held: "ready", taken })).toBe("accept");
    const failure = { code: "already-exists", message: taken.message, facts: { code: "already-exists" }, generation: 2 };
    const refused = { accepted: true, status: { ...FAILED, failure } };
    expect(decided(refused, { held: "ready" })).toBe("release");
    expect(decided({ ...refused, terminating: true }, { held: "ready" })).toBe("release");
    expect(decided({ ...refused, terminating: true, status: FAILED }, { held: "ready" })).toBe("remove");
  });
  test("it is not accepted before its pool is open: what is not accepted can be withdrawn", () => {
    expect(decided({}, { pool: RECOVERING })).toBe("wait: pool-not-ready");
    expect(decided({}, { pool: REFUSED })).toBe("fail: pool-refused");
  });
  test("terminating, it is nothing to us", () => {
    expect(decided({ terminating: true }, { held: "ready" })).toBe("leave");
  });
  test("what was answered with a failure waits for its withdrawal, or for another spec", () => {
    expect(decided({ status: FAILED })).toBe("leave");
    expect(decided({ status: { ...FAILED, observedGeneration: 1 } })).toBe("accept");
  });
  test("what cannot be right is refused without being accepted", () => {
    expect(decided({}, { problems: ["its name is another"] })).toBe("fail: invalid-argument");
    expect(decided({}, { problems: ["its name is another"], pool: RECOVERING })).toBe("fail: invalid-argument");
  });
});

describe("accepted, and not made yet", () => {
  test("it is made, or found made", () => {
    expect(decided({ accepted: true })).toBe("make");
    expect(decided({ accepted: true }, { held: "ready" })).toBe("make");
    expect(decided({ accepted: true }, { held: "deleting" })).toBe("make");
  });
  test("it waits for its pool", () => {
    expect(decided({ accepted: true }, { pool: RECOVERING })).toBe("wait: pool-not-ready");
    expect(decided({ accepted: true }, { pool: REFUSED })).toBe("fail: pool-refused");
  });
  test("failed, it keeps the finalizer until an open catalogue of its own pool proves that nothing is there, or will come", () => {
    const failed = { accepted: true, status: FAILED };
    expect(decided(failed)).toBe("release");
    expect(decided(failed, { held: "deleting" })).toBe("release");
    expect(decided(failed, { held: "ready" })).toBe("leave");
    expect(decided(failed, { pool: UNSETTLED })).toBe("leave");
    expect(decided(failed, { pool: RECOVERING })).toBe("leave");
    expect(decided(failed, { pool: REFUSED })).toBe("leave");
    expect(decided(failed, { pool: OTHER })).toBe("leave");
  });
  test("failed, and asked for anew, it is tried anew, but not in another pool", () => {
    const asked = { accepted: true, status: { ...FAILED, observedGeneration: 1 } };
    expect(decided(asked)).toBe("make");
    expect(decided(asked, { pool: OTHER })).toBe("fail: pool-refused");
  });
});

describe("ready", () => {
  const ready = { accepted: true, status: READY };
  test("what is asked of it is done once a generation", () => {
    expect(decided(ready, { held: "ready" })).toBe("report");
    expect(decided({ accepted: true, status: { ...READY, observedGeneration: 1 } }, { held: "ready" })).toBe("change");
    expect(decided({ accepted: true, status: { ...READY, observedGeneration: 1 } }, { held: "ready", problems: ["a"] })).toBe("fail: invalid-argument");
  });
  test("what an open catalogue lacks is lost, and not made again", () => {
    for (const observedGeneration of [1, 2]) {
      expect(decided({ accepted: true, status: { ...READY, observedGeneration } })).toBe("lost: absent");
      expect(decided({ accepted: true, status: { ...READY, observedGeneration } }, { held: "deleting" })).toBe("lost: absent");
      expect(decided({ accepted: true, status: { ...READY, observedGeneration } }, { pool: OTHER })).toBe("lost: other-pool");
    }
  });
  test("nothing is said of it while its catalogue is closed", () => {
    for (const pool of [RECOVERING, REFUSED]) expect(decided({ accepted: true, status: { ...READY, observedGeneration: 1 } }, { pool })).toBe("report");
  });
  test("nothing is done for one that we have not accepted", () => {
    expect(decided({ status: READY }, { held: "ready" })).toBe("accept");
    expect(decided({ terminating: true, status: READY }, { held: "ready" })).toBe("leave");
  });
});

describe("terminating, and accepted", () => {
  const going = { accepted: true, terminating: true, status: READY };
  test("what is here is deleted, and then let go of", () => {
    expect(decided(going, { held: "ready" })).toBe("remove");
    expect(decided(going, { held: "deleting" })).toBe("release");
    expect(decided(going)).toBe("release");
  });
  test("absent is what an open catalogue of its own pool does not have, with nothing under way", () => {
    expect(decided(going, { pool: RECOVERING })).toBe("wait: pool-not-ready");
    expect(decided(going, { pool: REFUSED })).toBe("fail: pool-refused");
    expect(decided(going, { pool: OTHER })).toBe("fail: pool-refused");
    expect(decided(going, { pool: OTHER, held: "ready" })).toBe("fail: pool-refused");
    expect(decided(going, { pool: UNSETTLED })).toBe("wait: pool-not-ready");
  });
  test("one that never was ready goes the same way, by the pool that was here when it was accepted", () => {
    const early = { accepted: true, terminating: true };
    expect(decided(early, { held: "ready" })).toBe("remove");
    expect(decided(early)).toBe("release");
    expect(decided(early, { pool: RECOVERING })).toBe("wait: pool-not-ready");
  });
  test("an object made by hand over a name of ours takes nothing with it", () => {
    expect(decided({ accepted: true, terminating: true }, { held: "ready", problems: ["its name is another"] })).toBe("release");
    expect(decided(going, { held: "ready", problems: ["it is of an older version"] })).toBe("remove");
  });
});
