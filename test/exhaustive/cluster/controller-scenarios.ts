import { CLAIM } from "../../../src/cluster/objects/core.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { groupId, memberName, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import type { Volumes, VolumeWanted } from "../../../src/volumes/volumes.ts";
import { call as anyCall, capability } from "../../contract/volumes/client.ts";
import type { SimulatedApiServer } from "../../simulation/api-server.ts";

const SIZE = 64 * MiB;
/** Sidecars wait for a minute; what does not end by itself is told to be in progress after this. */
const PATIENCE_MS = 2500;
export const call = () => ({ ...anyCall(), deadline: Date.now() + PATIENCE_MS });
/** More than the pool may ever promise beside another of the kind. */
const LARGE = bytes(60 * GiB);

export const wanted = (name: string, more: Partial<VolumeWanted> = {}): VolumeWanted => ({
  name,
  size: { requiredBytes: BigInt(SIZE), limitBytes: undefined },
  capabilities: [capability("block")],
  parameters: { pool: undefined, filesystem: undefined, mkfsOptions: [], mutable: {} },
  origin: { kind: "blank" },
  topology: undefined,
  ...more,
});

const large = { size: { requiredBytes: BigInt(LARGE), limitBytes: undefined } };
const to = (size: number) => ({ requiredBytes: BigInt(size), limitBytes: undefined });
const [A, B] = [volumeId("a"), volumeId("b")];

export interface Scenario {
  readonly name: string;
  prepare(volumes: Volumes, server: SimulatedApiServer): Promise<unknown>;
  /** What is asked, and repeated until it has an answer that is none to be repeated. */
  ask(volumes: Volumes): Promise<unknown>;
  /** How it has to end. */
  readonly ends: "done" | ErrorCode;
  /** The ids that the pool holds then, in order. */
  readonly holds: readonly string[];
}

const nothing = async (): Promise<void> => undefined;
const make = async (volumes: Volumes, ...names: readonly string[]): Promise<void> => {
  for (const name of names) await volumes.create(wanted(name), call());
};
const CLAIM_OF_A = { namespace: "default", name: "claim" };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "a creation for a claim",
    prepare: async (_, server) => server.objects(CLAIM, "default").create({ metadata: { name: "claim" } }),
    ask: async (volumes) => volumes.create(wanted("a", { claim: CLAIM_OF_A }), call()),
    ends: "done",
    holds: [A],
  },
  {
    name: "a creation that the pool has no room for",
    prepare: async (volumes) => volumes.create(wanted("b", large), call()),
    ask: async (volumes) => volumes.create(wanted("a", large), call()),
    ends: "pool-too-small",
    holds: [B],
  },
  {
    name: "a clone",
    prepare: async (volumes) => make(volumes, "b"),
    ask: async (volumes) => volumes.create(wanted("a", { origin: { kind: "volume", id: B } }), call()),
    ends: "done",
    holds: [A, B],
  },
  { name: "a deletion", prepare: async (volumes) => make(volumes, "a", "b"), ask: async (volumes) => volumes.delete(A, call()), ends: "done", holds: [B] },
  { name: "a deletion of nothing", prepare: nothing, ask: async (volumes) => volumes.delete(A, call()), ends: "done", holds: [] },
  {
    name: "an expansion",
    prepare: async (volumes) => make(volumes, "a"),
    ask: async (volumes) => volumes.expand(A, to(2 * SIZE), call()),
    ends: "done",
    holds: [A],
  },
  {
    name: "an expansion that the pool has no room for",
    prepare: async (volumes) => {
      await volumes.create(wanted("b", large), call());
      await make(volumes, "a");
    },
    ask: async (volumes) => volumes.expand(A, to(LARGE), call()),
    ends: "pool-too-small",
    holds: [A, B],
  },
  {
    name: "a modification",
    prepare: async (volumes) => make(volumes, "a"),
    ask: async (volumes) => volumes.modify(A, { discardOnDelete: true }, call()),
    ends: "done",
    holds: [A],
  },
  {
    name: "a snapshot",
    prepare: async (volumes) => make(volumes, "a"),
    ask: async (volumes) => volumes.createSnapshot({ name: "s", sourceVolumeId: A }, call()),
    ends: "done",
    holds: [A, snapshotId("s")],
  },
  {
    name: "a snapshot's deletion",
    prepare: async (volumes) => {
      await make(volumes, "a");
      await volumes.createSnapshot({ name: "s", sourceVolumeId: A }, call());
    },
    ask: async (volumes) => volumes.deleteSnapshot(snapshotId("s"), call()),
    ends: "done",
    holds: [A],
  },
  {
    name: "a group snapshot",
    prepare: async (volumes) => make(volumes, "a", "b"),
    ask: async (volumes) => volumes.createGroup({ name: "g", sourceVolumeIds: [A, B] }, call()),
    ends: "done",
    holds: [A, B, ...[A, B].map((id) => snapshotId(memberName("g", id)))],
  },
  {
    name: "a group's deletion",
    prepare: async (volumes) => {
      await make(volumes, "a");
      await volumes.createGroup({ name: "g", sourceVolumeIds: [A] }, call());
    },
    ask: async (volumes) => volumes.deleteGroup(groupId("g"), [snapshotId(memberName("g", A))], call()),
    ends: "done",
    holds: [A],
  },
];
