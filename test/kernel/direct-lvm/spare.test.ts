import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { DirectLvmBacking } from "../../../src/config/pool-description.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { output } from "../../harness/program.ts";
import { labDisks } from "../../harness/standing.ts";
import { CareBench } from "../pool/care-bench.ts";
import { GROUP } from "./rig.ts";

jest.setTimeout(180_000);
const [OWN_DISK = "", OTHER_OWN_DISK = "", DISK = ""] = labDisks;
let bench: CareBench;

beforeEach(() => {
  cleanMachine();
  bench = new CareBench();
});
afterEach(async () => {
  await bench.dispose();
});

const backing = (metadataDevices: readonly string[]): DirectLvmBacking => ({
  kind: "directLvm",
  devices: [DISK],
  metadataDevices,
  volumeGroup: GROUP,
  thinpPercent: 10,
  thinpMetaPercent: 1,
  force: false,
});

/** How large a volume is, and on which disks it lies. */
function placed(volume: "pool_tmeta" | "lvol0_pmspare"): { readonly sizeBytes: number; readonly disks: readonly string[] } {
  const columns = ["--all", "--noheadings", "--nosuffix", "--units", "b", "--separator", " ", "--options", "lv_size,devices"];
  const rows = output("lvm", ["lvs", "--devices", labDisks.join(","), ...columns, `${GROUP}/${volume}`])
    .trim()
    .split("\n")
    .map((row) => row.trim().split(" "));
  return { sizeBytes: Number(rows[0]?.[0]), disks: [...new Set(rows.map(([, device = ""]) => device.replace(/\(\d+\)$/, "")))] };
}

test.each([
  ["with all on one disk", [], DISK],
  ["with metadata on a disk of its own", [OWN_DISK], OWN_DISK],
])("the spare, into which a repair writes, is as large as the metadata, and on the same disk, made and extended: %s", async (_, metadataDevices, disk) => {
  const pool = await bench.open({ backing: backing(metadataDevices), autoextend: { thresholdPercent: 100, percent: 20 } });
  let { sizeBytes } = placed("pool_tmeta");
  expect(placed("pool_tmeta").disks).toEqual([disk]);
  expect(placed("lvol0_pmspare")).toEqual({ sizeBytes, disks: [disk] });
  for (const more of [8 * MiB, 16 * MiB]) {
    await pool.calls.extend("metadata", { by: bytes(more) });
    sizeBytes += more;
    expect(placed("pool_tmeta")).toEqual({ sizeBytes, disks: [disk] });
    expect(placed("lvol0_pmspare")).toEqual({ sizeBytes, disks: [disk] });
  }
});

test("metadata whose disk has no room left grows on another of its own", async () => {
  const pool = await bench.open({ backing: backing([OWN_DISK, OTHER_OWN_DISK]), autoextend: { thresholdPercent: 100, percent: 20 } });
  const made = placed("pool_tmeta");
  const [full = ""] = made.disks;
  const asItIs = ["--yes", "--activate", "n", "--wipesignatures", "n", "--zero", "n"];
  output("lvm", ["lvcreate", "--devices", labDisks.join(","), ...asItIs, "--name", "rest", "--extents", "100%PVS", GROUP, full]);
  await pool.calls.extend("metadata", { by: bytes(8 * MiB) });
  const other = full === OWN_DISK ? OTHER_OWN_DISK : OWN_DISK;
  expect(placed("pool_tmeta")).toEqual({ sizeBytes: made.sizeBytes + 8 * MiB, disks: [full, other] });
});
