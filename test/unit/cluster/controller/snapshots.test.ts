import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "@jest/globals";
import { NODE_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { statusOf } from "../../../../src/csi/codes.ts";
import { DmthinError, type ErrorCode } from "../../../../src/errors.ts";
import { bytes } from "../../../../src/units.ts";
import { groupId, memberName, snapshotId } from "../../../../src/volumes/ids.ts";
import { eventually } from "../../../harness/eventually.ts";
import { call, errorOf, hasty, POOL, Stage, wanted } from "./stage.ts";

const refusal = (code: ErrorCode) => ({ facts: { code } });
const FULL = new DmthinError({ code: "pool-low", pool: POOL, resource: "data", freeBytes: bytes(0), minimumBytes: bytes(1) });
const on = (node: string) => ({ requisite: [node], preferred: [node] });
const PAGE = { maxEntries: 0, startingToken: "" };
const SNAPSHOT = snapshotId("moment");

describe("snapshots and groups", () => {
  const stage = Stage.forEachTest();
  const volume = async (name: string, node = "one"): Promise<string> => (await stage.controller.create(wanted(name, { topology: on(node) }), call())).record.id;
  const snapshot = async (sourceVolumeId: string, each = call()) => stage.controller.createSnapshot({ name: "moment", sourceVolumeId }, each);
  const group = async (...sourceVolumeIds: readonly string[]) => stage.controller.createGroup({ name: "group", sourceVolumeIds }, call());

  test("a full pool is FAILED_PRECONDITION, never RESOURCE_EXHAUSTED, and leaves nothing to be deleted", async () => {
    const source = await volume("source");
    stage.current.node("one").script = FULL;
    const error = await errorOf(snapshot(source));
    expect(error).toMatchObject(refusal("pool-low"));
    expect(statusOf("CreateSnapshot", error)).toBe(status.FAILED_PRECONDITION);
    expect(await stage.current.snapshots.get(SNAPSHOT)).toBeUndefined();
    await stage.controller.deleteSnapshot(SNAPSHOT, call());
  });

  test("a node that is down and has not accepted is FAILED_PRECONDITION, and leaves nothing", async () => {
    const source = await volume("source");
    stage.current.node("one").script = "sleeps";
    const taking = errorOf(snapshot(source));
    await eventually(async () => expect(await stage.current.snapshots.get(SNAPSHOT)).toBeDefined());
    await stage.current.setAgent("one", false);
    const error = await taking;
    expect(error).toMatchObject(refusal("node-unavailable"));
    expect(statusOf("CreateSnapshot", error)).toBe(status.FAILED_PRECONDITION);
    expect(await stage.current.snapshots.get(SNAPSHOT)).toBeUndefined();
    expect(statusOf("CreateSnapshot", await errorOf(snapshot(source)))).toBe(status.FAILED_PRECONDITION);
  });

  test("a node that has accepted is waited for: ABORTED, and the next call finds it", async () => {
    const source = await volume("source");
    stage.current.node("one").script = "accepts";
    expect(statusOf("CreateSnapshot", await errorOf(snapshot(source, hasty())))).toBe(status.ABORTED);
    expect((await stage.current.snapshots.get(SNAPSHOT))?.metadata.finalizers).toEqual([NODE_FINALIZER]);
    const taking = snapshot(source);
    stage.current.node("one").wake("works");
    expect((await taking).record.id).toBe(SNAPSHOT);
  });

  test("a snapshot is where its source is, survives it, and its name is its own", async () => {
    const [source, other] = [await volume("source", "two"), await volume("other")];
    expect(await snapshot(source)).toMatchObject({ node: "two", record: { id: SNAPSHOT, sourceVolumeId: source } });
    expect((await snapshot(source)).record.id).toBe(SNAPSHOT);
    await expect(snapshot(other)).rejects.toMatchObject(refusal("already-exists"));
    await stage.controller.delete(source, call());
    expect((await stage.controller.getSnapshot(SNAPSHOT, call())).record.sourceVolumeId).toBe(source);
    await expect(stage.controller.createSnapshot({ name: "second", sourceVolumeId: source }, call())).rejects.toMatchObject(refusal("not-found"));
  });

  test("listing by id serves snapshots and a group's members, which say to which group they belong", async () => {
    const [one, two] = [await volume("one"), await volume("two")];
    await snapshot(one);
    const { record, snapshots } = await group(one, two);
    expect(snapshots.map(({ record: member }) => member.id)).toEqual([one, two].map((id) => snapshotId(memberName("group", id))));
    const listed = async (id: string | undefined) => (await stage.controller.listSnapshots({ snapshotId: id, sourceVolumeId: undefined }, PAGE, call())).items;
    expect((await listed(SNAPSHOT)).map((each) => each.record.groupId)).toEqual([undefined]);
    expect((await listed(record.snapshotIds[1])).map((each) => [each.record.groupId, each.record.sourceVolumeId])).toEqual([[groupId("group"), two]]);
    expect(await listed(undefined)).toHaveLength(3);
    expect((await stage.controller.getSnapshot(record.snapshotIds[0] ?? "", call())).record.groupId).toBe(groupId("group"));
    const restored = await stage.controller.create(wanted("restored", { origin: { kind: "snapshot", id: record.snapshotIds[0] ?? "" } }), call());
    expect(restored.node).toBe("one");
  });

  test("members go with their group, and their names are theirs", async () => {
    const one = await volume("one");
    const { record } = await group(one);
    const [member = ""] = record.snapshotIds;
    await expect(stage.controller.deleteSnapshot(member, call())).rejects.toMatchObject(refusal("invalid-argument"));
    await expect(stage.controller.createSnapshot({ name: memberName("group", one), sourceVolumeId: one }, call())).rejects.toMatchObject(
      refusal("already-exists"),
    );
    await expect(stage.controller.deleteGroup(record.id, [], call())).rejects.toMatchObject(refusal("invalid-argument"));
    await stage.controller.deleteGroup(record.id, [member], call());
    await stage.controller.deleteGroup(record.id, [member], call());
    await expect(stage.controller.getSnapshot(member, call())).rejects.toMatchObject(refusal("not-found"));
    await expect(stage.controller.getGroup(record.id, [member], call())).rejects.toMatchObject(refusal("not-found"));
  });

  test("volumes of two nodes have no one moment: FAILED_PRECONDITION, and nothing is taken", async () => {
    const error = await errorOf(group(await volume("one"), await volume("two", "two")));
    expect(error).toMatchObject(refusal("sources-apart"));
    expect(statusOf("CreateVolumeGroupSnapshot", error)).toBe(status.FAILED_PRECONDITION);
    expect(await stage.current.groups.get(groupId("group"))).toBeUndefined();
  });

  test("a group that fails is withdrawn; one of other volumes is ALREADY_EXISTS", async () => {
    const [one, two] = [await volume("one"), await volume("two")];
    stage.current.node("one").script = FULL;
    await expect(group(one, two)).rejects.toMatchObject(refusal("pool-low"));
    expect(await stage.current.groups.get(groupId("group"))).toBeUndefined();
    stage.current.node("one").script = "works";
    await group(one, two);
    await group(two, one);
    await expect(group(one)).rejects.toMatchObject(refusal("already-exists"));
  });
});
