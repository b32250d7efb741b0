import { execFileSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import { ClusterUpkeep, type ClusterUpkeepParts } from "../../../../src/cluster/pools/cluster-upkeep.ts";
import { changeProblems } from "../../../../src/cluster/pools/description-change.ts";
import { DmthinError } from "../../../../src/errors.ts";
import type { CareReport } from "../../../../src/pool/care/care-report.ts";
import type { PoolDescription } from "../../../../src/config/pool-description.ts";
import { bytes, GiB, MiB } from "../../../../src/units.ts";
import { described, loop, SeenPool } from "./seen-pool.ts";

const NAMES = { driver: "csi.example", topologyKey: "topology.example/node" };

function upkeepOf(spec: Readonly<Record<string, unknown>>): {
  readonly upkeep: ClusterUpkeep;
  readonly done: unknown[];
  readonly description: PoolDescription;
} {
  const done: unknown[] = [];
  const note =
    (what: string) =>
    async (...args: readonly unknown[]): Promise<never> =>
      void done.push([what, ...args]) as never;
  const local = { addDevices: note("add"), extend: note("extend"), orphans: note("orphans") } as unknown as ClusterUpkeepParts["local"];
  const pool = new SeenPool(described("fast", spec)).serves();
  pool.view.apply({ kind: "care", care: { data: { headroomBytes: bytes(20 * GiB) }, metadata: { headroomBytes: bytes(0) } } as unknown as CareReport });
  const pools = { seen: () => new Map([["fast", { pool }]]) };
  return { upkeep: new ClusterUpkeep({ local, pools, objectOf: () => undefined, names: NAMES }), done, description: pool.description };
}

/** The patch that is printed, as a shell takes it. */
async function patchOf(refused: Promise<unknown>): Promise<unknown> {
  const error = await refused.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DmthinError) || error.facts.code !== "pool-unchanged") throw error;
  const [, command = ""] = /^change that: (kubectl patch thinpool fast --type=merge --patch '.*')$/.exec(error.facts.remedy) ?? [];
  const words = execFileSync("sh", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8" })
    .trim()
    .split("\n");
  expect(words.slice(0, -1)).toEqual(["kubectl", "patch", "thinpool", "fast", "--type=merge", "--patch"]);
  return JSON.parse(words.at(-1) ?? "");
}

const disks = (devices: readonly string[]) => ({ backing: { directLvm: { devices } } });

test("another disk is a patch of the ThinPool, which keeps those that it names", async () => {
  const { upkeep, done } = upkeepOf(disks(["/dev/sda", "/dev/disk/by-id/nvme-*"]));
  expect(await patchOf(upkeep.addDevices("fast", ["/dev/sdb", "/dev/sda", "/dev/it's"]))).toEqual({
    spec: disks(["/dev/sda", "/dev/disk/by-id/nvme-*", "/dev/sdb", "/dev/it's"]),
  });
  expect(done).toEqual([]);
});

test.each([
  ["data", { to: bytes(200 * GiB) }, { dataSize: "200Gi", maximumDataSize: "200Gi" }],
  ["data", { by: bytes(MiB) }, { dataSize: "102401Mi", maximumDataSize: "102401Mi" }],
  ["data", "max", { dataSize: "120Gi", maximumDataSize: "120Gi" }],
  ["metadata", { to: bytes(GiB + 512) }, { metadataSize: "1073742336" }],
] as const)("the size of a loop pool's %s, %j, is a patch that can be followed", async (part, target, files) => {
  const { upkeep, description, done } = upkeepOf(loop("fast"));
  expect(await patchOf(upkeep.extend("fast", part, target))).toEqual({ spec: { backing: { loop: files } } });
  const patched = described("fast", { backing: { loop: { directory: "/srv/fast", dataSize: "100Gi", ...files } } });
  expect(changeProblems(description, patched)).toEqual([]);
  expect(done).toEqual([]);
});

test("a maximum that is large enough stays", async () => {
  const { upkeep } = upkeepOf({ backing: { loop: { directory: "/srv/fast", dataSize: "100Gi", maximumDataSize: "1Ti" } } });
  expect(await patchOf(upkeep.extend("fast", "data", { to: bytes(200 * GiB) }))).toEqual({ spec: { backing: { loop: { dataSize: "200Gi" } } } });
});

test("what no description says is done here: taking what disks have left, and orphans; unknown pools are for the machine to refuse", async () => {
  const { upkeep, done } = upkeepOf(disks(["/dev/sda"]));
  await upkeep.extend("fast", "data", "max");
  await upkeep.orphans("fast");
  await upkeep.addDevices("other", ["/dev/sdb"]);
  expect(done).toEqual([
    ["extend", "fast", "data", "max"],
    ["orphans", "fast"],
    ["add", "other", ["/dev/sdb"]],
  ]);
});
