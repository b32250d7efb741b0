import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ObjectsApi } from "../../../src/cluster/api/objects-api.ts";
import { WatchCache, type WatchCacheOptions } from "../../../src/cluster/api/watch-cache.ts";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import type { ThinVolume } from "../../../src/cluster/objects/thin-volume.ts";
import { DmthinError } from "../../../src/errors.ts";
import { silentLogger, type Logger } from "../../../src/logger.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { eventually } from "./api-eventually.ts";
import { volume } from "./api-objects.ts";

const forever = new AbortController().signal;
const expired = new DmthinError({ code: "api-expired", request: "watch ThinVolume" });

let server: SimulatedApiServer;
let api: ObjectsApi<ThinVolume>;
let caches: WatchCache<ThinVolume>[];

beforeEach(() => {
  server = new SimulatedApiServer();
  api = server.objects(THIN_VOLUME);
  caches = [];
});
afterEach(async () => {
  for (const cache of caches) await cache.close();
});

function open(options: Partial<WatchCacheOptions> = {}): WatchCache<ThinVolume> {
  const cache = new WatchCache(api, { logger: silentLogger, backoff: { minimumMs: 1, maximumMs: 2 }, ...options });
  caches.push(cache);
  return cache;
}

const count = (verb: string): number => server.requests.filter((request) => request.verb === verb).length;
const names = (cache: WatchCache<ThinVolume>): string[] => [...cache.items.keys()].toSorted();
const isThere = (item: ThinVolume | undefined): true | undefined => (item === undefined ? undefined : true);
const isGone = (item: ThinVolume | undefined): true | undefined => (item === undefined ? true : undefined);
const refuse = (item: ThinVolume | undefined): undefined => {
  if (item !== undefined) throw new DmthinError({ code: "not-found", kind: "pool", id: "fast" });
};
const resized = async (name: string, requiredBytes: number): Promise<ThinVolume> => {
  const changed = await api.patch(name, { spec: { requiredBytes } });
  if (changed === undefined) throw new Error(`${name} is gone`);
  return changed;
};

/** Every change that a cache tells, as "name size" or "name gone". */
function journal(cache: WatchCache<ThinVolume>): string[] {
  const lines: string[] = [];
  cache.onChange((name, item) => void lines.push(`${name} ${item === undefined ? "gone" : item.spec.requiredBytes}`));
  return lines;
}

