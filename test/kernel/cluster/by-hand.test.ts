import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { EVENT } from "../../../src/cluster/objects/core.ts";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { thinVolumeSpec } from "../../../src/cluster/objects/thin-volume.ts";
import { askUpkeep } from "../../../src/csi/upkeep-client.ts";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { MiB } from "../../../src/units.ts";
import { eventually } from "../../harness/eventually.ts";
import { NODE_NAME, RolesBench } from "./roles-bench.ts";

jest.setTimeout(300_000);
const MOUNT = { mount: { fsType: "ext4" }, accessMode: { mode: "SINGLE_NODE_WRITER" } } as const;
const TOPOLOGY = { segments: { "topology.dmthin.io/node": NODE_NAME } };
const ORPHAN = 4711;

let bench: RolesBench;
beforeEach(async () => {
  bench = new RolesBench();
  await bench.prepare();
  await bench.putPool("fast", { backing: { loop: { directory: bench.path("fast"), dataSize: "1Gi", hostReserve: "0" } } });
  await Promise.all([bench.startNode(), bench.startController()]);
  await eventually(async () => expect((await bench.nodePool("fast"))?.status).toMatchObject({ phase: "Ready", state: "rw" }));
});
afterEach(async () => bench[Symbol.asyncDispose]());

interface Told {
  readonly type: string;
  readonly reason: string;
}
/** What is in no namespace is told in the default one. */
const told = (): readonly Told[] => [...bench.server.stored(EVENT, "default").values()] as unknown as readonly Told[];

test("a fresh loop pool begins without a warning, though its writes will fail once it is full", async () => {
  await eventually(() => expect(told().map(({ reason }) => reason)).toEqual(expect.arrayContaining(["Serving", "WritesFailWhenFull"])));
  expect(told().filter(({ type }) => type !== "Normal")).toEqual([]);
});

test("an orphan is adopted, made known to the cluster by what is printed, and mounted with what it holds", async () => {
  const path = bench.path("stage");
  mkdirSync(path);
  const { volume } = await bench.controller.CreateVolume({
    name: "origin",
    capacityRange: { requiredBytes: String(64 * MiB) },
    volumeCapabilities: [MOUNT],
    accessibilityRequirements: { requisite: [TOPOLOGY], preferred: [TOPOLOGY] },
  });
  const origin = volume?.volumeId ?? "";
  await bench.node.NodeStageVolume({ volumeId: origin, stagingTargetPath: path, volumeCapability: MOUNT });
  writeFileSync(`${path}/file`, "kept");
  await bench.node.NodeUnstageVolume({ volumeId: origin, stagingTargetPath: path });

  const dm = new KernelDeviceMapper();
  const pool = dm.list().find(({ name }) => name === "dmthin-fast-pool" || name === "dmthin--fast-pool");
  const { deviceNumber } = (await bench.server.objects(THIN_VOLUME).get(origin))?.status ?? {};
  dm.message(pool?.uuid ?? "", `create_snap ${ORPHAN} ${deviceNumber}`);
  const { id, manifest } = await askUpkeep(bench.path("admin.sock")).adopt("fast", { number: ORPHAN, name: "rescued", sizeBytes: undefined });

  const [object, persistent] = parseAllDocuments(manifest).map((document) => document.toJS() as { readonly spec: object });
  expect(persistent?.spec).toMatchObject({ csi: { volumeHandle: id, fsType: "ext4" } });
  await bench.server.objects(THIN_VOLUME).create({ metadata: { name: id }, spec: thinVolumeSpec.parse(object?.spec) });
  await eventually(async () =>
    expect((await bench.server.objects(THIN_VOLUME).get(id))?.status).toMatchObject({ phase: "Ready", deviceNumber: ORPHAN, size: "64Mi" }),
  );
  await bench.node.NodeStageVolume({ volumeId: id, stagingTargetPath: path, volumeCapability: MOUNT });
  expect(readFileSync(`${path}/file`, "utf8")).toBe("kept");
  await bench.node.NodeUnstageVolume({ volumeId: id, stagingTargetPath: path });
  for (const volumeId of [id, origin]) await bench.controller.DeleteVolume({ volumeId });
  expect(bench.server.stored(THIN_VOLUME).size).toBe(0);
});
