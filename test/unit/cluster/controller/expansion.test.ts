import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "@jest/globals";
import { statusOf } from "../../../../src/csi/codes.ts";
import { DmthinError, type ErrorCode } from "../../../../src/errors.ts";
import { bytes, GiB } from "../../../../src/units.ts";
import { volumeId } from "../../../../src/volumes/ids.ts";
import { eventually } from "../../../harness/eventually.ts";
import { call, errorOf, hasty, POOL, Stage, wanted } from "./stage.ts";

const ID = volumeId("one");
const refusal = (code: ErrorCode) => ({ facts: { code } });
const NO_ROOM = new DmthinError({ code: "pool-too-small", pool: POOL, wantedBytes: bytes(GiB), availableBytes: bytes(0) });
const to = (gib: number, limitGib?: number) => ({ requiredBytes: BigInt(gib * GiB), limitBytes: limitGib === undefined ? undefined : BigInt(limitGib * GiB) });

describe("expansion and modification", () => {
  const stage = Stage.forEachTest(["one"]);
  const spec = async () => (await stage.current.volumes.get(ID))?.spec;
  const expand = async (gib: number, each = call()) => (await stage.controller.expand(ID, to(gib), each)).record.sizeBytes;
  const make = async (limitGib?: number): Promise<unknown> => stage.controller.create(wanted("one", { size: to(1, limitGib) }), call());

  test("is compared with what the volume has: what it has already is asked of nobody", async () => {
    await make();
    expect(await expand(4)).toBe(4 * GiB);
    const mark = stage.current.api.requests.length;
    expect(await expand(4)).toBe(4 * GiB);
    expect(await expand(2)).toBe(4 * GiB);
    expect(stage.current.requestsSince(mark)).toEqual([]);
    await expect(stage.controller.expand(ID, to(1, 2), call())).rejects.toMatchObject(refusal("out-of-range"));
  });

  test("a volume that was made with a limit grows beyond it", async () => {
    await make(2);
    expect(await expand(4)).toBe(4 * GiB);
    expect((await spec())?.limitBytes).toBeUndefined();
  });

  test("no room is FAILED_PRECONDITION, not RESOURCE_EXHAUSTED; the wish is put back first, and a smaller one can be had", async () => {
    await make();
    stage.current.node("one").script = NO_ROOM;
    const error = await errorOf(expand(100));
    expect(statusOf("ControllerExpandVolume", error)).toBe(status.FAILED_PRECONDITION);
    expect((await spec())?.requiredBytes).toBe(GiB);
    stage.current.node("one").script = "works";
    expect(await expand(2)).toBe(2 * GiB);
  });

  test("a failure that was told before is not told again for a new wish of the same size", async () => {
    await make();
    stage.current.node("one").script = NO_ROOM;
    await expect(expand(3)).rejects.toMatchObject(refusal("pool-too-small"));
    stage.current.node("one").script = "works";
    expect(await expand(3)).toBe(3 * GiB);
  });

  test("a controller that dies before it puts the wish back leaves it to the next call", async () => {
    await make();
    stage.current.node("one").script = NO_ROOM;
    stage.current.api.fail("patch", "ThinVolume", 2);
    await expect(expand(3)).rejects.toMatchObject(refusal("api-unreachable"));
    expect((await spec())?.requiredBytes).toBe(3 * GiB);
    const other = await stage.current.startController();
    await expect(other.volumes.expand(ID, to(3), call())).rejects.toMatchObject(refusal("pool-too-small"));
    expect((await spec())?.requiredBytes).toBe(GiB);
  });

  test("a node that does not answer is ABORTED; the wish stays, and the next call waits for the same", async () => {
    await make();
    stage.current.node("one").script = "sleeps";
    expect(statusOf("ControllerExpandVolume", await errorOf(expand(3, hasty())))).toBe(status.ABORTED);
    const mark = stage.current.api.requests.length;
    const growing = expand(3);
    stage.current.node("one").wake("works");
    expect(await growing).toBe(3 * GiB);
    expect(stage.current.requestsSince(mark).filter(({ verb }) => verb === "patch")).toEqual([]);
  });

  test("a wish that nobody has answered gives way to a smaller one", async () => {
    await make();
    stage.current.node("one").script = "sleeps";
    await expect(expand(30, hasty())).rejects.toMatchObject(refusal("in-progress"));
    const growing = expand(3);
    await eventually(async () => expect((await spec())?.requiredBytes).toBe(3 * GiB));
    stage.current.node("one").wake("works");
    expect(await growing).toBe(3 * GiB);
  });

  test("a volume that is gone, or on its way, is NOT_FOUND", async () => {
    await make();
    stage.current.node("one").whenDeleting = "sleeps";
    await expect(stage.controller.delete(ID, hasty())).rejects.toMatchObject(refusal("in-progress"));
    await expect(expand(2)).rejects.toMatchObject(refusal("not-found"));
    await expect(stage.controller.modify(ID, { discardOnDelete: true }, call())).rejects.toMatchObject(refusal("not-found"));
  });

  test("modifying changes what it names, and nothing else; repeated, it asks nobody", async () => {
    await make();
    await stage.controller.modify(ID, { discardOnDelete: true }, call());
    await stage.controller.modify(ID, { xfsNospaceMaxRetries: 5 }, call());
    expect((await stage.controller.get(ID, call())).record.parameters).toEqual({ discardOnDelete: true, xfsNospaceMaxRetries: 5 });
    const mark = stage.current.api.requests.length;
    await stage.controller.modify(ID, { discardOnDelete: true }, call());
    expect(stage.current.requestsSince(mark)).toEqual([]);
  });

  test("of a modification that fails nothing stays asked for", async () => {
    await make();
    await stage.controller.modify(ID, { xfsNospaceMaxRetries: 5 }, call());
    stage.current.node("one").script = new DmthinError({ code: "invalid-argument", problems: ["not so"] });
    const error = await errorOf(stage.controller.modify(ID, { discardOnDelete: true, xfsNospaceMaxRetries: 7 }, call()));
    expect(statusOf("ControllerModifyVolume", error)).toBe(status.INVALID_ARGUMENT);
    expect((await spec())?.parameters).toMatchObject({ discardOnDelete: false, xfsNospaceMaxRetries: 5 });
  });
});
