import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { getClaim, removeTaint } from "../../../src/cluster/api/core-objects.ts";
import { ApiEvents } from "../../../src/cluster/api/events.ts";
import { Leadership } from "../../../src/cluster/api/lease.ts";
import { WatchCache } from "../../../src/cluster/api/watch-cache.ts";
import { CLAIM, EVENT, LEASE, NODE, PERSISTENT_VOLUME } from "../../../src/cluster/objects/core.ts";
import type { ApiServer, ObjectsApi, WatchEvent } from "../../../src/cluster/api/objects-api.ts";
import { isNewer } from "../../../src/cluster/api/versions.ts";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { isTerminating, NODE_FINALIZER } from "../../../src/cluster/objects/meta.ts";
import type { ThinVolume } from "../../../src/cluster/objects/thin-volume.ts";
import { silentLogger } from "../../../src/logger.ts";
import { eventually } from "./api-eventually.ts";
import { volume, volumeSpec } from "./api-objects.ts";

/** What the driver relies on: the same for the simulated API server and for a real one with our CRDs. */
export function describeApiServer(name: string, connect: () => Promise<{ readonly server: ApiServer; close(): Promise<void> }>): void {
  describe(`the API of ${name}`, () => {
    const run = randomBytes(4).toString("hex");
    let server: ApiServer;
    let api: ObjectsApi<ThinVolume>;
    let close: (() => Promise<void>) | undefined;
    let count = 0;
    const fresh = (): string => `vol-${run}-${++count}`;
    const forever = new AbortController().signal;

    beforeAll(async () => {
      const connected = await connect();
      close = () => connected.close();
      server = connected.server;
      api = server.objects(THIN_VOLUME);
    });
    afterAll(async () => close?.());

    describeRequests(() => ({ api, fresh }));
    describePreconditions(() => ({ api, fresh }));
    describeEnds(() => ({ api, fresh }));
    describeWatches(() => ({ api, fresh, run, forever }));
    describeOthers(() => ({ api, fresh, server }));
  });
}

type Setup = () => { readonly api: ObjectsApi<ThinVolume>; readonly fresh: () => string };

/** Some of which are in a path the kind itself, or another resource. */
const WRONG_NAMES = [
  ["nothing", ""],
  [".", "."],
  ["..", ".."],
  ["a..b", "a..b"],
  ["a/status", "a/status"],
  ["../thinvolumes", "../thinvolumes"],
  ["Upper", "Upper"],
  ["-a", "-a"],
  ["a b", "a b"],
  ["a with a NUL", "a\0"],
  ["what has 254 letters", "a".repeat(254)],
] as const;

