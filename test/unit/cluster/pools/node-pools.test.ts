import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { WatchCache } from "../../../../src/cluster/api/watch-cache.ts";
import { NODE } from "../../../../src/cluster/objects/core.ts";
import { THIN_POOL, type Kind } from "../../../../src/cluster/objects/kinds.ts";
import type { ApiObject } from "../../../../src/cluster/objects/meta.ts";
import { NodePools, type PoolHost } from "../../../../src/cluster/pools/node-pools.ts";
import { SavedPools, type SavedPool } from "../../../../src/config/saved-pools.ts";
import type { PoolDescription } from "../../../../src/config/pool-description.ts";
import { DmthinError } from "../../../../src/errors.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { eventually } from "../../../harness/eventually.ts";
import { SimulatedApiServer } from "../../../simulation/api-server.ts";
import { volumeRecord as volume } from "../../records.ts";
import { DIRECTORIES, loop, SeenPool } from "./seen-pool.ts";

/** A machine whose pools open at once; says what was asked of it. */
class Host implements PoolHost {
  readonly asked: string[] = [];
  readonly pools = new Map<string, SeenPool>();
  refusal: DmthinError | undefined;
  /** What is thrown, once, when a pool has been closed to be opened anew. */
  failure: Error | undefined;

  async open(descriptions: readonly PoolDescription[]): Promise<readonly SeenPool[]> {
    return descriptions.map((description) => this.#open("open", description));
  }

  async reopen(pool: unknown, description: PoolDescription): Promise<SeenPool> {
    this.#failOnce(pool);
    return this.#open("reopen", description);
  }

  async remove(closed: { readonly description: PoolDescription }, { wipe }: { readonly wipe: boolean }) {
    const { name } = closed.description;
    this.#failOnce(closed);
    this.asked.push(`${wipe ? "wipe" : "remove"} ${name}`);
    const pool = this.pools.get(name);
    if (this.refusal !== undefined && pool !== undefined) return { error: this.refusal, pool: this.#open("open", pool.description) };
    this.pools.delete(name);
    return undefined;
  }

  #failOnce(closed: unknown): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure === undefined) return;
    (closed as SeenPool).is({ kind: "recovering" });
    throw failure;
  }

  #open(how: string, description: PoolDescription): SeenPool {
    this.asked.push(`${how} ${description.name}`);
    const pool = new SeenPool(description).serves();
    this.pools.set(description.name, pool);
    return pool;
  }
}

/** Tells which generations are written, and cannot remove a description as often as it is told. */
class CountedSaves extends SavedPools {
  failures = 0;
  readonly #written: number[];

  constructor(folder: string, written: number[]) {
    super(folder, silentLogger);
    this.#written = written;
  }

  override async write(pool: SavedPool): Promise<void> {
    this.#written.push(pool.generation);
    await super.write(pool);
  }

  override async remove(name: string): Promise<void> {
    if (this.failures === 0) return super.remove(name);
    this.failures -= 1;
    throw new Error("the disk is read-only");
  }
}

let state = "";
let server: SimulatedApiServer;
/** How many objects the cluster has in the node's pool. */
let placed: number;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "dmthin-pools-"));
  server = new SimulatedApiServer();
  placed = 0;
  await server.objects(NODE).create({ metadata: { name: "one", labels: { disks: "fast" } }, spec: {} });
});
afterEach(async () => {
  await stop();
  await rm(state, { recursive: true });
});

async function stop(): Promise<void> {
  for (const end of ends.splice(0).toReversed()) await end();
}

function watch<Item extends ApiObject>(kind: Kind<Item>): WatchCache<Item> {
  const cache = new WatchCache(server.objects(kind), { logger: silentLogger, backoff: { minimumMs: 1, maximumMs: 5 } });
  ends.push(async () => cache.close());
  return cache;
}

/** A driver that starts on the node with what it has saved. */
async function start(settleMs = 5, saved = new SavedPools(state, silentLogger)): Promise<{ readonly pools: NodePools; readonly host: Host }> {
  const host = new Host();
  const pools = new NodePools({
    node: "one",
    host,
    saved,
    directories: DIRECTORIES,
    placedIn: () => placed,
    logger: silentLogger,
    lookMs: 5,
    settleMs,
    retryMs: 5,
    refusedMs: 5,
  });
  await pools.openSaved();
  pools.begin({ thinPools: watch(THIN_POOL), nodes: watch(NODE) });
  ends.push(async () => pools.close());
  return { pools, host };
}

