import { readFileSync, rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectApiServer } from "../../../src/cluster/api/connect.ts";
import { CLAIM, PERSISTENT_VOLUME } from "../../../src/cluster/objects/core.ts";
import { silentLogger } from "../../../src/logger.ts";
import { RealApiServer } from "../../chart/api-server.ts";
import { CHART } from "../../chart/generated.ts";
import { DRIVER, TOPOLOGY_KEY } from "../../e2e/manifests.ts";
import { residentMiB } from "../driver-times.ts";
import { LeanClient } from "../lean-client.ts";
import { timed } from "../statistics.ts";
import { ControllerProcess } from "./controller-process.ts";
import { rows, type Findings } from "./figures.ts";
import { SimulatedNodes } from "./simulated-nodes.ts";

const NAMESPACE = "dmthin";
const CLAIM_NAME = "bench";
const NODES = 100;
const VOLUMES = 1000;
const AT_ONCE = 50;
const MORE = 200;
const GiB = 1024 ** 3;
/** What a process lets go of after much work is gone by then. */
const SETTLE_MS = 12_000;

type Progress = (text: string) => void;

/** The controller in a cluster of some size: real, in front of a real API server; the nodes are objects, and answer at once. */
export async function scale(progress: Progress): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-bench-"));
  try {
    await using server = await RealApiServer.start();
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, server.kubeconfig(), { mode: 0o600 });
    await prepare(server);
    progress(`${NODES} simulated nodes`);
    const names = Array.from({ length: NODES }, (_, index) => `node-${index}.example.com`);
    await using _nodes = await SimulatedNodes.start(kubeconfig, NAMESPACE, names);
    return await measure({ folder, kubeconfig, names, progress });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(server: RealApiServer): Promise<void> {
  const definitions = join(CHART, "files/crds");
  const texts = await Promise.all((await readdir(definitions)).map(async (name) => readFile(join(definitions, name), "utf8")));
  await server.must(["apply", "--server-side", "-f", "-"], texts.join("\n---\n"));
  await server.must(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
  await server.must(["create", "namespace", NAMESPACE]);
  const spec = { accessModes: ["ReadWriteOnce"], storageClassName: "bench", resources: { requests: { storage: "1Gi" } } };
  const claim = { apiVersion: CLAIM.apiVersion, kind: CLAIM.kind, metadata: { name: CLAIM_NAME, namespace: NAMESPACE }, spec };
  await server.must(["create", "-f", "-"], JSON.stringify(claim));
}

interface Place {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly names: readonly string[];
  readonly progress: Progress;
}

async function measure({ folder, kubeconfig, names, progress }: Place): Promise<Findings> {
  const api = await connectApiServer({ kubeconfig, service: undefined, userAgent: "bench", logger: silentLogger });
  const controller = await ControllerProcess.start(folder, kubeconfig, NAMESPACE);
  const client = new LeanClient(controller.socket);
  const atStartMiB = residentMiB(controller.pid);
  progress(`creating ${VOLUMES} volumes, one at a time`);
  const one: number[] = [];
  for (let index = 0; index < VOLUMES; index++) {
    const begun = performance.now();
    const volumeHandle = await createVolume(client, index, names);
    one.push(performance.now() - begun);
    // As the provisioner does: the controller has these in memory too.
    await api.objects(PERSISTENT_VOLUME).create({ metadata: { name: `pvc-${index}` }, spec: persistentVolume(volumeHandle) });
  }
  await sleep(SETTLE_MS);
  const memoryMiB = residentMiB(controller.pid);
  progress(`creating ${MORE} volumes, ${AT_ONCE} at once`);
  const many = await atOnce(MORE, async (index) => void (await createVolume(client, VOLUMES + index, names)));
  const capacity = await timed(200, () => client.call("GetCapacity", { accessible_topology: segments(names[0] ?? "") }));
  const peakMiB = peak(controller.pid);
  await client.close();
  await controller.stop();
  progress(`starting the controller with ${VOLUMES + MORE} volumes`);
  const again = await ControllerProcess.start(folder, kubeconfig, NAMESPACE);
  await again.stop();
  api.close();
  return {
    title: `controller, ${NODES} simulated nodes`,
    operations: rows({
      [`CreateVolume, 1st to ${VOLUMES}th, 1 at a time`]: one,
      "CreateVolume, 1st to 100th": one.slice(0, 100),
      [`CreateVolume, last 100 of ${VOLUMES}`]: one.slice(-100),
      [`CreateVolume, ${AT_ONCE} at once`]: many,
      "GetCapacity of one node": capacity,
    }),
    figures: {
      "memory at its start, MiB": atStartMiB,
      [`memory with ${VOLUMES} volumes, MiB`]: memoryMiB,
      "memory at most, MiB": peakMiB,
      [`start with ${VOLUMES + MORE} volumes, until it is ready, seconds`]: Number((again.startMs / 1000).toFixed(2)),
    },
  };
}

/** Begins one as soon as another has ended. @returns how long each took, in milliseconds */
async function atOnce(n: number, operation: (index: number) => Promise<void>): Promise<readonly number[]> {
  const times: number[] = [];
  const indexes = Array.from({ length: n }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of indexes) times.push(...(await timed(1, async () => operation(index))));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return times;
}

const segments = (node: string) => ({ segments: { [TOPOLOGY_KEY]: node } });

/** As the provisioner asks: all nodes would do, the scheduler's first. */
async function createVolume(client: LeanClient, index: number, names: readonly string[]): Promise<string> {
  const first = index % names.length;
  const topologies = [...names.slice(first), ...names.slice(0, first)].map(segments);
  const { volume } = (await client.call("CreateVolume", {
    name: `bench-${index}`,
    capacity_range: { required_bytes: GiB },
    volume_capabilities: [{ mount: { fs_type: "ext4" }, access_mode: { mode: "SINGLE_NODE_WRITER" } }],
    parameters: { "csi.storage.k8s.io/pvc/name": CLAIM_NAME, "csi.storage.k8s.io/pvc/namespace": NAMESPACE },
    accessibility_requirements: { requisite: topologies, preferred: topologies },
  })) as { readonly volume: { readonly volume_id: string } };
  return volume.volume_id;
}

const persistentVolume = (volumeHandle: string) => ({
  capacity: { storage: "1Gi" },
  accessModes: ["ReadWriteOnce"],
  csi: { driver: DRIVER, volumeHandle, fsType: "ext4" },
});

/** The most memory that the process ever had, in MiB. */
function peak(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number((Number(kibibytes) / 1024).toFixed(1));
}