describe("a watch cache", () => {
  test("has what is there once it is synced, and what comes after", async () => {
    await api.create(volume("a"));
    const cache = open();
    expect(cache.isSynced).toBe(false);
    await cache.synced;
    expect([cache.isSynced, names(cache)]).toEqual([true, ["a"]]);
    await api.create(volume("b"));
    await cache.until("b", isThere, forever);
    expect(names(cache)).toEqual(["a", "b"]);
  });

  test("goes on where a watch ended, and misses nothing of the time between", async () => {
    const cache = open();
    await cache.synced;
    await eventually(() => server.watchCount === 1);
    server.endWatches();
    await eventually(() => server.watchCount === 0);
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(count("list")).toBe(1);
  });

  test("lists anew when its version has expired, and tells what went meanwhile", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    const lines = journal(cache);
    await eventually(() => server.watchCount === 1);
    const release = server.holdWatches();
    await api.delete("a");
    await api.create(volume("b"));
    server.compact();
    await cache.until("a", isGone, forever);
    await cache.until("b", isThere, forever);
    release();
    expect(lines).toEqual(["a gone", "b 1073741824"]);
    expect(count("list")).toBe(2);
  });

  test("told of expiry again and again, it lists again and again, and gets there", async () => {
    for (const nth of [1, 1, 1]) server.fail("watch", "ThinVolume", nth, expired);
    const cache = open();
    await eventually(() => server.watchCount === 1);
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(count("list")).toBeGreaterThan(1);
  });

  test("an object that was made anew while nobody watched is told as gone, then as there", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    const lines = journal(cache);
    await eventually(() => server.watchCount === 1);
    server.holdWatches();
    await api.delete("a");
    const { metadata } = await api.create(volume("a"));
    server.compact();
    await cache.until("a", (item) => (item?.metadata.uid === metadata.uid ? true : undefined), forever);
    expect(lines).toEqual(["a gone", "a 1073741824"]);
  });

  test("keeps what it knows while the API server is away, and catches up when it is back", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    const comeBack = server.goAway();
    await eventually(() => count("watch") > 2 && count("list") > 4);
    expect([cache.isSynced, names(cache)]).toEqual([true, ["a"]]);
    comeBack();
    await api.create(volume("b"));
    await cache.until("b", isThere, forever);
  });

  test("says once that the API server is away, and once that it is back", async () => {
    const lines: string[] = [];
    const note = (message: string): void => void lines.push(message);
    const logger: Logger = { ...silentLogger, warn: note, info: note };
    const cache = open({ logger });
    await eventually(() => server.watchCount === 1);
    const comeBack = server.goAway();
    await eventually(() => count("watch") > 2 && count("list") > 4);
    comeBack();
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(lines).toEqual(["the watch failed, and is tried until it works again", "the watch works again"]);
  });

  test("syncs late when the API server is away at first", async () => {
    const comeBack = server.goAway();
    const cache = open();
    await eventually(() => count("list") > 3);
    expect(cache.isSynced).toBe(false);
    comeBack();
    await cache.synced;
  });

  test("a watch that tells nothing any more is given up for a list", async () => {
    const cache = open({ quietMs: 5 });
    await eventually(() => server.watchCount === 1);
    server.stallWatches();
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(count("list")).toBeGreaterThan(1);
  });

  test("a watch that the server does not end is ended, though it tells things", async () => {
    const cache = open({ longestMs: 5 });
    await cache.synced;
    await eventually(() => {
      server.sendBookmarks();
      return count("watch") > 3;
    });
    expect(count("list")).toBe(1);
  });

  test("bookmarks move it on: what expired before the last one does not matter", async () => {
    const cache = open();
    await eventually(() => server.watchCount === 1);
    await server.objects({ ...THIN_VOLUME, plural: "others" }).create(volume("x"));
    server.sendBookmarks();
    server.beforeRequest = () => server.compact(); // of the next watch
    server.endWatches();
    await eventually(() => count("watch") > 1);
    server.beforeRequest = undefined;
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(count("list")).toBe(1);
  });

  test("a version that fails for other reasons than its age is given up for a list, too", async () => {
    const refused = new DmthinError({ code: "api-unreachable", request: "watch", reason: "Too large resource version" });
    for (const nth of [1, 1, 1]) server.fail("watch", "ThinVolume", nth, refused);
    open();
    await eventually(() => server.watchCount === 1);
    expect(count("list")).toBe(2);
  });

  test("etcd restored from a backup: what it says is what there is", async () => {
    const first = await api.create(volume("a"));
    await api.create(volume("b"));
    const cache = open();
    await cache.synced;
    await resized("a", 4096);
    await cache.until("a", (item) => (item?.spec.requiredBytes === 4096 ? true : undefined), forever);
    api.list = async () => ({ items: [first], resourceVersion: first.metadata.resourceVersion });
    server.compact();
    await cache.until("b", isGone, forever);
    expect(cache.items.get("a")?.spec.requiredBytes).toBe(first.spec.requiredBytes);
  });

  test("what a list cannot read is neither shown nor taken for gone", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    await eventually(() => server.watchCount === 1);
    await server
      .objects({ ...THIN_VOLUME, schema: { safeParse: (data: unknown) => ({ success: true, data }) } as never })
      .patch("a", { spec: { requiredBytes: "many" } });
    await api.create(volume("b"));
    server.compact();
    await cache.until("b", isThere, forever);
    expect(names(cache)).toEqual(["a", "b"]);
  });

  test("a listener that fails holds up nobody", async () => {
    const cache = open();
    await cache.synced;
    cache.onChange(() => {
      throw new Error("a listener's own fault");
    });
    const lines = journal(cache);
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(lines).toEqual(["a 1073741824"]);
  });

  test("a listener that has ended is told nothing", async () => {
    const cache = open();
    await cache.synced;
    const lines: string[] = [];
    const end = cache.onChange((name) => void lines.push(name));
    end();
    await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    expect(lines).toEqual([]);
  });
});

