import { describe, expect, test } from "@jest/globals";
import { DmthinError, type ErrorCode } from "../../../../src/errors.ts";
import { bytes, GiB } from "../../../../src/units.ts";
import { groupId, snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { call, errorOf, hasty, POOL, Stage, wanted } from "./stage.ts";

const refusal = (code: ErrorCode) => ({ facts: { code } });
const FULL = new DmthinError({ code: "pool-too-small", pool: POOL, wantedBytes: bytes(GiB), availableBytes: bytes(0) });
const SOURCE = volumeId("source");
const KINDS = ["volume", "snapshot", "group"] as const;

/** The node lets go of what it failed to make a moment after it has told the failure: the same name may come in between. */
describe.each(KINDS)("a %s that failed, was withdrawn, and is still there when its name comes again", (kind) => {
  const stage = Stage.forEachTest(["one"]);

  const create = async (time = call()): Promise<unknown> => {
    const { controller } = stage;
    if (kind === "volume") return controller.create(wanted("again"), time);
    if (kind === "snapshot") return controller.createSnapshot({ name: "again", sourceVolumeId: SOURCE }, time);
    return controller.createGroup({ name: "again", sourceVolumeIds: [SOURCE] }, time);
  };

  const stored = async () => {
    const { current } = stage;
    if (kind === "volume") return current.volumes.get(volumeId("again"));
    if (kind === "snapshot") return current.snapshots.get(snapshotId("again"));
    return current.groups.get(groupId("again"));
  };

  const failAndLinger = async (): Promise<void> => {
    const node = stage.current.node("one");
    await stage.controller.create(wanted("source"), call());
    node.script = "accepts";
    const failing = errorOf(create());
    await stage.current.settled();
    node.wake(FULL);
    node.whenDeleting = "sleeps";
    expect(await failing).toMatchObject(refusal("pool-too-small"));
    expect((await stored())?.metadata.deletionTimestamp).toBeDefined();
  };

  test("is waited for: the next creation gets its own answer", async () => {
    await failAndLinger();
    const again = create();
    await stage.current.settled();
    stage.current.node("one").wake("works");
    await again;
    expect(await stored()).toMatchObject({ metadata: { finalizers: [expect.any(String)] }, status: { phase: "Ready" } });
  });

  test("is under way for who cannot wait, and being deleted once its node is lost", async () => {
    await failAndLinger();
    await expect(create(hasty())).rejects.toMatchObject(refusal("in-progress"));
    await stage.current.clusterNodes.delete("one");
    await stage.current.settled();
    expect(await errorOf(create())).toMatchObject(refusal("in-progress"));
    stage.current.now += 600_000;
    expect(await errorOf(create())).toMatchObject(refusal("being-deleted"));
  });
});
