import { beforeEach, describe, expect, test } from "@jest/globals";
import { EventBudget } from "../../../src/cluster/api/event-budget.ts";
import { ApiEvents, type ApiEventsOptions } from "../../../src/cluster/api/events.ts";
import { EVENT } from "../../../src/cluster/objects/core.ts";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import type { ThinVolume } from "../../../src/cluster/objects/thin-volume.ts";
import { DmthinError } from "../../../src/errors.ts";
import { silentLogger, type Logger } from "../../../src/logger.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import type { StoredObject } from "../../simulation/api-store.ts";
import { eventually } from "./api-eventually.ts";
import { volume } from "./api-objects.ts";

let server: SimulatedApiServer;
let object: ThinVolume;
let lines: string[];
const logger: Logger = { ...silentLogger, warn: (message) => void lines.push(message), debug: (message) => void lines.push(message) };

beforeEach(async () => {
  server = new SimulatedApiServer();
  object = await server.objects(THIN_VOLUME).create(volume("vol-a"));
  lines = [];
});

const open = (options: Partial<ApiEventsOptions> = {}): ApiEvents =>
  new ApiEvents({ server, controller: "dmthin.io/node", instance: "one", logger, ...options });
const told = (namespace = "default"): readonly StoredObject[] => [...server.stored(EVENT, namespace).values()];

describe("events", () => {
  test("say what happened to whom, in the namespace where kubectl looks for them", async () => {
    const events = open();
    events.event(object, "Warning", "MkfsRefused", "mkfs failed", "ThinVolume");
    await events.close();
    const { name, uid } = object.metadata;
    expect(told()).toHaveLength(1);
    expect(told()[0]).toMatchObject({
      metadata: { name: expect.stringMatching(/^vol-a\.[0-9a-f]{16}$/), namespace: "default" },
      apiVersion: "events.k8s.io/v1",
      type: "Warning",
      reason: "MkfsRefused",
      action: "MkfsRefused",
      note: "mkfs failed",
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      reportingController: "dmthin.io/node",
      reportingInstance: "one",
      regarding: { apiVersion: "dmthin.io/v1alpha1", kind: "ThinVolume", name, uid },
    });
  });

  test("of what is in a namespace are in that", async () => {
    const events = open();
    const regarding = { apiVersion: "v1", kind: "PersistentVolumeClaim", name: "data", uid: "1", namespace: "team" };
    events.tell(regarding, { type: "Warning", reason: "PoolFull", note: "the pool is full" });
    await events.close();
    expect(told("team")).toMatchObject([{ regarding }]);
  });

  test("of what happens again are one, with a count", async () => {
    const events = open({ repeatMs: 1 });
    for (let times = 0; times < 5; times++) events.event(object, "Warning", "Full", "the pool is full", "ThinVolume");
    await eventually(() => told()[0]?.["series"] !== undefined);
    expect(told()).toMatchObject([{ series: { count: 5, lastObservedTime: expect.stringMatching(/Z$/) } }]);
    expect(server.requests.filter(({ kind }) => kind === "Event")).toHaveLength(2);
    await events.close();
  });

  test("that differ are each told, in their order", async () => {
    const events = open();
    for (const note of ["first", "second", "third"]) events.event(object, "Normal", "Extended", note, "ThinVolume");
    await events.close();
    expect(told().map(({ note }) => note)).toEqual(["first", "second", "third"]);
  });

  test("that the server has forgotten are told anew", async () => {
    const events = open({ repeatMs: 1 });
    events.event(object, "Warning", "Full", "the pool is full", "ThinVolume");
    await eventually(() => told().length === 1);
    const [first] = told();
    await server.objects(EVENT, "default").delete(first?.metadata.name ?? "");
    events.event(object, "Warning", "Full", "the pool is full", "ThinVolume");
    await eventually(() => told().length === 1);
    expect(told()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
    await events.close();
  });

  test("never fail: what cannot be told is a line in the log", async () => {
    server.fail("create", "Event", 1, new DmthinError({ code: "api-refused", request: "create Event", status: 403, reason: "no right" }));
    const events = open();
    events.event(object, "Warning", "Full", "the pool is full", "ThinVolume");
    events.event(object, "Warning", "Failed", "the pool has failed", "ThinVolume");
    await events.close();
    expect(lines).toEqual(["an event could not be told"]);
    expect(told()).toMatchObject([{ reason: "Failed" }]);
  });

  test("wait for an API server that is away, and are given up when the driver ends", async () => {
    const comeBack = server.goAway();
    const events = open();
    events.event(object, "Warning", "Full", "the pool is full", "ThinVolume");
    await eventually(() => server.requests.length > 1);
    comeBack();
    await eventually(() => told().length === 1);
    server.goAway();
    events.event(object, "Warning", "Failed", "the pool has failed", "ThinVolume");
    await events.close();
    events.event(object, "Warning", "Late", "after the end", "ThinVolume");
    expect(told()).toHaveLength(1);
  });

  test("of one object without an end are cut, and those of others are not", async () => {
    const other = await server.objects(THIN_VOLUME).create(volume("vol-b"));
    const events = open();
    for (let times = 0; times < 40; times++) events.event(object, "Normal", "Extended", `the ${times}th`, "ThinVolume");
    events.event(other, "Normal", "Extended", "once", "ThinVolume");
    await events.close();
    expect(told().filter(({ note }) => note !== "once")).toHaveLength(25);
    expect(told().filter(({ note }) => note === "once")).toHaveLength(1);
  });

  test("have notes and names that the server takes, whatever they are made of", async () => {
    const long = await server.objects(THIN_VOLUME).create(volume(`${"a".repeat(199)}.${"b".repeat(40)}`));
    const events = open();
    events.event(long, "Normal", "Extended", "ä".repeat(1000), "ThinVolume");
    await events.close();
    const [event] = told();
    expect(Buffer.byteLength(String(event?.["note"]))).toBeLessThanOrEqual(1024);
    expect(event?.["note"]).toMatch(/^ä{500,}…$/);
    expect(event?.metadata.name).toMatch(/^a{199}\.[0-9a-f]{16}$/);
  });
});

test("a budget fills up again with time, up to its burst", () => {
  let now = 0;
  const budget = new EventBudget({ burst: 2, refillMs: 100, now: () => now });
  const take = (times: number): boolean[] => Array.from({ length: times }, () => budget.take("a"));
  expect(take(3)).toEqual([true, true, false]);
  now = 100;
  expect(take(2)).toEqual([true, false]);
  now = 10_000;
  expect(take(3)).toEqual([true, true, false]);
});
