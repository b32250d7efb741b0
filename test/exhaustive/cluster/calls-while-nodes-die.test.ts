import { describe, expect, jest, test } from "@jest/globals";
import { groupId, memberName, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import type { VolumeWanted } from "../../../src/volumes/volumes.ts";
import { capability, SIZE } from "../../contract/volumes/client.ts";
import { CallingSidecar, type Ask } from "./calling-sidecar.ts";
import { MortalNode } from "./mortal-node.ts";

jest.setTimeout(120_000);

interface Scenario {
  readonly name: string;
  readonly prepare: readonly Ask[];
  readonly ask: Ask;
  /** What is there then: ids of volumes and snapshots. */
  readonly held: readonly string[];
}

const [A, B, COPY] = [volumeId("a"), volumeId("b"), volumeId("copy")];
const MEMBERS = [A, B].map((source) => snapshotId(memberName("g", source)));

const create = (name: string, origin: VolumeWanted["origin"] = { kind: "blank" }): Ask => {
  const parameters = { pool: undefined, filesystem: undefined, mkfsOptions: [], mutable: {} };
  const size = { requiredBytes: BigInt(SIZE), limitBytes: undefined };
  return async (volumes, call) => volumes.create({ name, size, capabilities: [capability("ext4")], parameters, origin, topology: undefined }, call);
};
const group: Ask = async (volumes, call) => volumes.createGroup({ name: "g", sourceVolumeIds: [A, B] }, call);

const SCENARIOS: readonly Scenario[] = [
  { name: "CreateVolume", prepare: [], ask: create("a"), held: [A] },
  { name: "CreateVolume of a clone", prepare: [create("a")], ask: create("copy", { kind: "volume", id: A }), held: [A, COPY] },
  { name: "DeleteVolume", prepare: [create("a"), create("b")], ask: async (volumes, call) => volumes.delete(A, call), held: [B] },
  {
    name: "ControllerExpandVolume",
    prepare: [create("a")],
    ask: async (volumes, call) => {
      const { record } = await volumes.expand(A, { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined }, call);
      expect(record.sizeBytes).toBe(2 * SIZE);
    },
    held: [A],
  },
  {
    name: "CreateSnapshot",
    prepare: [create("a")],
    ask: async (volumes, call) => volumes.createSnapshot({ name: "s", sourceVolumeId: A }, call),
    held: [A, snapshotId("s")],
  },
  { name: "CreateVolumeGroupSnapshot", prepare: [create("a"), create("b")], ask: group, held: [A, B, ...MEMBERS] },
  {
    name: "DeleteVolumeGroupSnapshot",
    prepare: [create("a"), create("b"), group],
    ask: async (volumes, call) => volumes.deleteGroup(groupId("g"), MEMBERS, call),
    held: [A, B],
  },
];

/** Whoever keeps the driver running starts it again when it has died. */
async function revived(node: MortalNode, work: Promise<void>): Promise<void> {
  let next: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (node.isDead) next ??= node.begin();
  }, 1);
  await work.finally(() => clearInterval(timer));
  await next;
  if (node.isDead) await node.begin();
}

/** A call that is made again until it is answered, while the node dies at its nth step and is started again; answers its steps. */
async function callThrough({ prepare, ask, held }: Scenario, at: number | undefined): Promise<readonly string[]> {
  await using node = new MortalNode("its process is killed");
  await using sidecar = await CallingSidecar.start(node.cluster.server);
  await node.begin();
  for (const each of prepare) await sidecar.persist(each);
  await node.settled();
  const moments = node.watch(at);
  try {
    await revived(node, sidecar.persist(ask));
    await node.settled();
    await sidecar.persist(ask);
    await node.settled();
    node.calm();
    await node.expectAgreement();
    expect([...node.world.view.thins.keys()].toSorted()).toEqual(held.toSorted());
  } catch (error) {
    throw new Error(`the node ended at "${moments.at(-1)}" (step ${at}): ${String(error)}`, { cause: error });
  }
  return moments;
}

describe("a call that is made again until it is answered is carried out once, when the node is killed at any step of", () => {
  test.each(SCENARIOS)("$name", async (scenario) => {
    const moments = await callThrough(scenario, undefined);
    expect(moments.length).toBeGreaterThan(3);
    for (const at of moments.keys()) await callThrough(scenario, at);
  });
});
