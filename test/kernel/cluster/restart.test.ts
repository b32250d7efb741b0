import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { MiB } from "../../../src/units.ts";
import { eventually } from "../../harness/eventually.ts";
import { NODE_NAME, RolesBench } from "./roles-bench.ts";

jest.setTimeout(300_000);
const VOLUMES = 40;
const LARGER_BYTES = 128 * MiB;
const TOPOLOGY = { segments: { "topology.dmthin.io/node": NODE_NAME } };
/** The node looks at its pools each second, and then at what was put off. */
const SETTLED_MS = 3_000;

let bench: RolesBench;
beforeEach(async () => {
  bench = new RolesBench();
  await bench.prepare();
});
afterEach(async () => bench[Symbol.asyncDispose]());

const ready = async (): Promise<void> => eventually(async () => expect((await bench.nodePool("fast"))?.status).toMatchObject({ phase: "Ready", state: "rw" }));

async function create(name: string): Promise<void> {
  await eventually(async () => {
    await bench.controller.CreateVolume({
      name,
      capacityRange: { requiredBytes: String(64 * MiB) },
      volumeCapabilities: [{ mount: { fsType: "ext4" }, accessMode: { mode: "SINGLE_NODE_WRITER" } }],
      accessibilityRequirements: { requisite: [TOPOLOGY], preferred: [TOPOLOGY] },
    });
  });
}

test("a node that starts again lists its objects and asks for none of them but what has changed: what is as it should be is not written", async () => {
  await bench.putPool("fast", { backing: { loop: { directory: bench.path("fast"), dataSize: "1Gi", hostReserve: "0" } }, overcommitRatio: 100 });
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  for (let index = 0; index < VOLUMES; index++) await create(`pvc-${index}`);
  await bench.stop("controller");
  await bench.stop("node");
  const objects = bench.server.objects(THIN_VOLUME);
  const changed = (await objects.list()).items.at(-1)?.metadata.name ?? ""; // its turn is after all others'
  await objects.patch(changed, { spec: { requiredBytes: LARGER_BYTES } });
  const { requests } = bench.server;
  const before = requests.length;

  await bench.startNode();
  await eventually(async () => expect((await objects.get(changed))?.status).toMatchObject({ phase: "Ready", sizeBytes: LARGER_BYTES }));
  await sleep(SETTLED_MS);

  const since = requests.slice(before).filter(({ name }) => name !== changed);
  expect(since.filter(({ kind, verb }) => kind === THIN_VOLUME.kind && verb === "list")).toHaveLength(1);
  expect(since.filter(({ kind, verb }) => kind === THIN_VOLUME.kind && verb !== "list" && verb !== "watch")).toEqual([]);
  expect(since.length).toBeLessThan(VOLUMES);
});