const thinPools = () => server.objects(THIN_POOL);
const create = async (name: string, spec: Readonly<Record<string, unknown>> = loop(name)) => thinPools().create({ metadata: { name }, spec });

test("a node has the pools of those ThinPools that select it", async () => {
  await create("all");
  await create("fast", loop("fast", { nodeSelector: { matchLabels: { disks: "fast" } } }));
  await create("other", loop("other", { nodeSelector: { matchExpressions: [{ key: "disks", operator: "DoesNotExist" }] } }));
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  expect(host.asked).toEqual(["open all", "open fast"]);
  await server.objects(NODE).patch("one", { metadata: { labels: { disks: null } } });
  await eventually(() => expect(host.asked.slice(2).toSorted()).toEqual(["open other", "remove fast"]));
});

test("what was accepted is what a driver starts with while the API server is away; and it is not known then what else there is", async () => {
  await create("all");
  await eventually(async () => {
    if (ends.length === 0) await start();
    expect((await new SavedPools(state, silentLogger).read()).map(({ name }) => name)).toEqual(["all"]);
  });
  await stop();
  const comeBack = server.goAway();
  const { pools, host } = await start();
  expect(host.asked).toEqual(["open all"]);
  expect(pools.isKnown).toBe(false);
  comeBack();
  await eventually(() => expect(pools.isKnown).toBe(true));
  expect(host.asked).toEqual(["open all"]);
});

test("without its Node object nothing is concluded, and no pool goes", async () => {
  await create("all");
  const first = await start();
  await eventually(() => expect(first.pools.isKnown).toBe(true));
  await stop();
  await server.objects(NODE).delete("one");
  await create("new");
  const { pools, host } = await start();
  await eventually(() => expect(server.requests.filter(({ verb }) => verb === "watch").length).toBeGreaterThan(3));
  pools.look();
  expect(pools.isKnown).toBe(false);
  expect(host.asked).toEqual(["open all"]);
});

test("an option that may change is followed, saved first; what changes nothing of the pool's opens nothing anew", async () => {
  await create("all");
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  await thinPools().patch("all", { spec: { overcommitRatio: 2 } });
  await eventually(() => expect(pools.seen().get("all")).toMatchObject({ observedGeneration: 2, refusal: undefined }));
  expect(host.pools.get("all")?.description.overcommitRatio).toBe(2);
  await thinPools().patch("all", { spec: { deletionPolicy: "Wipe" } });
  await eventually(() => expect(pools.seen().get("all")?.observedGeneration).toBe(3));
  expect(host.asked).toEqual(["open all", "reopen all"]);
  expect(await new SavedPools(state, silentLogger).read()).toMatchObject([{ generation: 3, spec: { overcommitRatio: 2, deletionPolicy: "Wipe" } }]);
});

