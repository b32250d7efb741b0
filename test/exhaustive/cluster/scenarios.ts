import { groupId, memberName, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { TiB } from "../../../src/units.ts";
import { SIZE } from "../../contract/volumes/client.ts";
import type { Cluster } from "../../unit/cluster/node/cluster-node.ts";

/** What is asked of a node, and interrupted at each of its steps. */
export interface Scenario {
  readonly name: string;
  /** The node changes nothing of the kernel's for it. */
  readonly isWithoutKernel?: true;
  readonly prepare?: (cluster: Cluster) => Promise<void>;
  readonly ask: (cluster: Cluster) => Promise<void>;
  readonly isDone: (cluster: Cluster) => Promise<boolean>;
}

const [A, B] = [volumeId("a"), volumeId("b")];
const made = async (cluster: Cluster): Promise<void> => {
  await Promise.all([cluster.volume("a"), cluster.volume("b")]);
  await Promise.all([cluster.ready("a"), cluster.ready("b")]);
};
const isReady = async ({ volumes }: Cluster, name: string): Promise<boolean> => (await volumes.get(volumeId(name)))?.status.phase === "Ready";

export const SCENARIOS: readonly Scenario[] = [
  { name: "a volume", ask: async (cluster) => void (await cluster.volume("a")), isDone: async (cluster) => isReady(cluster, "a") },
  {
    name: "a volume that cannot be had",
    isWithoutKernel: true,
    ask: async (cluster) => void (await cluster.volume("a", { requiredBytes: 100 * TiB })),
    isDone: async ({ volumes }) => {
      const item = await volumes.get(A);
      return item?.status.phase === "Failed" && item.metadata.finalizers.length === 0;
    },
  },
  {
    name: "a volume that is withdrawn at once",
    ask: async (cluster) => {
      await cluster.volume("a");
      await new Promise((resolve) => setImmediate(resolve));
      await cluster.volumes.delete(A);
    },
    isDone: async ({ volumes }) => (await volumes.get(A)) === undefined,
  },
  {
    name: "a deletion",
    prepare: made,
    ask: async ({ volumes }) => volumes.delete(A),
    isDone: async ({ volumes }) => (await volumes.get(A)) === undefined,
  },
  {
    name: "an expansion and other parameters",
    isWithoutKernel: true,
    prepare: made,
    ask: async ({ volumes }) => void (await volumes.patch(A, { spec: { requiredBytes: 2 * SIZE, parameters: { discardOnDelete: true } } })),
    isDone: async ({ volumes }) => (await volumes.get(A))?.status.observedGeneration === 2,
  },
  {
    name: "a clone",
    prepare: made,
    ask: async (cluster) => void (await cluster.volume("c", { source: { kind: "volume", id: A } })),
    isDone: async (cluster) => isReady(cluster, "c"),
  },
  {
    name: "a snapshot",
    prepare: made,
    ask: async (cluster) => void (await cluster.snapshot("s", A)),
    isDone: async ({ snapshots }) => (await snapshots.get(snapshotId("s")))?.status.phase === "Ready",
  },
  {
    name: "a group",
    prepare: made,
    ask: async (cluster) => void (await cluster.group("g", [A, B])),
    isDone: async ({ groups }) => (await groups.get(groupId("g")))?.status.phase === "Ready",
  },
  {
    name: "a restore of a group's member, and the group's deletion",
    prepare: async (cluster) => {
      await made(cluster);
      await cluster.group("g", [A, B]);
      await cluster.until(cluster.groups, groupId("g"), (item) => item?.status.phase === "Ready");
      await cluster.volume("c", { source: { kind: "snapshot", id: snapshotId(memberName("g", B)) } });
      await cluster.ready("c");
    },
    ask: async ({ groups }) => groups.delete(groupId("g")),
    isDone: async ({ groups }) => (await groups.get(groupId("g"))) === undefined,
  },
];