describe("who waits for a name", () => {
  test("is asked at once, without a change", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    expect(await cache.until("a", (item) => item?.spec.nodeName, forever)).toBe("one");
    expect(await cache.until("b", isGone, forever)).toBe(true);
  });

  test("is not asked before the first list: what is not known yet is not gone", async () => {
    await api.create(volume("a"));
    const comeBack = server.goAway();
    const cache = open();
    const asked: boolean[] = [];
    const waiting = cache.until("a", (item) => (asked.push(item === undefined), isThere(item)), forever);
    await eventually(() => count("list") > 2);
    comeBack();
    await waiting;
    expect(asked).toEqual([false]);
  });

  test("hears of each change of that name, of no other's, until it has an answer", async () => {
    const cache = open();
    await cache.synced;
    const asked: (number | undefined)[] = [];
    const waiting = cache.until("a", (item) => (asked.push(item?.spec.requiredBytes), item?.spec.requiredBytes === 8192 ? "done" : undefined), forever);
    await api.create(volume("b"));
    await api.create(volume("a"));
    await resized("a", 4096);
    await resized("a", 8192);
    expect(await waiting).toBe("done");
    await resized("a", 16384);
    await cache.until("a", (item) => (item?.spec.requiredBytes === 16384 ? true : undefined), forever);
    expect(asked).toEqual([undefined, 1_073_741_824, 4096, 8192]);
  });

  test("is let go with the signal's reason, synced or not", async () => {
    const cache = open();
    const early = new AbortController();
    const unsynced = cache.until("a", isThere, early.signal);
    early.abort(new DmthinError({ code: "deadline", operation: "CreateVolume" }));
    await expect(unsynced).rejects.toMatchObject({ facts: { code: "deadline" } });
    await cache.synced;
    const late = new AbortController();
    const waiting = cache.until("a", isThere, late.signal);
    late.abort(new DmthinError({ code: "cancelled", operation: "CreateVolume" }));
    await expect(waiting).rejects.toMatchObject({ facts: { code: "cancelled" } });
    await expect(cache.until("a", isThere, late.signal)).rejects.toMatchObject({ facts: { code: "cancelled" } });
  });

  test("is told what its own judgement throws", async () => {
    const cache = open();
    await cache.synced;
    const waiting = cache.until("a", refuse, forever);
    await api.create(volume("a"));
    await expect(waiting).rejects.toMatchObject({ facts: { code: "not-found" } });
  });

  test("does not wait for a cache that is closed", async () => {
    const [synced, unsynced] = [open(), open()];
    await synced.synced;
    const waiting = synced.until("a", isThere, forever);
    const closing = Promise.all([synced.close(), unsynced.close()]);
    await expect(waiting).rejects.toMatchObject({ facts: { code: "shutting-down" } });
    await expect(synced.until("a", isThere, forever)).rejects.toMatchObject({ facts: { code: "shutting-down" } });
    await closing;
    expect(server.watchCount).toBe(0);
  });
});

describe("what an answer tells", () => {
  test("is known before the watch tells it, and never taken back for what is older", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    await eventually(() => server.watchCount === 1);
    const lines = journal(cache);
    const release = server.holdWatches();
    await resized("a", 4096);
    cache.note(await resized("a", 8192));
    expect(cache.items.get("a")?.spec.requiredBytes).toBe(8192);
    release();
    await api.create(volume("b"));
    await cache.until("b", isThere, forever);
    expect(lines).toEqual(["a 8192", "b 1073741824"]);
  });

  test("of what is gone already does not bring it back", async () => {
    const cache = open();
    await cache.synced;
    const late = await api.create(volume("a"));
    await cache.until("a", isThere, forever);
    await api.delete("a");
    await cache.until("a", isGone, forever);
    cache.note(late);
    expect(names(cache)).toEqual([]);
  });

  test("of what goes before the watch tells of either ends with the watch", async () => {
    const cache = open();
    await cache.synced;
    await eventually(() => server.watchCount === 1);
    const release = server.holdWatches();
    const made = await api.create(volume("a"));
    await api.delete("a");
    cache.note(made);
    release();
    await cache.until("a", isGone, forever);
  });

  test("of a new object under an old name outlives the old one's end", async () => {
    await api.create(volume("a"));
    const cache = open();
    await cache.synced;
    await eventually(() => server.watchCount === 1);
    const release = server.holdWatches();
    await api.delete("a");
    const second = await api.create(volume("a"));
    cache.note(second);
    release();
    await api.create(volume("b"));
    await cache.until("b", isThere, forever);
    expect(cache.items.get("a")?.metadata.uid).toBe(second.metadata.uid);
  });

  test("survives a list from before it, and not one from after its end", async () => {
    const cache = open();
    await cache.synced;
    await eventually(() => server.watchCount === 1);
    server.holdWatches();
    cache.note(await api.create(volume("a")));
    await api.delete("a");
    expect(names(cache)).toEqual(["a"]);
    server.compact();
    await cache.until("a", isGone, forever);
  });
});
