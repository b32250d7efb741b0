import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "@jest/globals";
import { nodeThinPoolName } from "../../../../src/cluster/objects/node-thin-pool.ts";
import { statusOf } from "../../../../src/csi/codes.ts";
import { bytes, GiB, MiB } from "../../../../src/units.ts";
import { volumeId } from "../../../../src/volumes/ids.ts";
import { nodeLabel } from "../../../../src/volumes/node-label.ts";
import type { TopologyWanted } from "../../../../src/volumes/volumes.ts";
import { eventually } from "../../../harness/eventually.ts";
import { call, POOL, Stage, wanted } from "./stage.ts";

const LONG = `${"a".repeat(70)}.example`;
const from = (...preferred: readonly string[]): TopologyWanted => ({ requisite: preferred, preferred });

const named = (pool: string | undefined) => ({ ...wanted("x").parameters, pool });

describe("placement and capacity", () => {
  const stage = Stage.forEachTest(["one", "two"]);
  const capacity = async (node: string | undefined, filesystem?: "xfs") => stage.controller.capacity({ pool: undefined, node, filesystem }, call());
  const told = async (node: string, gib: number): Promise<void> => eventually(async () => expect((await capacity(node)).availableBytes).toBe(gib * GiB));

  test("what a node can take is answered as it has told, from memory", async () => {
    await stage.current.tellPool("one", { availableBytes: 30 * GiB });
    await told("one", 30);
    const mark = stage.current.api.requests.length;
    expect(await capacity("one", "xfs")).toEqual({ availableBytes: 30 * GiB, maximumVolumeBytes: 30 * GiB, minimumVolumeBytes: bytes(300 * MiB) });
    expect(await capacity(undefined)).toMatchObject({ availableBytes: 130 * GiB, maximumVolumeBytes: 100 * GiB });
    expect(await capacity("elsewhere")).toMatchObject({ availableBytes: 0, maximumVolumeBytes: 0 });
    expect(stage.current.requestsSince(mark)).toEqual([]);
  });

  test.each([
    ["its agent is not ready", async () => stage.current.setAgent("one", false)],
    ["its agent ends, though it was ready last", async () => stage.current.endAgent("one")],
    ["it is cordoned", async () => void (await stage.current.clusterNodes.patch("one", { spec: { unschedulable: true } }))],
    ["its pool is not rw", async () => stage.current.tellPool("one", { state: "out_of_data_space" })],
    ["its pool is refused", async () => stage.current.tellPool("one", { phase: "Refused" })],
  ])("a node has nothing to give while %s, and is not the one with the most room", async (_, happen) => {
    await happen();
    await told("one", 0);
    await stage.current.tellPool("two", { availableBytes: GiB });
    expect((await stage.controller.create(wanted("volume", { topology: undefined }), call())).node).toBe("two");
  });

  test("a blank claim with a selected node is made there, and nowhere else when that cannot take it", async () => {
    const { current } = stage;
    await current.tellPool("one", { availableBytes: GiB });
    const uid = await current.addClaim("claim", "one");
    const asked = wanted(`pvc-${uid}`, { topology: from("one", "two"), claim: { namespace: "default", name: "claim" } });
    await current.tellPool("one", { phase: "Pending" });
    await told("one", 0);
    const error: unknown = await stage.controller.create(asked, call()).catch((cause: unknown) => cause);
    expect(statusOf("CreateVolume", error)).toBe(status.RESOURCE_EXHAUSTED);
    expect(current.node("two").made.size).toBe(0);
    await current.tellPool("one", { phase: "Ready" });
    await told("one", 1);
    expect((await stage.controller.create(asked, call())).node).toBe("one");
  });

  test("without a selected node the preferred are walked to the first with room", async () => {
    await stage.current.tellPool("one", { availableBytes: GiB });
    await told("one", 1);
    const asked = wanted("volume", { topology: from("one", "two"), size: { requiredBytes: BigInt(5 * GiB), limitBytes: undefined } });
    expect((await stage.controller.create(asked, call())).node).toBe("two");
  });

  test("before there is any ThinPool there is no room, and no error: pods wait for the first", async () => {
    await stage.current.pools.delete(POOL);
    await told("one", 0);
    expect(await capacity("one")).toMatchObject({ availableBytes: 0, maximumVolumeBytes: 0 });
  });

  test("with no requirements it is the node with the most room", async () => {
    await stage.current.tellPool("two", { availableBytes: 200 * GiB });
    await told("two", 200);
    expect((await stage.controller.create(wanted("volume"), call())).node).toBe("two");
  });

  test("a node whose name is too long for a label is found by its label, and answered by its name", async () => {
    await stage.current.addNode(LONG, 500 * GiB);
    await told(nodeLabel(LONG), 500);
    const volume = await stage.controller.create(wanted("volume", { topology: from(nodeLabel(LONG)) }), call());
    expect(volume.node).toBe(LONG);
    expect((await stage.controller.create(wanted("volume", { topology: from(nodeLabel(LONG)) }), call())).node).toBe(LONG);
  });

  describe("copies", () => {
    test("are made at their source, whatever node is preferred or selected", async () => {
      const uid = await stage.current.addClaim("claim", "two");
      const { record: source } = await stage.controller.create(wanted("source", { topology: from("one") }), call());
      const { record: snapshot } = await stage.controller.createSnapshot({ name: "moment", sourceVolumeId: source.id }, call());
      const claim = { namespace: "default", name: "claim" };
      for (const origin of [{ kind: "volume", id: source.id } as const, { kind: "snapshot", id: snapshot.id } as const]) {
        const copy = await stage.controller.create(wanted(`${origin.kind}-pvc-${uid}`, { origin, topology: from("two", "one"), claim }), call());
        expect(copy.node).toBe("one");
      }
    });

    test("whose source's node is excluded are INVALID_ARGUMENT, not a loop over other nodes", async () => {
      const { record: source } = await stage.controller.create(wanted("source", { topology: from("one") }), call());
      const error: unknown = await stage.controller
        .create(wanted("copy", { origin: { kind: "volume", id: source.id }, topology: from("two") }), call())
        .catch((cause: unknown) => cause);
      expect(statusOf("CreateVolume", error)).toBe(status.INVALID_ARGUMENT);
      expect(await stage.current.volumes.get(volumeId("copy"))).toBeUndefined();
    });

    test("of what is not there are NOT_FOUND, and nothing is made", async () => {
      const { record: source } = await stage.controller.create(wanted("source"), call());
      await stage.controller.delete(source.id, call());
      const error: unknown = await stage.controller
        .create(wanted("copy", { origin: { kind: "volume", id: source.id } }), call())
        .catch((cause: unknown) => cause);
      expect(statusOf("CreateVolume", error)).toBe(status.NOT_FOUND);
    });

    test("in another pool than their source are refused", async () => {
      const { record: source } = await stage.controller.create(wanted("source"), call());
      const parameters = { ...wanted("copy").parameters, pool: "slow" };
      await expect(stage.controller.create(wanted("copy", { origin: { kind: "volume", id: source.id }, parameters }), call())).rejects.toMatchObject({
        facts: { code: "invalid-argument" },
      });
    });
  });

  const addSlow = async (): Promise<void> => {
    await stage.current.addPool("slow");
    await stage.current.addNodePool("one", "slow", 7 * GiB);
    await eventually(async () => expect(await ofSlow()).toBe(7 * GiB));
  };
  const ofSlow = async (): Promise<number> => (await stage.controller.capacity({ pool: "slow", node: "one", filesystem: undefined }, call())).availableBytes;
  const markBoth = async (): Promise<void> => {
    await addSlow();
    for (const name of [POOL, "slow"]) await stage.current.pools.patch(name, { spec: { default: true } });
    await eventually(async () => expect(capacity("one")).rejects.toThrow(/several ThinPools are marked as default \((fast, slow|slow, fast)\)/));
  };

  describe("the class names no pool", () => {
    test("the only one is taken", async () => {
      expect((await stage.controller.create(wanted("volume"), call())).pool).toBe(POOL);
    });

    test("of several, the one that is marked as default; none or two marked are told", async () => {
      await addSlow();
      await expect(stage.controller.create(wanted("volume"), call())).rejects.toThrow(
        /name a pool, since none of them is the default \((fast, slow|slow, fast)\)/,
      );
      await stage.current.pools.patch("slow", { spec: { default: true } });
      await eventually(async () =>
        expect((await stage.controller.capacity({ pool: undefined, node: "one", filesystem: undefined }, call())).availableBytes).toBe(7 * GiB),
      );
      expect((await stage.controller.create(wanted("volume"), call())).pool).toBe("slow");
      await stage.current.pools.patch("fast", { spec: { default: true } });
      await eventually(async () => expect(capacity("one")).rejects.toThrow(/several ThinPools are marked as default/));
    });

    describe("and several are marked as default", () => {
      const refused = { type: "DescriptionAccepted", status: "False", reason: "Refused", message: "", lastTransitionTime: new Date(0).toISOString() };

      test("the one that nodes have taken is taken, whether the other is new or only marked anew", async () => {
        await markBoth();
        await stage.current.tellPool("one", { conditions: [refused] }, "slow");
        await told("one", 100);
        expect((await stage.controller.create(wanted("marked-anew"), call())).pool).toBe(POOL);
        await stage.current.tellPool("one", { phase: "Refused" }, "slow");
        expect((await stage.controller.create(wanted("new"), call())).pool).toBe(POOL);
        await stage.current.nodePools.delete(nodeThinPoolName("slow", "one"));
        await stage.current.settled();
        expect((await stage.controller.create(wanted("without-nodes"), call())).pool).toBe(POOL);
      });

      test("one that nodes have taken and cannot open now is the default all the same", async () => {
        await markBoth();
        await stage.current.tellPool("one", { conditions: [refused] }, "slow");
        for (const node of ["one", "two"]) await stage.current.tellPool(node, { phase: "Refused" });
        await told("one", 0);
        await expect(stage.controller.create(wanted("volume"), call())).rejects.toMatchObject({ facts: { code: "no-node", pool: POOL } });
      });

      test("those that no node has taken are told, where there are no others", async () => {
        await markBoth();
        for (const node of ["one", "two"]) await stage.current.tellPool(node, { conditions: [refused] });
        await told("one", 7);
        await stage.current.tellPool("one", { conditions: [refused] }, "slow");
        await eventually(async () => expect(capacity("one")).rejects.toThrow(/\((fast, slow|slow, fast)\): leave one/));
        await expect(stage.controller.create(wanted("volume"), call())).rejects.toThrow(/several ThinPools are marked as default/);
      });
    });

    // INVALID_ARGUMENT would be tried again after five minutes at the soonest, RESOURCE_EXHAUSTED send the pod from node to node.
    test("one that does not exist is FAILED_PRECONDITION, with its name; once it is made, the same call makes the volume", async () => {
      const asked = wanted("volume", { parameters: named("slow") });
      const error: unknown = await stage.controller.create(asked, call()).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ message: `there is no pool "slow" (there is ${POOL})` });
      expect(statusOf("CreateVolume", error)).toBe(status.FAILED_PRECONDITION);
      expect(await stage.current.volumes.get(volumeId("volume"))).toBeUndefined();
      await addSlow();
      expect((await stage.controller.create(asked, call())).pool).toBe("slow");
    });

    test("while it does not exist, any node has room for it: else the claim would never be told why it waits", async () => {
      const error: unknown = await ofSlow().catch((cause: unknown) => cause);
      expect(statusOf("GetCapacity", error)).toBe(status.INVALID_ARGUMENT);
    });

    test("before the first is made, FAILED_PRECONDITION says that", async () => {
      await stage.current.pools.delete(POOL);
      await told("one", 0);
      const error: unknown = await stage.controller.create(wanted("volume"), call()).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ message: expect.stringContaining("no ThinPool in this cluster yet") });
      expect(statusOf("CreateVolume", error)).toBe(status.FAILED_PRECONDITION);
    });

    test("one that is being deleted is refused, and has no room", async () => {
      await addSlow();
      await stage.current.pools.patch("slow", { metadata: { finalizers: ["dmthin.io/pool"] } });
      await stage.current.pools.delete("slow");
      await eventually(async () => expect(await ofSlow()).toBe(0));
      await expect(stage.controller.create(wanted("volume", { parameters: named("slow") }), call())).rejects.toThrow(/being deleted/);
    });
  });

  test.each([
    ["2^63 - 1 bytes", 2n ** 63n - 1n, undefined],
    ["less than nothing", -1n, undefined],
    ["a limit below what is required", 10n, 5n],
  ])("a size of %s is OUT_OF_RANGE, and nothing is asked for", async (_, requiredBytes, limitBytes) => {
    const error: unknown = await stage.controller.create(wanted("volume", { size: { requiredBytes, limitBytes } }), call()).catch((cause: unknown) => cause);
    expect(statusOf("CreateVolume", error)).toBe(status.OUT_OF_RANGE);
    expect(await stage.current.volumes.get(volumeId("volume"))).toBeUndefined();
  });
});