test("a pool that is being recovered is not closed for a new description, which is saved: its worker would not end before it serves", async () => {
  await create("all");
  const written: number[] = [];
  const { pools, host } = await start(5, new CountedSaves(state, written));
  await eventually(() => expect(pools.isKnown).toBe(true));
  host.pools.get("all")?.is({ kind: "recovering" });
  await thinPools().patch("all", { spec: { overcommitRatio: 2 } });
  await eventually(async () => expect(await new SavedPools(state, silentLogger).read()).toMatchObject([{ generation: 2, spec: { overcommitRatio: 2 } }]));
  for (let looks = 0; looks < 5; looks++) {
    pools.look();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(host.asked).toEqual(["open all"]);
  expect(written).toEqual([1, 2]); // once, however often it is looked at: its disk may be what takes long
  expect(pools.seen().get("all")).toMatchObject({ observedGeneration: 1, refusal: undefined });
  host.pools.get("all")?.is({ kind: "ready" });
  await eventually(() => expect(pools.seen().get("all")?.observedGeneration).toBe(2));
  // Between two attempts there is time.
  host.pools.get("all")?.is({ kind: "recovering", reason: "a disk is missing" });
  await thinPools().patch("all", { spec: { overcommitRatio: 3 } });
  await eventually(() => expect(pools.seen().get("all")?.observedGeneration).toBe(3));
  expect(host.asked).toEqual(["open all", "reopen all", "reopen all"]);
});

test("a pool that was closed, and then could be neither opened anew nor removed, is opened at the next look", async () => {
  await create("all");
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  host.failure = new Error("no thread could be started");
  await thinPools().patch("all", { spec: { overcommitRatio: 2 } });
  await eventually(() => expect(pools.seen().get("all")?.observedGeneration).toBe(2));
  host.failure = new Error("no thread could be started");
  await thinPools().delete("all");
  await eventually(() => expect(pools.seen().size).toBe(0));
  expect(host.asked).toEqual(["open all", "reopen all", "reopen all", "reopen all", "remove all"]);
});

test("a pool that was removed, and whose description could not be, is not made anew", async () => {
  await create("all");
  const saved = new CountedSaves(state, []);
  const { pools, host } = await start(5, saved);
  await eventually(() => expect(pools.isKnown).toBe(true));
  saved.failures = 2;
  await thinPools().delete("all");
  await eventually(() => expect(pools.seen().size).toBe(0));
  expect(host.asked).toEqual(["open all", "remove all"]);
  expect(saved.failures).toBe(0);
  expect(await saved.read()).toEqual([]);
});

test("a ThinPool made anew with something else is refused while the pool is here, and what was accepted stays", async () => {
  await create("all");
  const first = await start();
  await eventually(() => expect(first.pools.isKnown).toBe(true));
  await stop();
  await thinPools().delete("all");
  await create("all", loop("elsewhere"));
  const { pools, host } = await start();
  await eventually(() => expect(pools.seen().get("all")).toMatchObject({ observedGeneration: 1, refusal: expect.stringContaining("/srv/elsewhere") }));
  expect(host.asked).toEqual(["open all"]);
  expect(await new SavedPools(state, silentLogger).read()).toMatchObject([{ spec: loop("all") }]);
});

test("one that was refused before it was made is not bound to what it was to be", async () => {
  await create("all");
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  host.pools.get("all")?.neverMade({ reason: "it holds ext4", remedy: "name another" });
  await thinPools().patch("all", { spec: loop("elsewhere") });
  await eventually(() => expect(host.pools.get("all")?.description.backing).toMatchObject({ directory: "/srv/elsewhere" }));
});

test("a pool that is refused is let go of, for who mends it, and looked at again until it serves", async () => {
  await create("all");
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  const first = host.pools.get("all");
  first?.neverMade({ reason: "it holds ext4", remedy: "name another" });
  await eventually(() => expect(host.asked).toContain("reopen all"));
  expect(first?.isClosed).toBe(true);
  await thinPools().patch("all", { spec: { overcommitRatio: 2 } });
  await eventually(() => expect(pools.seen().get("all")?.observedGeneration).toBe(2));
  // Once for the refusal, once for the change: one that serves is left alone.
  expect(host.asked.filter((each) => each === "reopen all")).toHaveLength(2);
  expect(host.pools.get("all")?.isClosed).toBe(false);
});

test("a ThinPool that is wrong is refused with what is wrong, on nobody else's account, and mended by mending it", async () => {
  await create("all", { backing: { loop: { directory: "relative" } } });
  await create("fast");
  const { pools, host } = await start();
  await eventually(() => expect(pools.seen().get("all")).toMatchObject({ pool: undefined, refusal: expect.stringContaining("spec.backing.loop.directory") }));
  await eventually(() => expect(host.asked).toEqual(["open fast"]));
  expect(pools.isKnown).toBe(true);
  await thinPools().patch("all", { spec: loop("fast") });
  await eventually(() => expect(pools.seen().get("all")?.refusal).toContain("ThinPool fast"));
  await thinPools().patch("all", { spec: loop("all") });
  await eventually(() => expect(pools.seen().get("all")).toMatchObject({ refusal: undefined, observedGeneration: 3 }));
  await thinPools().delete("all");
  await eventually(() => expect(host.asked).toContain("remove all"));
});

test("a ThinPool that was wrong and is gone leaves nothing to be told", async () => {
  await create("all", {});
  const { pools } = await start();
  await eventually(() => expect(pools.seen().has("all")).toBe(true));
  await thinPools().delete("all");
  await eventually(() => expect(pools.seen().has("all")).toBe(false));
});

test("a pool whose ThinPool is deleted waits for what it holds, then goes by its policy, and is not saved any more", async () => {
  await create("all", loop("all", { deletionPolicy: "Wipe" }));
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  host.pools.get("all")?.serves({}, [volume("vol-a")]);
  await thinPools().delete("all");
  await eventually(() =>
    expect(pools.seen().get("all")?.removal).toBe("its ThinPool is deleted, and it waits: it holds 1 volume and 0 snapshots: delete them first"),
  );
  host.pools.get("all")?.serves();
  await eventually(() => expect(pools.seen().size).toBe(0));
  expect(host.asked).toEqual(["open all", "wipe all"]);
  expect(await new SavedPools(state, silentLogger).read()).toEqual([]);
});

test("a pool stays for objects that wait for it, though it has nothing of theirs: an accepted volume that is not made yet, one that was lost", async () => {
  await create("all", loop("all", { deletionPolicy: "Wipe" }));
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  placed = 2;
  await thinPools().delete("all");
  await eventually(() =>
    expect(pools.seen().get("all")?.removal).toMatch(/^its ThinPool is deleted, and it waits: the cluster has 2 objects in it on this node /),
  );
  expect(host.asked).toEqual(["open all"]);
  placed = 0;
  await eventually(() => expect(pools.seen().size).toBe(0));
  expect(host.asked).toEqual(["open all", "wipe all"]);
});

test("that a pool is to go is told before it goes, so that nothing new is put there; what came all the same keeps it", async () => {
  await create("all");
  const { pools, host } = await start(150);
  await eventually(() => expect(pools.isKnown).toBe(true));
  await thinPools().delete("all");
  await eventually(() => expect(pools.seen().get("all")?.removal).toBe("its ThinPool is deleted: it is being removed"));
  expect(host.asked).toEqual(["open all"]);
  placed = 1;
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(host.asked).toEqual(["open all"]);
  placed = 0;
  await eventually(() => expect(host.asked).toEqual(["open all", "remove all"]));
});

test("a removal that is refused is told, and tried again; a ThinPool that selects the node again ends it", async () => {
  await create("all", loop("all", { nodeSelector: { matchLabels: { disks: "fast" } } }));
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  host.refusal = new DmthinError({ code: "pool-unchanged", pool: "all", reason: "its disk is away", remedy: "attach it" });
  await server.objects(NODE).patch("one", { metadata: { labels: { disks: "slow" } } });
  await eventually(() => expect(host.asked.filter((each) => each === "remove all").length).toBeGreaterThan(1));
  expect(pools.seen().get("all")?.removal).toMatch(/^its ThinPool selects this node no more, and it cannot be removed: .*its disk is away/);
  await server.objects(NODE).patch("one", { metadata: { labels: { disks: "fast" } } });
  await eventually(() => expect(pools.seen().get("all")?.removal).toBeUndefined());
});

const disks = (devices: readonly string[]) => ({ backing: { directLvm: { devices } } });

test("disks that a ThinPool names and its pool lacks are added", async () => {
  await create("all", disks(["/dev/sda", "/dev/disk/by-id/nvme-*"]));
  const { pools, host } = await start();
  await eventually(() => expect(pools.isKnown).toBe(true));
  const tellMembers = (): void =>
    host.pools.get("all")?.view.apply({ kind: "disks", disks: { members: ["/dev/sda", "/dev/disk/by-id/nvme-1"], excluded: [] } });
  tellMembers();
  await thinPools().patch("all", { spec: disks(["/dev/sda", "/dev/sdb", "/dev/disk/by-id/nvme-*"]) });
  await eventually(() => expect(pools.seen().get("all")?.observedGeneration).toBe(2));
  tellMembers();
  await eventually(() => expect(host.pools.get("all")?.added).toEqual(["/dev/sdb"]));
});

test("a saved description that is not valid any more is left alone and said; the others open", async () => {
  const saved = new SavedPools(state, silentLogger);
  await saved.write({ name: "bad", uid: "u", generation: 1, spec: { backing: {} } });
  await saved.write({ name: "good", uid: "u", generation: 1, spec: loop("good") });
  server.goAway();
  const { pools, host } = await start();
  expect(host.asked).toEqual(["open good"]);
  expect(pools.seen().get("bad")?.refusal).toContain("spec.backing");
});
