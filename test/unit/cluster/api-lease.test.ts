import { beforeEach, describe, expect, test } from "@jest/globals";
import { Leadership, type LeadershipOptions } from "../../../src/cluster/api/lease.ts";
import { LEASE } from "../../../src/cluster/objects/core.ts";
import { silentLogger } from "../../../src/logger.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { eventually } from "./api-eventually.ts";

let server: SimulatedApiServer;
/** What the contenders take for the time, in milliseconds. */
let clock: number;
/** Who works, in the order of their beginnings. */
let journal: string[];

beforeEach(() => {
  server = new SimulatedApiServer();
  clock = 0;
  journal = [];
});

const holder = (): unknown =>
  (server.stored(LEASE, "dmthin").get("dmthin-controller")?.["spec"] as { readonly holderIdentity?: string } | undefined)?.holderIdentity;
const requests = (): number => server.requests.length;

interface Contender {
  readonly leading: () => boolean;
  /** As when the process is asked to end. */
  readonly stop: () => Promise<void>;
  readonly work: { fails: boolean };
}

function contend(identity: string, on: SimulatedApiServer = server, options: Partial<LeadershipOptions> = {}): Contender {
  const leases = on.objects(LEASE, "dmthin");
  const leadership = new Leadership({ leases, name: "dmthin-controller", identity, logger: silentLogger, renewMs: 2, now: () => clock, ...options });
  const ending = new AbortController();
  const state = { isLeading: false };
  const work = { fails: false };
  const running = leadership.run(async (signal) => {
    if (work.fails) throw new Error("the work's own fault");
    state.isLeading = true;
    journal.push(`${identity} begins`);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    state.isLeading = false;
    journal.push(`${identity} ends`);
  }, ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort(new Error("asked to end"));
    await running;
  };
  return { leading: () => state.isLeading, stop, work };
}

