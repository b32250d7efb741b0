import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { NODE_THIN_POOL, THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { MiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { eventually } from "../../harness/eventually.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { ended } from "../../harness/program.ts";
import { labDisks as DISKS } from "../../harness/standing.ts";
import { GROUP, POOL } from "../direct-lvm/rig.ts";
import { NODE_NAME, RolesBench } from "./roles-bench.ts";

jest.setTimeout(180_000);
const [FIRST = "", SECOND = ""] = DISKS;
const MOUNT = { mount: { fsType: "ext4" }, accessMode: { mode: "SINGLE_NODE_WRITER" } } as const;
const TOPOLOGY = { segments: { "topology.dmthin.io/node": NODE_NAME } };

let bench: RolesBench;
beforeEach(async () => {
  cleanMachine();
  bench = new RolesBench();
  await bench.prepare();
  await bench.putPool(POOL, { backing: { directLvm: { devices: [FIRST, SECOND] } }, defaultVolumeSize: "64Mi" });
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
});
afterEach(async () => bench[Symbol.asyncDispose]());

async function ready(): Promise<void> {
  await eventually(async () => expect((await bench.nodePool(POOL))?.status).toMatchObject({ phase: "Ready", state: "rw" }));
}

/** Asked again as the provisioner does: the controller's watch may not have told it yet what the test has read. */
async function create(name: string): Promise<string> {
  const ids: string[] = [];
  await eventually(async () => {
    const { volume } = await bench.controller.CreateVolume({
      name,
      capacityRange: { requiredBytes: String(64 * MiB) },
      volumeCapabilities: [MOUNT],
      accessibilityRequirements: { requisite: [TOPOLOGY], preferred: [TOPOLOGY] },
    });
    ids.push(volume?.volumeId ?? "");
  });
  return ids.join();
}

const staging = (): string => bench.path("stage");
async function staged<Result>(id: string, use: (path: string) => Result): Promise<Result> {
  mkdirSync(staging(), { recursive: true });
  await bench.node.NodeStageVolume({ volumeId: id, stagingTargetPath: staging(), volumeCapability: MOUNT });
  const result = use(`${staging()}/file`);
  await bench.node.NodeUnstageVolume({ volumeId: id, stagingTargetPath: staging() });
  return result;
}

/** The machine is made anew around its disks: nothing is left but what is on them. */
async function rebuild(): Promise<void> {
  await bench.stop("node");
  for (const name of ["state", "run"]) rmSync(bench.path(name), { recursive: true, force: true });
  ended("lvm", ["vgchange", "--activate", "n", "--devices", `${FIRST},${SECOND}`, GROUP]);
}

const volumes = () => bench.server.objects(THIN_VOLUME);

test("a node that was made anew around its disks takes its volumes back, carries out what was deleted meanwhile, and nothing else", async () => {
  const [kept, gone, forced] = [await create("kept"), await create("gone"), await create("forced")];
  await staged(kept, (path) => writeFileSync(path, "kept", { flush: true }));
  const { poolUUID } = (await bench.nodePool(POOL))?.status ?? {};
  await rebuild();
  await volumes().delete(gone);
  await volumes().patch(forced, { metadata: { finalizers: [] } });
  await volumes().delete(forced);
  await bench.startNode();
  await ready();
  await eventually(async () => expect(await volumes().get(gone)).toBeUndefined());
  await eventually(async () => expect((await bench.nodePool(POOL))?.status).toMatchObject({ poolUUID, unclaimed: [forced], volumes: 2 }));
  expect(await staged(kept, (path) => readFileSync(path, "utf8"))).toBe("kept");
  expect(await create("new")).toBe(volumeId("new"));
});

test("a pool that only the cluster still knows was made: what it may have as staged is not called unstaged, also after a restart", async () => {
  const kept = await create("kept");
  await bench.stop("node");
  rmSync(bench.path(`state/${POOL}`), { recursive: true });
  ended("lvm", ["vgchange", "--activate", "n", "--devices", `${FIRST},${SECOND}`, GROUP]);
  await bench.startNode(); // with the description that it had accepted, before the API server has told anything
  const unstage = async (): Promise<unknown> => bench.node.NodeUnstageVolume({ volumeId: kept, stagingTargetPath: staging() });
  await eventually(async () => expect(unstage()).rejects.toMatchObject({ details: expect.stringContaining("dmthin pool import") }));
});

test("disks with a pool that the cluster does not know are not taken unasked, and that is said", async () => {
  await create("kept");
  await rebuild();
  for (const { metadata } of (await volumes().list()).items) {
    await volumes().patch(metadata.name, { metadata: { finalizers: [] } });
    await volumes().delete(metadata.name);
  }
  await bench.server.objects(NODE_THIN_POOL).delete(`${POOL}.${NODE_NAME}`);
  await bench.startNode();
  await eventually(async () =>
    expect((await bench.nodePool(POOL))?.status).toMatchObject({ phase: "Refused", message: expect.stringContaining("dmthin pool import") }),
  );
});
