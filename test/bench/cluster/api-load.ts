import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../lab/cluster/cluster.ts";
import { counted, driverRequests, type ApiRequest } from "./audit.ts";
import type { Findings } from "./figures.ts";

const IDLE_SECONDS = 60;
/** Until what creations leave to be told has been told: a pool's figures are, every 30 s at most. */
const QUIET_MS = 35_000;

/** What the API server is asked for between a volume's creation and its end. */
export function lifeOf(requests: readonly ApiRequest[], volumes: number): Findings {
  const writes = requests.filter(({ isWrite }) => isWrite);
  const ofVolumes = writes.filter(({ what }) => what.includes("thinvolumes"));
  const others = writes.filter(({ what }) => !what.includes("thinvolumes"));
  const reads = requests.filter(({ isWrite, what }) => !isWrite && !what.includes("watch"));
  return {
    title: `a volume's life: created, staged, published, deleted (${volumes} of them)`,
    operations: [],
    figures: {
      "writes of its ThinVolume": counted(ofVolumes, volumes),
      "other writes, a volume": counted(others, volumes),
      "reads, a volume": counted(reads, volumes),
    },
  };
}

const isLease = ({ what }: ApiRequest): boolean => what.includes("leases");
const isWatch = ({ what }: ApiRequest): boolean => what.startsWith("watch");

/** What it is asked for while nothing happens: volumes are there, and are used. */
export async function idle(cluster: Cluster, progress: (text: string) => void): Promise<Findings> {
  progress(`nothing, for ${(QUIET_MS / 1000 + IDLE_SECONDS).toFixed(0)} s`);
  await sleep(QUIET_MS);
  const begun = Date.now();
  await sleep(IDLE_SECONDS * 1000);
  const requests = (await driverRequests(cluster.folder)).filter((request) => request.begun >= begun);
  const minutes = IDLE_SECONDS / 60;
  const { items } = await cluster.api.list("/apis/dmthin.io/v1alpha1/thinvolumes");
  return {
    title: `idle, ${cluster.nodes.length} nodes, ${items.length} volumes: requests of the driver a minute`,
    operations: [],
    figures: {
      "of the lease, 2 controllers": counted(requests.filter(isLease), minutes),
      "watches that begin again": counted(requests.filter(isWatch), minutes),
      others: counted(
        requests.filter((request) => !isLease(request) && !isWatch(request)),
        minutes,
      ),
    },
  };
}
