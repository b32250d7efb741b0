import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { connectApiServer, type ConnectOptions } from "./cluster/api/connect.ts";
import type { ApiServer } from "./cluster/api/objects-api.ts";
import { Leadership } from "./cluster/api/lease.ts";
import { Controller } from "./cluster/controller/controller.ts";
import { LEASE } from "./cluster/objects/core.ts";
import type { ControllerConfig } from "./config/controller.ts";
import { kubernetesService } from "./config/environment.ts";
import { createControllerServer } from "./csi/csi-server.ts";
import { DRIVER_NAME } from "./csi/options.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { UNCLAIMED_VOLUMES } from "./metrics/role-gauges.ts";
import { listenFor, loadMetrics } from "./serve-metrics.ts";
import type { Service } from "./until-signal.ts";

const CLOSE_MS = 5000;

interface Surroundings {
  readonly logger: Logger;
  readonly version: string;
  /** Default: the cluster's own. Asks nothing yet. */
  readonly connect?: (options: ConnectOptions) => Promise<ApiServer & { close(): void }>;
}

/** The driver beside the CSI sidecars: calls become objects, which the nodes carry out. Throws "path-unusable" when the socket cannot be had. */
export async function startController(config: ControllerConfig, { logger, version, connect = connectApiServer }: Surroundings): Promise<Service> {
  const { namespace, agentSelector, nodeMissingForMs, startupTaint } = config;
  logger.info("starting", { version, namespace });
  let metrics: Metrics | undefined; // the first requests come before it is there
  const observe: ConnectOptions["observe"] = (request) => metrics?.observeRequest(request);
  const userAgent = `dmthin-controller/${version}`;
  const api = await connect({ kubeconfig: config.kubeconfig, service: kubernetesService(), logger, userAgent, observe });
  const controller = new Controller({ api, namespace, agentSelector, nodeMissingForMs, startupTaint, driverName: DRIVER_NAME, logger });
  const leadership = new Leadership({ leases: api.objects(LEASE, namespace), name: config.lease, identity: `${hostname()}_${randomUUID()}`, logger });
  const { enableAttach, attachLimit } = config.testing;
  const options = { attach: enableAttach ? { limit: attachLimit } : undefined, alpha: config.alphaCapabilities };
  let isServing = false;
  const readiness = () => {
    const { abnormal, message } = controller.health();
    return isServing ? { ready: !abnormal, message } : { ready: false, message: "the controller is being started, or ends" };
  };
  const health = () => ({ abnormal: !readiness().ready, message: readiness().message });
  const pools = { pools: undefined, perVolume: false, exclusiveIntervalMs: undefined };
  const gauges = [{ ...UNCLAIMED_VOLUMES, value: () => controller.unclaimedCount }];
  metrics = await loadMetrics({ ...pools, ...config.metrics, cluster: { gauges }, node: "", version, readiness, logger });
  const isNode = (name: string): boolean => controller.isNode(name);
  const csi = createControllerServer({ volumes: controller.volumes, isNode, health, options, logger, version, observe: metrics?.observe });
  const ending = new AbortController();
  let tasks: Promise<void> | undefined;
  const service: Service = {
    close: async (_, hurry) => {
      isServing = false;
      ending.abort();
      await csi.close(hurry);
      await Promise.all([tasks, controller.close(), metrics?.close()]);
      api.close();
    },
  };
  try {
    await listenFor(metrics, config.metrics.listen);
    await csi.listen(config.socket, config.socketMode);
  } catch (error) {
    await service.close(CLOSE_MS, AbortSignal.abort());
    throw error;
  }
  isServing = true;
  tasks = leadership.run(async (signal) => controller.runTasks(signal), ending.signal);
  logger.info("serving", { socket: config.socket });
  return service;
}