function describeRequests(setup: Setup): void {
  test("what is made can be read, with what the server adds, and with the schema's defaults", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const made = await api.create(volume(name, "one", { annotations: { a: "b" } }));
    expect(made).toMatchObject({
      metadata: { name, generation: 1, finalizers: [], annotations: { a: "b" } },
      spec: volumeSpec(),
      status: { phase: "Pending" },
    });
    expect(await api.get(name)).toEqual(made);
  });

  test("a name is taken once", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    await api.create(volume(name));
    await expect(api.create(volume(name))).rejects.toMatchObject({ facts: { code: "api-conflict", kind: "ThinVolume", name } });
  });

  test("what is not there is undefined to get and patch, and deleted already", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    expect(await api.get(name)).toBeUndefined();
    expect(await api.patch(name, { spec: { requiredBytes: 1 } })).toBeUndefined();
    await api.delete(name);
  });

  test.each(WRONG_NAMES)("no object is called %s: it is not there, deleting it deletes nothing, and nothing is made under it", async (_, wrong) => {
    const { api, fresh } = setup();
    const name = fresh();
    const made = await api.create(volume(name));
    expect(await api.get(wrong)).toBeUndefined();
    expect(await api.patch(wrong, { spec: { requiredBytes: 1 } })).toBeUndefined();
    await api.delete(wrong);
    await expect(api.create(volume(wrong))).rejects.toMatchObject({ facts: { code: "api-refused", status: 422 } });
    expect(await api.get(name)).toEqual(made);
    await api.delete(name);
  });

  test("an object that is not of its schema is refused, with what is wrong", async () => {
    const { api, fresh } = setup();
    const wrong = { metadata: { name: fresh() }, spec: { ...volumeSpec(), requiredBytes: "many" } };
    await expect(api.create(wrong)).rejects.toMatchObject({ facts: { code: "api-refused", status: 422, reason: expect.stringContaining("requiredBytes") } });
  });

  test("a patch that would make one of it is refused, and changes nothing", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const made = await api.create(volume(name));
    await expect(api.patch(name, { spec: { requiredBytes: -1 } })).rejects.toMatchObject({ facts: { code: "api-refused", status: 422 } });
    await expect(api.patch(name, { status: { phase: "Perhaps" } }, { subresource: "status" })).rejects.toMatchObject({
      facts: { code: "api-refused", status: 422 },
    });
    expect(await api.get(name)).toEqual(made);
  });

  test("a status that is given when an object is made is not its status", async () => {
    const { api, fresh } = setup();
    const made = await api.create({ ...volume(fresh()), status: { phase: "Ready" } });
    expect(made.status.phase).toBe("Pending");
  });

  test("a patch of the spec raises the generation, a patch of the status does not, and neither touches the other", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const made = await api.create(volume(name));
    const asked = await api.patch(name, { spec: { requiredBytes: 2 ** 31 }, status: { phase: "Ready" } });
    expect(asked).toMatchObject({ metadata: { generation: 2 }, spec: { requiredBytes: 2 ** 31 }, status: { phase: "Pending" } });
    const done = await api.patch(name, { status: { phase: "Ready", sizeBytes: 2 ** 31 }, spec: { requiredBytes: 1 } }, { subresource: "status" });
    expect(done).toMatchObject({ metadata: { generation: 2, uid: made.metadata.uid }, spec: { requiredBytes: 2 ** 31 }, status: { phase: "Ready" } });
    expect(isNewer(done?.metadata.resourceVersion ?? "", asked?.metadata.resourceVersion)).toBe(true);
  });

  test("null removes a key, a list takes the place of a list", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    await api.create(volume(name, "one", { annotations: { a: "1", b: "2" }, finalizers: ["example.org/a", "example.org/b"] }));
    const changed = await api.patch(name, { metadata: { annotations: { a: null }, finalizers: ["example.org/b"] } });
    expect(changed?.metadata).toMatchObject({ annotations: { b: "2" }, finalizers: ["example.org/b"] });
    expect(changed?.metadata.annotations).not.toHaveProperty("a");
    await api.patch(name, { metadata: { finalizers: [] } });
  });

  test("a patch that changes nothing makes no new version", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    await api.create(volume(name));
    const first = await api.patch(name, { spec: { requiredBytes: 4096 } });
    const same = await api.patch(name, { spec: { requiredBytes: 4096 } });
    expect(first).toBeDefined();
    expect(same?.metadata.resourceVersion).toBe(first?.metadata.resourceVersion);
  });

  test("a list has what its selection matches, by the node's name", async () => {
    const { api, fresh } = setup();
    const [here, there] = [fresh(), fresh()];
    const node = `node-${here}`;
    await api.create(volume(here, node));
    await api.create(volume(there, "elsewhere"));
    const { items, resourceVersion } = await api.list({ fieldSelector: `spec.nodeName=${node}` });
    expect(items.map(({ metadata }) => metadata.name)).toEqual([here]);
    expect(resourceVersion).toMatch(/^\d+$/);
  });
}

function describePreconditions(setup: Setup): void {
  test.each(["main", "status"] as const)("a patch (%s) is for the version that it names: another is a conflict, and nothing changes", async (resource) => {
    const { api, fresh } = setup();
    const name = fresh();
    const { metadata } = await api.create(volume(name));
    const options = {
      preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion },
      ...(resource === "status" ? { subresource: "status" as const } : {}),
    };
    const patch = (size: number) => (resource === "status" ? { status: { sizeBytes: size } } : { spec: { requiredBytes: size } });
    const changed = await api.patch(name, patch(4096), options);
    await expect(api.patch(name, patch(8192), options)).rejects.toMatchObject({ facts: { code: "api-conflict", kind: "ThinVolume", name } });
    expect(await api.get(name)).toEqual(changed);
  });

  test("a patch by uid alone is refused for another object of the name", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const first = await api.create(volume(name));
    await api.delete(name);
    await api.create(volume(name));
    const preconditions = { uid: first.metadata.uid };
    await expect(api.patch(name, { spec: { requiredBytes: 1 } }, { preconditions })).rejects.toMatchObject({ facts: { code: "api-conflict" } });
    await expect(api.patch(name, { status: { sizeBytes: 1 } }, { preconditions, subresource: "status" })).rejects.toMatchObject({
      facts: { code: "api-conflict" },
    });
    await expect(api.delete(name, preconditions)).rejects.toMatchObject({ facts: { code: "api-conflict" } });
    expect(await api.get(name)).toBeDefined();
  });

  test("a withdrawal meets an acceptance: one of them is a conflict", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const { metadata } = await api.create(volume(name));
    const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
    await api.patch(name, { metadata: { finalizers: [NODE_FINALIZER] } }, { preconditions });
    await expect(api.delete(name, preconditions)).rejects.toMatchObject({ facts: { code: "api-conflict" } });
    expect((await api.get(name))?.metadata).toMatchObject({ finalizers: [NODE_FINALIZER] });
    await api.patch(name, { metadata: { finalizers: [] } });
  });
}

