import { describe, expect, test } from "@jest/globals";
import { bytes } from "../../../src/units.ts";
import { ClusterWorld } from "../../contract/volumes/cluster-world.ts";
import { call, Client, SIZE, type Kind } from "../../contract/volumes/client.ts";
import type { SimulatedNode } from "../../contract/volumes/simulated-world.ts";
import { nodeForEachTest } from "../volumes/node.ts";

const LARGER = { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined };
const deviceBytes = ({ machine }: SimulatedNode, id: string): number | undefined => machine.kernel.devices.find(({ uuid }) => uuid.endsWith(id))?.sizeBytes;

describe("a growth that the kernel refuses", () => {
  const node = nodeForEachTest();
  const recorded = (id: string): object | undefined => node.world.view.thins.get(id);

  async function staged(kind: Kind): Promise<string> {
    const { record } = await node.client.create("one", { kind });
    await node.client.mount(record.id, kind);
    return record.id;
  }

  describe.each(["load", "suspend", "resume"])("at %s", (verb) => {
    test.each(["block", "ext4"] as const)("leaves the record of a %s as it was, durably, and is made up for when it is asked again", async (kind) => {
      const id = await staged(kind);
      const before = recorded(id);
      node.world.process.faults.fail(verb, 1, "EIO");
      await expect(node.world.volumes.expand(id, LARGER, call())).rejects.toMatchObject({ facts: { code: "kernel-failed" } });
      expect(recorded(id)).toEqual(before);
      expect(deviceBytes(node.world, id)).toBe(SIZE);
      await node.world.stop();
      await node.world.start();
      expect(recorded(id)).toEqual(before);
      await node.world.volumes.expand(id, LARGER, call());
      expect(recorded(id)).toMatchObject({ sizeBytes: 2 * SIZE, growFilesystem: kind !== "block" });
      expect(deviceBytes(node.world, id)).toBe(2 * SIZE);
    });
  });

  test.each(["the new table is loaded", "the old record is put back"])("is made up for as well when the driver is killed before %s", async (what) => {
    const id = await staged("block");
    const isRefused = what === "the old record is put back";
    if (isRefused) node.world.process.faults.fail("load", 1, "EIO");
    node.world.observe = (transition, step, moment) => {
      const isIt = isRefused ? transition === "expand-refused" : step === "table";
      if (isIt && moment === "before") node.world.process.kill();
    };
    await node.world.volumes.expand(id, LARGER, call()).catch(() => undefined);
    expect(node.world.process.dead).toBe(true);
    await node.world.kill();
    node.world.observe = () => undefined;
    await node.world.start();
    expect(recorded(id)).toMatchObject({ sizeBytes: 2 * SIZE });
    expect(deviceBytes(node.world, id)).toBe(SIZE);
    node.world.process.faults.fail("load", 1, "EIO");
    await expect(node.world.volumes.expand(id, LARGER, call())).rejects.toMatchObject({ facts: { code: "kernel-failed" } });
    expect(recorded(id)).toMatchObject({ sizeBytes: SIZE });
    await node.world.volumes.expand(id, LARGER, call());
    expect(deviceBytes(node.world, id)).toBe(2 * SIZE);
  });

  test("is not taken back where the device gets its new table all the same: it would be larger than its record", async () => {
    const id = await staged("block");
    node.world.process.faults.fail("resume", 1, "EIO");
    node.world.process.faults.fail("load", 2, "EIO");
    await expect(node.world.pool.calls.expand(id, bytes(2 * SIZE))).rejects.toMatchObject({ facts: { code: "kernel-failed" } });
    expect(deviceBytes(node.world, id)).toBe(2 * SIZE);
    expect(recorded(id)).toMatchObject({ sizeBytes: 2 * SIZE });
  });
});

test("a volume whose growth was refused does not seem grown to the cluster: the resizer's next try grows its device", async () => {
  const world = new ClusterWorld();
  try {
    await world.start();
    const client = new Client(world);
    const { record } = await client.create("one", { kind: "block" });
    await client.mount(record.id, "block");
    world.process.faults.fail("load", 1, "EIO");
    await expect(world.volumes.expand(record.id, LARGER, call())).rejects.toMatchObject({ facts: { code: "kernel-failed" } });
    expect((await world.volumes.expand(record.id, LARGER, call())).record.sizeBytes).toBe(2 * SIZE);
    expect(deviceBytes(world, record.id)).toBe(2 * SIZE);
  } finally {
    await world.dispose();
  }
});
