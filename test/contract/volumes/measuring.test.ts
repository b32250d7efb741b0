import { describe, expect, test } from "@jest/globals";
import { MiB } from "../../../src/units.ts";
import { worldName } from "../choice.ts";
import { SIZE } from "./client.ts";
import { activateStranger, removeStranger } from "./pool-in-kernel.ts";
import { Suite } from "./suite.ts";

describe(`what each volume takes, on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  async function write(number: number, length: number): Promise<void> {
    const { world } = suite;
    await world.writeBlock(activateStranger(world, number, SIZE), 0, Buffer.alloc(length, "x"));
    removeStranger(world);
  }

  test("what volume and snapshot share is mapped by both, and exclusively neither's", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    await write(record.number, 2 * MiB);
    const snapshot = await client.snapshot("before", record.id);
    await world.lookUp("measure");
    expect(world.view.spaces?.get(record.id)).toEqual({ mappedBytes: 2 * MiB, exclusiveBytes: 0 });
    await write(record.number, MiB);
    await world.lookUp("measure");
    expect(world.view.spaces?.get(record.id)).toEqual({ mappedBytes: 2 * MiB, exclusiveBytes: MiB });
    expect(world.view.spaces?.get(snapshot.record.id)).toEqual({ mappedBytes: 2 * MiB, exclusiveBytes: MiB });
  });

  test("a plain listing keeps what was measured before, and what is deleted is forgotten", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    await write(record.number, MiB);
    await world.lookUp("measure");
    const measuredAt = world.view.exclusiveAt;
    await world.lookUp("inventory");
    expect(world.view.spaces?.get(record.id)).toEqual({ mappedBytes: MiB, exclusiveBytes: MiB });
    expect(world.view.exclusiveAt).toEqual(measuredAt);
    await client.delete(record.id);
    await world.lookUp("inventory");
    expect(world.view.spaces?.has(record.id)).toBe(false);
  });

  test("all who want a look into the metadata at the same time get one, in whatever order they come", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    await write(record.number, MiB);
    const wanted = ["inventory", "measure", "inventory", "measure", "measure", "inventory"] as const;
    await Promise.all([...wanted.map((what) => world.lookUp(what)), client.create("meanwhile", { kind: "block" })]);
    expect(world.view.spaces?.get(record.id)).toEqual({ mappedBytes: MiB, exclusiveBytes: MiB });
    expect(world.view.inventory).toEqual({ orphans: [], discrepancies: [] });
  });
});
