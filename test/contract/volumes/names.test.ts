import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call } from "./client.ts";
import { Suite } from "./suite.ts";

const NAMES = [
  ["128 bytes", "x".repeat(128)],
  ["another of 128 bytes", `${"x".repeat(127)}y`],
  ["slashes", "a/b/c"],
  ["a way upwards", "../../../../tmp/one"],
  ["dots alone", ".."],
  ["a newline", "one\ntwo"],
  ["spaces and quotes", ` "one" 'two' $(three) `],
  ["unicode", "объём-体积-💾"],
  ["unicode composed in another way", "objét".normalize("NFD")],
  ["unicode composed", "objét".normalize("NFC")],
  ["what looks like an option", "--help"],
  ["a NUL", "one\0two"],
] as const;

describe(`names on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  test.each(NAMES)("a volume and a snapshot can be named with %s, used, and deleted", async (_, name) => {
    const { client, world } = suite;
    const { record } = await client.create(name);
    expect(record.name).toBe(name);
    await client.put(record.id, "ext4", "file", "content");
    const { record: snapshot } = await client.snapshot(name, record.id);
    expect(snapshot.name).toBe(name);
    expect((await client.create(name)).record.id).toBe(record.id);
    await world.volumes.deleteSnapshot(snapshot.id, call());
    await client.delete(record.id);
    expect(await world.thins()).toHaveLength(0);
  });

  test("names that look alike are volumes of their own, and each keeps its name over a restart", async () => {
    const { client, world } = suite;
    const ids = new Set<string>();
    for (const [, name] of NAMES) ids.add((await client.create(name, { kind: "block", size: 1 })).record.id);
    expect(ids.size).toBe(NAMES.length);
    await world.stop();
    await world.start();
    const { items } = await world.volumes.list({ maxEntries: 0, startingToken: "" }, call());
    expect(items.map(({ record }) => record.name).toSorted()).toEqual(NAMES.map(([, name]) => name).toSorted());
  });
});