function describeEnds(setup: Setup): void {
  test("without finalizers a deletion is the end; the name is another object's then", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const first = await api.create(volume(name));
    await api.delete(name, { uid: first.metadata.uid, resourceVersion: first.metadata.resourceVersion });
    expect(await api.get(name)).toBeUndefined();
    expect((await api.create(volume(name))).metadata.uid).not.toBe(first.metadata.uid);
  });

  test("with a finalizer it is marked, takes no new one, and goes with the last", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    await api.create(volume(name, "one", { finalizers: [NODE_FINALIZER] }));
    await api.delete(name);
    await api.delete(name);
    const marked = await api.get(name);
    expect(marked !== undefined && isTerminating(marked)).toBe(true);
    await expect(api.patch(name, { metadata: { finalizers: [NODE_FINALIZER, "example.org/late"] } })).rejects.toMatchObject({
      facts: { code: "api-refused", status: 422 },
    });
    await api.patch(name, { status: { phase: "Failed" } }, { subresource: "status" });
    await api.patch(name, { metadata: { finalizers: [] } });
    expect(await api.get(name)).toBeUndefined();
  });

  test("what is made without a finalizer and deleted before it got one takes none", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    await api.create(volume(name));
    await api.delete(name);
    expect(await api.patch(name, { metadata: { finalizers: [NODE_FINALIZER] } })).toBeUndefined();
  });
}

type WatchSetup = () => ReturnType<Setup> & { readonly run: string; readonly forever: AbortSignal };

function describeWatches(setup: WatchSetup): void {
  test("a watch tells what happened since its version, of its selection alone, and ends with its signal", async () => {
    const { api, fresh } = setup();
    const [name, other] = [fresh(), fresh()];
    const node = `node-${name}`;
    const { resourceVersion } = await api.list();
    await api.create(volume(name, node));
    const events: WatchEvent<ThinVolume>[] = [];
    const ending = new AbortController();
    const watching = api.watch(resourceVersion, { fieldSelector: `spec.nodeName=${node}` }, (event) => void events.push(event), ending.signal);
    await api.create(volume(other, "elsewhere"));
    await api.patch(name, { spec: { requiredBytes: 4096 } });
    await api.delete(name);
    await eventually(() => events.some(({ type }) => type === "DELETED"));
    const told = events.flatMap((event) => {
      if (event.type === "BOOKMARK") return [];
      return [[event.type, event.object.metadata.name, event.type === "DELETED" ? "gone" : event.object.spec.requiredBytes]];
    });
    expect(told).toEqual([
      ["ADDED", name, volumeSpec().requiredBytes],
      ["MODIFIED", name, 4096],
      ["DELETED", name, "gone"],
    ]);
    ending.abort(new Error("enough"));
    await expect(watching).rejects.toThrow("enough");
  });

  test("the version of an end is newer than all that was", async () => {
    const { api, fresh } = setup();
    const name = fresh();
    const made = await api.create(volume(name, "one", { finalizers: [NODE_FINALIZER] }));
    const events: WatchEvent<ThinVolume>[] = [];
    const ending = new AbortController();
    const watching = api.watch(made.metadata.resourceVersion, { fieldSelector: `metadata.name=${name}` }, (event) => void events.push(event), ending.signal);
    await api.delete(name);
    await api.patch(name, { metadata: { finalizers: [] } });
    await eventually(() => events.some(({ type }) => type === "DELETED"));
    const versions = events.flatMap((event) => (event.type === "BOOKMARK" ? [] : [event.object.metadata.resourceVersion]));
    expect(versions.every((version, index) => index === 0 || isNewer(version, versions[index - 1]))).toBe(true);
    ending.abort(new Error("enough"));
    await expect(watching).rejects.toThrow("enough");
  });

  test("a cache follows from list to end, and a waiter hears of it", async () => {
    const { api, fresh, forever } = setup();
    const name = fresh();
    const node = `node-${name}`;
    const cache = new WatchCache(api, { logger: silentLogger, selection: { fieldSelector: `spec.nodeName=${node}` } });
    await cache.synced;
    expect(cache.items.size).toBe(0);
    await api.create(volume(name, node));
    const { metadata } = await cache.until(name, (item) => item, forever);
    await api.patch(name, { status: { phase: "Ready" } }, { subresource: "status" });
    await cache.until(name, (item) => (item?.status.phase === "Ready" ? true : undefined), forever);
    await api.delete(name, { uid: metadata.uid });
    await cache.until(name, (item) => item === undefined || undefined, forever);
    await cache.close();
  });
}

