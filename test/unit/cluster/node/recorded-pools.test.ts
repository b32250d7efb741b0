import { expect, test } from "@jest/globals";
import { recordedUuids, type NodeRecords } from "../../../../src/cluster/node/recorded-pools.ts";
import { NODE_THIN_POOL, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { nodeThinPoolName } from "../../../../src/cluster/objects/node-thin-pool.ts";

const metadata = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" });
const NOTHING: NodeRecords = { nodePools: new Map(), volumes: new Map(), snapshots: new Map(), groups: new Map() };

const volume = (name: string, poolName: string, poolUUID: string | undefined) =>
  THIN_VOLUME.schema.parse({
    metadata: metadata(name),
    spec: { name, nodeName: "one", poolName, requiredBytes: 0, capabilities: [] },
    status: poolUUID === undefined ? {} : { poolUUID },
  });

test("a pool is on record by its own object, and by what is in it; another's is not", () => {
  const name = nodeThinPoolName("fast", "one");
  const pool = NODE_THIN_POOL.schema.parse({ metadata: metadata(name), spec: { poolName: "fast", nodeName: "one" }, status: { poolUUID: "a" } });
  const group = THIN_SNAPSHOT_GROUP.schema.parse({
    metadata: metadata("group-a"),
    spec: { name: "g", nodeName: "one", poolName: "fast", sourceVolumes: [] },
    status: { poolUUID: "c" },
  });
  const records: NodeRecords = {
    ...NOTHING,
    nodePools: new Map([[name, pool]]),
    volumes: new Map([
      ["vol-a", volume("vol-a", "fast", "a")],
      ["vol-b", volume("vol-b", "fast", "b")],
      ["vol-c", volume("vol-c", "slow", "z")],
      ["vol-d", volume("vol-d", "fast", undefined)],
    ]),
    groups: new Map([["group-a", group]]),
  };
  expect(recordedUuids("fast", "one", records)).toEqual(["a", "b", "c"]);
  expect(recordedUuids("slow", "one", records)).toEqual(["z"]);
  expect(recordedUuids("fast", "two", records)).toEqual([]);
  expect(recordedUuids("fast", "one", NOTHING)).toEqual([]);
});
