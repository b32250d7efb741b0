import { connectApiServer, type ConnectOptions } from "./cluster/api/connect.ts";
import { ApiEvents } from "./cluster/api/events.ts";
import type { ApiServer } from "./cluster/api/objects-api.ts";
import type { ThinVolume } from "./cluster/objects/thin-volume.ts";
import { ClusterUpkeep } from "./cluster/pools/cluster-upkeep.ts";
import { NodePools } from "./cluster/pools/node-pools.ts";
import { SavedPools } from "./config/saved-pools.ts";
import { kubernetesService } from "./config/environment.ts";
import type { NodeConfig } from "./config/node.ts";
import { createAdminServer } from "./csi/admin-service.ts";
import { createNodeServer } from "./csi/csi-server.ts";
import { DRIVER_NAME } from "./csi/options.ts";
import { Registration } from "./csi/registration.ts";
import { TOPOLOGY_KEY } from "./csi/topology.ts";
import { DmthinError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import { Machine } from "./machine.ts";
import { KUBELET_REGISTERED } from "./metrics/role-gauges.ts";
import { NodeCluster } from "./node-cluster.ts";
import { NodeReadiness, type Readiness } from "./node-readiness.ts";
import { removeClosedPool } from "./offline/beside-driver.ts";
import type { Pool } from "./pool/pool.ts";
import type { Service } from "./until-signal.ts";

/** Over all pools: each of them has a limit of its own, and they come and go. */
const TRIMS_AT_ONCE = 16;
const CLOSE_MS = 5000;

interface Surroundings {
  readonly logger: Logger;
  readonly version: string;
  /** Default: the cluster's own. Asks nothing yet. */
  readonly connect?: (options: ConnectOptions) => Promise<ApiServer & { close(): void }>;
}

/**
 * The driver on a node of Kubernetes. The pools that it had begin to recover first, which resumes whatever a dead driver
 * left suspended; then the sockets open, for the kubelet must be answered whether or not pools and API server are there;
 * then it follows the API server. Throws "path-unusable" when a socket cannot be had.
 */
export async function startNode(config: NodeConfig, { logger, version, connect = connectApiServer }: Surroundings): Promise<Service> {
  const { nodeName: node, stateDirectory, runDirectory } = config;
  logger.info("starting", { version, node });
  const observe: ConnectOptions["observe"] = (request) => machine.metrics?.observeRequest(request);
  const userAgent = `dmthin-node/${version}`;
  const api = await connect({ kubeconfig: config.kubeconfig, service: kubernetesService(), logger, userAgent, observe });
  const events = new ApiEvents({ server: api, controller: "dmthin.io/node", instance: node, logger });
  let isServing = false;
  let cluster: NodeCluster | undefined;
  const unknownPools = (): DmthinError | undefined =>
    pools.isKnown ? undefined : new DmthinError({ code: "pools-unknown", node, reason: "the API server has not told them yet" });
  const judged = new NodeReadiness();
  const readiness = (): Readiness => judged.of(machine.pools, { isServing, isSynced: cluster?.isSynced === true && pools.isKnown });
  const placedIn = (pool: string): number => cluster?.placedIn(pool) ?? 0; // asked when the API server has told all of them
  const recordedUuids = (pool: string): readonly string[] => cluster?.recordedUuids(pool) ?? [];
  const registration = new Registration({ directory: config.registrationDirectory, endpoint: config.endpoint, logger });
  const gauges = [{ ...KUBELET_REGISTERED, value: () => Number(registration.isRegistered) }];
  const options = { config, logger, version, readiness, unknownPools, recordedUuids, trimsAtOnce: TRIMS_AT_ONCE, cluster: { gauges } };
  const machine: Machine = await Machine.start(options, []);
  const beside = { stateDirectory, runDirectory, logger };
  const remove = async (pool: Pool, { wipe }: { readonly wipe: boolean }) =>
    machine.takeOut(pool, async () => removeClosedPool(pool.description, { wipe, ...beside }));
  const host = { open: machine.open.bind(machine), reopen: machine.reopen.bind(machine), remove };
  const pools = new NodePools({ node, host, saved: new SavedPools(stateDirectory, logger), directories: { stateDirectory, runDirectory }, placedIn, logger });
  const { volumes, metrics } = machine;
  const health = () => ({ abnormal: !readiness().ready, message: readiness().message });
  const { maxVolumesPerNode, alphaCapabilities: alpha } = config;
  const csi = createNodeServer({ nodeVolumes: volumes, volumes, maxVolumesPerNode, options: { alpha }, health, logger, version, observe: metrics?.observe });
  const objectOf = (id: string): ThinVolume | undefined => {
    if (cluster?.isSynced === true) return cluster.volume(id);
    throw new DmthinError({ code: "pools-unknown", node, reason: "nor its volumes: the API server has not told them yet" });
  };
  const upkeep = new ClusterUpkeep({ local: volumes, pools, objectOf, names: { driver: DRIVER_NAME, topologyKey: TOPOLOGY_KEY } });
  const admin = createAdminServer({ pools: () => Array.from(machine.pools), upkeep, trims: machine.trims, version, node, logger });
  const service: Service = {
    close: async (deadlineMs, hurry) => {
      const until = performance.now() + deadlineMs;
      isServing = false;
      await Promise.all([registration.close(), machine.trims.close()]); // a trim may take hours: who waits for one is told
      await Promise.all([csi.close(hurry), admin.close(hurry), cluster?.close()]);
      await events.close();
      api.close();
      await machine.close(Math.max(until - performance.now(), 0));
    },
  };
  try {
    await pools.openSaved();
    await machine.listen();
    await csi.listen(config.socket);
    await registration.open();
    await admin.listen(config.adminSocket);
  } catch (error) {
    await service.close(CLOSE_MS, AbortSignal.abort());
    throw error;
  }
  isServing = true;
  cluster = new NodeCluster({ config, api, recorder: events, machine, pools, version, logger });
  logger.info("serving", { socket: config.socket, adminSocket: config.adminSocket });
  return service;
}
