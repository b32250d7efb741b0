import { expect, test } from "@jest/globals";
import { carryGroups } from "../../../../src/cluster/node/groups.ts";
import { carrySnapshots } from "../../../../src/cluster/node/snapshots.ts";
import { carryVolumes, wantedOf } from "../../../../src/cluster/node/volumes.ts";
import { THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { groupId, snapshotId, volumeId } from "../../../../src/volumes/ids.ts";

const metadata = (name: string) => ({ name, uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" });
const CAPABILITY = { access: "mount", filesystem: "ext4", mountFlags: ["noatime"], mode: "SINGLE_NODE_WRITER" };

const volume = (spec: object = {}, name = volumeId("a")) =>
  THIN_VOLUME.schema.parse({
    metadata: metadata(name),
    spec: { name: "a", nodeName: "one", poolName: "fast", requiredBytes: 1024, capabilities: [CAPABILITY], ...spec },
  });

const snapshot = (name: string, sourceVolume: string) =>
  THIN_SNAPSHOT.schema.parse({ metadata: metadata(name), spec: { name: "s", nodeName: "one", poolName: "fast", sourceVolume } });
const group = (name: string, sourceVolumes: readonly string[]) =>
  THIN_SNAPSHOT_GROUP.schema.parse({ metadata: metadata(name), spec: { name: "g", nodeName: "one", poolName: "fast", sourceVolumes } });

test("an object as the controller makes it has no problems", () => {
  expect(carryVolumes.problems(volume())).toEqual([]);
  for (const source of [
    { kind: "snapshot", id: snapshotId("s") },
    { kind: "volume", id: volumeId("b") },
  ])
    expect(carryVolumes.problems(volume({ source }))).toEqual([]);
});

const wrong: readonly (readonly [string, ReturnType<typeof volume>, RegExp])[] = [
  ["another's name", volume({}, volumeId("b")), /objects are made by dmthin's controller/],
  ["a name that is no id", volume({}, "../../etc"), /is called vol-/],
  ["no CSI name", volume({ name: "" }, volumeId("")), /spec.name is empty/],
  ["a name beyond all measure", volume({ name: "a".repeat(129) }, volumeId("a".repeat(129))), /at most 128/],
  ["a path as its source", volume({ source: { kind: "snapshot", id: "../../etc/passwd" } }), /no snapshot's/],
  ["a snapshot for a volume", volume({ source: { kind: "volume", id: snapshotId("s") } }), /no volume's/],
  ["no capabilities", volume({ capabilities: [] }), /capabilities is empty/],
  ["mount flags that are none", volume({ capabilities: [{ ...CAPABILITY, mountFlags: ["a\0b"] }] }), /mountFlags/],
  ["mkfs options that are none", volume({ mkfsOptions: [""] }), /mkfsOptions/],
  ["retries without end", volume({ parameters: { xfsNospaceMaxRetries: 2 ** 40 } }), /from -1 to/],
];

test.each(wrong)("a volume with %s is refused", (_, item, problem) => {
  expect(carryVolumes.problems(item).join("; ")).toMatch(problem);
});

test("several problems are told at once", () => {
  expect(carryVolumes.problems(volume({ capabilities: [], mkfsOptions: [""] }, "x"))).toHaveLength(3);
});

test("snapshots and groups name volumes, and themselves", () => {
  expect(carrySnapshots.problems(snapshot(snapshotId("s"), volumeId("a")))).toEqual([]);
  expect(carrySnapshots.problems(snapshot(snapshotId("t"), "/dev/sda"))).toHaveLength(2);
  expect(carryGroups.problems(group(groupId("g"), [volumeId("a"), volumeId("b")]))).toEqual([]);
  expect(carryGroups.problems(group(groupId("h"), [volumeId("a"), "b", "c"]))).toHaveLength(3);
});

test("what is asked of the node is what the object says, and nothing of where", () => {
  expect(
    wantedOf(volume({ limitBytes: 4096, filesystem: "xfs", parameters: { discardOnDelete: true }, source: { kind: "volume", id: volumeId("b") } }).spec),
  ).toEqual({
    name: "a",
    size: { requiredBytes: 1024n, limitBytes: 4096n },
    capabilities: [CAPABILITY],
    parameters: { pool: "fast", filesystem: "xfs", mkfsOptions: [], mutable: { discardOnDelete: true } },
    origin: { kind: "volume", id: volumeId("b") },
    topology: undefined,
  });
  expect(wantedOf(volume().spec)).toMatchObject({ size: { limitBytes: undefined }, origin: { kind: "blank" }, parameters: { mutable: {} } });
});
