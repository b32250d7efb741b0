import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Client } from "../../contract/volumes/client.ts";
import { SimulatedWorld } from "../../contract/volumes/simulated-world.ts";

describe("a power cut", () => {
  let world: SimulatedWorld;
  beforeEach(async () => {
    world = new SimulatedWorld();
    await world.start();
  });
  afterEach(async () => {
    await world.dispose();
  });

  test("loses what was not synced, and nothing else; the volume is staged and written again", async () => {
    const client = new Client(world);
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await world.writeFile(`${use.path}/synced`, "kept");
    await world.syncFile(`${use.path}/synced`);
    await world.writeFile(`${use.path}/unsynced`, "lost");
    await world.powerCut();
    await world.start();
    const again = await client.mount(record.id);
    expect((await world.readFile(`${again.path}/synced`)).toString()).toBe("kept");
    await expect(world.readFile(`${again.path}/unsynced`)).rejects.toThrow("ENOENT");
    await world.writeFile(`${again.path}/unsynced`, "written again");
    await client.unmount(again);
    expect(await client.get(record.id, "ext4", "unsynced")).toBe("written again");
  });

  test("in the middle of mkfs leaves a half, which is begun again", async () => {
    const client = new Client(world);
    const { record } = await client.create("one", { kind: "xfs" });
    world.process.killAt("mkfs begins", "after");
    await expect(client.stage(client.use(record.id, "xfs"))).rejects.toThrow();
    expect(world.process.dead).toBe(true);
    await world.powerCut();
    await world.start();
    await client.put(record.id, "xfs", "file", "content");
    expect(await client.get(record.id, "xfs", "file")).toBe("content");
  });

  test("a copy of an origin that was not frozen lacks what was not synced: the simulation protects nobody from it", async () => {
    const client = new Client(world);
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await world.writeFile(`${use.path}/file`, "in memory only");
    const copied = 4711;
    world.dm.message(world.poolUuid, `create_snap ${copied} ${record.number}`);
    await client.unmount(use);
    const thins = await world.thins();
    const [origin, copy] = [record.number, copied].map((number) => thins.find((thin) => thin.number === number));
    expect(copy?.exclusiveChunks).toBeGreaterThan(0);
    expect(origin?.exclusiveChunks).toBeGreaterThan(0);
  });
});