describe("leadership", () => {
  test("is one contender's, however many come", async () => {
    const contenders = ["a", "b", "c"].map((identity) => contend(identity));
    await eventually(() => contenders.some(({ leading }) => leading()) && requests() > 20);
    expect(contenders.filter(({ leading }) => leading())).toHaveLength(1);
    expect(journal).toHaveLength(1);
    for (const { stop } of contenders) await stop();
  });

  test("is given back by who ends, and taken by the next without a wait", async () => {
    const a = contend("a");
    await eventually(a.leading);
    const b = contend("b");
    await a.stop();
    await eventually(b.leading);
    expect([clock, journal]).toEqual([0, ["a begins", "a ends", "b begins"]]);
    await b.stop();
    expect(holder()).toBe("");
  });

  test("of one that died ends when its lease has not changed for its duration, and not before", async () => {
    await server.objects(LEASE, "dmthin").create({ metadata: { name: "dmthin-controller" }, spec: { holderIdentity: "dead", leaseDurationSeconds: 30 } });
    const b = contend("b");
    await eventually(() => requests() > 5);
    clock = 29_999;
    const before = requests();
    await eventually(() => requests() > before + 5);
    expect(holder()).toBe("dead");
    clock = 30_001;
    await eventually(b.leading);
    await b.stop();
  });

  test("of one that goes on renewing is left alone, however late it is by our clock", async () => {
    const a = contend("a");
    await eventually(a.leading);
    const b = contend("b", server, { now: () => requests() * 1000 });
    await eventually(() => requests() > 100);
    expect([a.leading(), b.leading()]).toEqual([true, false]);
    await a.stop();
    await b.stop();
  });

  test("goes on for as long as it is renewed", async () => {
    const a = contend("a");
    await eventually(a.leading);
    for (let rounds = 0; rounds < 4; rounds++) {
      clock += 15_000;
      const before = requests();
      await eventually(() => requests() > before + 2);
    }
    expect(journal).toEqual(["a begins"]);
    await a.stop();
  });

  test("is given up before others may take it, when the API server is away", async () => {
    const a = contend("a");
    await eventually(a.leading);
    const comeBack = server.goAway();
    clock = 19_000;
    const before = requests();
    await eventually(() => requests() > before + 3);
    expect(a.leading()).toBe(true);
    clock = 20_001;
    await eventually(() => !a.leading());
    comeBack();
    await eventually(a.leading);
    await a.stop();
    expect(journal).toEqual(["a begins", "a ends", "a begins", "a ends"]);
  });

  test("is given up in time by one whose requests hang, however long its pauses and requests may take otherwise", async () => {
    const leases = server.objects(LEASE, "dmthin");
    const create: typeof leases.create = async (...asked) => {
      const created = await leases.create(...asked);
      clock = 640; // of the 667 ms that it goes on without an answer
      return created;
    };
    const patch: typeof leases.patch = async (_name, _patch, _options, limit) => {
      journal.push("a request hangs");
      await new Promise((resolve) => limit?.addEventListener("abort", resolve));
      clock = 700;
      throw limit?.reason;
    };
    const a = contend("a", server, { durationSeconds: 1, renewMs: 3_600_000, leases: { ...leases, create, patch } });
    await eventually(() => journal.length > 2);
    expect(journal).toEqual(["a begins", "a request hangs", "a ends"]);
    await a.stop();
  });

  test("outlasts a request that hangs: it is given up early, and the next one follows soon", async () => {
    const leases = server.objects(LEASE, "dmthin");
    const patch: typeof leases.patch = async (...asked) => {
      journal.push("asked");
      if (journal.length > 2) return leases.patch(...asked);
      setTimeout(() => journal.push("a renewal later"), RENEW_MS);
      return new Promise((_, reject) => asked[3]?.addEventListener("abort", () => reject(new Error("nobody answers"))));
    };
    const RENEW_MS = 1500;
    const a = contend("a", server, { renewMs: RENEW_MS, leases: { ...leases, patch } });
    await eventually(() => journal.includes("a renewal later"));
    expect(journal).toEqual(["a begins", "asked", "asked", "a renewal later"]);
    await a.stop();
  });

  test("is lost to who has taken the lease: the work ends at once, and the other's lease is left alone", async () => {
    const a = contend("a");
    await eventually(a.leading);
    await server.objects(LEASE, "dmthin").patch("dmthin-controller", { spec: { holderIdentity: "thief" } });
    await eventually(() => !a.leading());
    await a.stop();
    expect(holder()).toBe("thief");
  });

  test("is lost when the lease is deleted, and competed for anew", async () => {
    const a = contend("a");
    await eventually(a.leading);
    await server.objects(LEASE, "dmthin").delete("dmthin-controller");
    await eventually(() => journal.length > 2);
    expect(journal).toEqual(["a begins", "a ends", "a begins"]);
    await a.stop();
  });

  test.each(["create", "patch"] as const)("survives an answer that is lost (%s)", async (verb) => {
    server.loseAnswer(verb, "Lease", 1);
    if (verb === "patch") await server.objects(LEASE, "dmthin").create({ metadata: { name: "dmthin-controller" }, spec: { holderIdentity: "" } });
    const a = contend("a");
    await eventually(a.leading);
    server.loseAnswer("patch", "Lease", 1);
    const before = requests();
    await eventually(() => requests() > before + 6);
    expect(journal).toEqual(["a begins"]);
    await a.stop();
  });

  test("is waited for while the API server is away", async () => {
    const comeBack = server.goAway();
    const a = contend("a");
    await eventually(() => requests() > 5);
    comeBack();
    await eventually(a.leading);
    await a.stop();
  });

  test("work that fails is begun anew", async () => {
    const a = contend("a");
    a.work.fails = true;
    await eventually(() => requests() > 8);
    a.work.fails = false;
    await eventually(a.leading);
    await a.stop();
  });

  test("a contender that never led ends when asked to", async () => {
    const a = contend("a");
    await eventually(a.leading);
    const b = contend("b");
    await b.stop();
    expect(a.leading()).toBe(true);
    await a.stop();
  });
});
