import { expect, test } from "@jest/globals";
import { programFailed } from "../../../../src/exec/failure.ts";
import type { Output, Run } from "../../../../src/exec/run.ts";
import { silentLogger, type Logger } from "../../../../src/logger.ts";
import { Lvm } from "../../../../src/lvm/lvm.ts";
import { LvmPool } from "../../../../src/pool/backings/lvm-pool.ts";
import { KiB, MiB, bytes } from "../../../../src/units.ts";
import { SimulatedDeviceMapper } from "../../../simulation/device-mapper.ts";
import { SimulatedMachine } from "../../../simulation/machine.ts";
import { SimulatedProcess } from "../../../simulation/process.ts";

const BEFORE = 8 * MiB;
const BY = 4 * MiB;
const SIZE = ["--poolmetadatasize", `+${BY}b`, "group/pool"];
const TOGETHER = ["--alloc", "cling", ...SIZE];
const ALONE = [...SIZE, "/dev/own"];

/** How an extension ends. `isOnRecord`: the larger size is, although it failed. `isMute`: LVM answers no question from then on. */
interface End {
  readonly how: "well" | "refused" | "killed" | "given up";
  readonly isOnRecord?: boolean;
  readonly isMute?: boolean;
}

class OwnProfiles extends Lvm {
  /** Not into this machine's /etc. */
  override async writeProfile(): Promise<void> {}
}

const said = (stdout: string): Output => ({ stdout, stderr: "", exitCode: 0 });

const failed = (argv: readonly string[], how: End["how"]): Error =>
  programFailed({
    argv,
    exitCode: how === "refused" ? 5 : undefined,
    signal: how === "killed" ? "SIGKILL" : undefined,
    stderr: how === "refused" ? `no room: ${argv.includes("cling") ? "together" : "alone"}` : "",
    timedOut: how === "given up",
    aborted: false,
  });

const FIELDS = ["lv_tags", "transaction_id", "data_lv", "metadata_lv", "pool_lv", "lv_profile", "lv_when_full", "seg_monitor", "zero"];

/** As LVM reports a pool whose metadata is that large. */
function report(metadataBytes: number): string {
  const empty = Object.fromEntries(FIELDS.map((field) => [field, ""]));
  const linear = { ...empty, vg_uuid: "group", segtype: "linear", lv_active: "active", chunk_size: "0" };
  const volume = (name: string, sizeBytes: number, more: object = {}) => ({ ...linear, lv_name: name, lv_uuid: name, lv_size: String(sizeBytes), ...more });
  const parts = { data_lv: "[pool_tdata]", metadata_lv: "[pool_tmeta]", lv_profile: "dmthin-fast" };
  const pool = { segtype: "thin-pool", transaction_id: "0", chunk_size: String(64 * KiB), zero: "zero", lv_when_full: "error", ...parts };
  const lv = [volume("pool", 64 * MiB, pool), volume("[pool_tdata]", 64 * MiB), volume("[pool_tmeta]", metadataBytes)];
  return JSON.stringify({ report: [{ lv }], log: [] });
}

/** Extends a pool's metadata once, by what LVM says to one extension after the other. */
async function extend(...ends: readonly End[]) {
  const extensions: (readonly string[])[] = [];
  const warnings: unknown[] = [];
  let sizeBytes: number = BEFORE;
  let isMute = false;
  const run: Run = async (argv) => {
    if (argv[1] === "lvs" && !isMute) return said(report(sizeBytes));
    if (argv[1] === "lvs") throw failed(argv, "refused");
    const end = ends[extensions.length];
    extensions.push(argv.slice(argv.indexOf("--config") + 2));
    if (argv[1] !== "lvextend" || end === undefined) throw new Error(`nobody expected ${argv.join(" ")}`);
    if (end.how === "well" || end.isOnRecord === true) sizeBytes += BY;
    isMute = end.isMute === true;
    if (end.how !== "well") throw failed(argv, end.how);
    return said("");
  };
  const lvm = new OwnProfiles({ run, devices: ["/dev/own"] });
  const dm = new SimulatedDeviceMapper(new SimulatedMachine().kernel, new SimulatedProcess());
  const logger: Logger = { ...silentLogger, warn: (message, fields) => void warnings.push([message, fields]) };
  const pool = new LvmPool({ pool: "fast", group: "group", name: "pool", autoextend: { thresholdPercent: 80, percent: 20 }, dm, logger }, () => lvm);
  const found = await pool.find();
  if (found === undefined) throw new Error("LVM has not told of the pool");
  let error: unknown;
  await pool.extend(found, "metadata", { extents: 1, extentBytes: bytes(BY) }, ["/dev/own"]).catch((reason: unknown) => (error = reason));
  return { error, extensions, warnings, sizeBytes };
}

test("metadata grows with its spare", async () => {
  expect(await extend({ how: "well" })).toEqual({ error: undefined, extensions: [TOGETHER], warnings: [], sizeBytes: BEFORE + BY });
});

test("where LVM refuses both, metadata grows alone, and it is told why, and that its spare has not grown", async () => {
  const { error, extensions, warnings, sizeBytes } = await extend({ how: "refused" }, { how: "well" });
  expect([error, extensions, sizeBytes]).toEqual([undefined, [TOGETHER, ALONE], BEFORE + BY]);
  const why = { volume: "group/pool", error: expect.objectContaining({ message: expect.stringContaining("no room: together") }) };
  expect(warnings).toEqual([[expect.stringContaining("the spare has not grown"), why]]);
});

test("where LVM refuses that too, both reasons are known", async () => {
  const { error, sizeBytes } = await extend({ how: "refused" }, { how: "refused" });
  expect(error).toMatchObject({
    facts: { code: "program-failed", stderr: "no room: alone" },
    cause: { facts: { code: "program-failed", stderr: "no room: together" } },
  });
  expect(sizeBytes).toBe(BEFORE);
});

test.each<End>([
  { how: "given up" },
  { how: "killed" },
  { how: "killed", isOnRecord: true },
  { how: "refused", isOnRecord: true },
  { how: "refused", isMute: true },
])("an extension that may have been done, or be still at work, is not begun a second time (%j)", async (end) => {
  const { error, extensions } = await extend(end);
  expect(error).toMatchObject({ facts: { code: "program-failed", argv: expect.arrayContaining(["lvextend"]), timedOut: end.how === "given up" } });
  expect(extensions).toEqual([TOGETHER]);
});
