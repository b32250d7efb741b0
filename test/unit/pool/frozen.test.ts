import { describe, expect, test } from "@jest/globals";
import { expectRefusal, nodeForEachTest } from "../volumes/node.ts";

const soon = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

describe("while applications are frozen for a snapshot", () => {
  const node = nodeForEachTest();
  const suspended = (): readonly string[] => node.world.machine.kernel.devices.filter((device) => device.suspended).map(({ name }) => name);

  /** A snapshot whose suspend is in the kernel, of a volume in use. */
  async function freezing(): Promise<{ readonly id: string; readonly release: () => void; readonly snapshot: Promise<unknown> }> {
    const { record } = await node.client.create("origin");
    await node.client.mount(record.id);
    const release = node.world.process.faults.hang("suspend");
    const snapshot = node.client.snapshot("moment", record.id);
    await soon();
    return { id: record.id, release, snapshot };
  }

  test("a change that fails is not taken back, which can take seconds: the applications run again first", async () => {
    const { client, world } = node;
    const { id, release, snapshot } = await freezing();
    world.process.faults.fail("create_thin", 1, "EIO");
    await expect(client.create("fails", { kind: "block" })).rejects.toMatchObject({ facts: { code: "kernel-failed" } });
    await expectRefusal(client.create("waits", { kind: "block" }), "pool-not-ready");
    const looked: (readonly string[])[] = [];
    world.observe = (transition, step) => {
      if (transition === "settle" || step === "intent") looked.push(suspended());
    };
    release();
    await expectRefusal(snapshot, "in-progress");
    expect(looked.length).toBeGreaterThan(0);
    expect(looked.flat()).toEqual([]);
    await client.create("fails", { kind: "block" });
    await client.create("waits", { kind: "block" });
    await client.snapshot("moment", id);
  });
});