function describeOthers(setup: () => ReturnType<Setup> & { readonly server: ApiServer }): void {
  test("a lease is one leader's, and given back", async () => {
    const { fresh, server } = setup();
    const name = fresh();
    const leases = server.objects(LEASE, "default");
    const leaders: string[] = [];
    const lead = async (identity: string): Promise<void> => {
      const ending = new AbortController();
      const leadership = new Leadership({ leases, name, identity, logger: silentLogger, renewMs: 200 });
      await leadership.run(async () => {
        leaders.push(identity);
        expect((await leases.get(name))?.spec.holderIdentity).toBe(identity);
        ending.abort();
      }, ending.signal);
    };
    await Promise.all([lead("a"), lead("b")]);
    expect(leaders.toSorted()).toEqual(["a", "b"]);
    expect((await leases.get(name))?.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 1 });
    await leases.delete(name);
  });

  test("events are taken, of what is in no namespace and of what is in one, and are counted", async () => {
    const { api, fresh, server } = setup();
    const lines: unknown[] = [];
    const logger = { ...silentLogger, warn: (...line: readonly unknown[]) => void lines.push(line) };
    const events = new ApiEvents({ server, controller: "dmthin.io/node", instance: "one", logger, repeatMs: 1 });
    const object = await api.create(volume(fresh()));
    const { name, uid } = object.metadata;
    events.event(object, "Warning", "Full", "a long story".repeat(200), "ThinVolume");
    events.event(object, "Warning", "Full", "a long story".repeat(200), "ThinVolume");
    events.tell({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name, uid }, { type: "Normal", reason: "Made", note: "made" });
    await new Promise((resolve) => void setTimeout(resolve, 20));
    await events.close();
    expect(lines).toEqual([]);
    const { items } = await server.objects(EVENT, "default").list();
    const told = items.filter((event) => event.metadata.name.startsWith(`${name}.`));
    expect(told).toHaveLength(2);
    for (const event of told) await server.objects(EVENT, "default").delete(event.metadata.name);
  });

  test("a taint is taken from a node, and what else it has stays", async () => {
    const { fresh, server } = setup();
    const nodes = server.objects(NODE);
    const name = fresh();
    await nodes.create({
      metadata: { name },
      spec: {
        taints: [
          { key: "dmthin.io/agent", effect: "NoExecute" },
          { key: "example.org/a", effect: "NoSchedule" },
        ],
      },
    });
    expect(await removeTaint(nodes, name, "dmthin.io/agent")).toBe(true);
    const keys = (await nodes.get(name))?.spec.taints.map(({ key }) => key); // a real server adds one of its own
    expect([keys?.includes("example.org/a"), keys?.includes("dmthin.io/agent")]).toEqual([true, false]);
    await nodes.delete(name);
  });

  test("claims and volumes are found", async () => {
    const { fresh, server } = setup();
    const name = fresh();
    const claims = server.objects(CLAIM, "default");
    const annotations = { "volume.kubernetes.io/selected-node": "two" };
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    await claims.create({ metadata: { name, annotations }, spec });
    expect((await getClaim(server, "default", name))?.metadata.annotations).toEqual(annotations);
    const csi = { driver: "csi.dmthin.io", volumeHandle: name };
    await server.objects(PERSISTENT_VOLUME).create({ metadata: { name }, spec: { accessModes: spec.accessModes, capacity: { storage: "1Gi" }, csi } });
    expect((await server.objects(PERSISTENT_VOLUME).get(name))?.spec.csi).toMatchObject(csi);
    await server.objects(PERSISTENT_VOLUME).delete(name);
    await claims.delete(name);
  });
}
