import { setTimeout as sleep } from "node:timers/promises";
import type { StandaloneConfig } from "./config/standalone.ts";
import { createAdminServer } from "./csi/admin-service.ts";
import { createCsiServer } from "./csi/csi-server.ts";
import type { GrpcServer } from "./csi/server.ts";
import type { Logger } from "./logger.ts";
import { Machine } from "./machine.ts";
import type { Pool } from "./pool/pool.ts";
import type { Service } from "./until-signal.ts";

/**
 * The sockets open when every pool is recovered or refused, or at the latest then: one that hangs holds up no other.
 * Who waits for another driver's pool lets that open its sockets first, and then finds them taken.
 */
const SETTLE_MS = 5000;
const SETTLE_STEP_MS = 10;

interface Surroundings {
  readonly logger: Logger;
  readonly version: string;
}

/** The driver without Kubernetes: recovers the pools, then opens the sockets. Throws "path-unusable" when one cannot be had. */
export async function startStandalone(config: StandaloneConfig, { logger, version }: Surroundings): Promise<Service> {
  logger.info("starting", { version, node: config.nodeName, pools: config.pools.map(({ name }) => name) });
  let isServing = false;
  const readiness = () => {
    const { abnormal, message } = machine.volumes.health();
    return isServing ? { ready: !abnormal, message } : { ready: false, message: "the driver is being started, or ends" };
  };
  const machine: Machine = await Machine.start({ config, logger, version, readiness, trimsAtOnce: trimsAtOnce(config) }, config.pools);
  const { volumes, metrics } = machine;
  const { enableAttach, attachLimit } = config.testing;
  const options = { attach: enableAttach ? { limit: attachLimit } : undefined, alpha: config.alphaCapabilities };
  const csi = createCsiServer({ volumes, nodeVolumes: volumes, logger, version, options, observe: metrics?.observe });
  const admin = createAdminServer({ pools: () => Array.from(machine.pools), upkeep: volumes, trims: machine.trims, version, node: config.nodeName, logger });
  const service = closing([csi, admin], machine);
  try {
    await machine.listen();
    await settled(machine.pools);
    await csi.listen(config.socket, config.socketMode);
    await admin.listen(config.adminSocket);
  } catch (error) {
    await service.close(SETTLE_MS, AbortSignal.abort());
    throw error;
  }
  isServing = true;
  logger.info("serving", { socket: config.socket, adminSocket: config.adminSocket });
  return {
    close: async (...ending) => {
      isServing = false;
      await service.close(...ending);
    },
  };
}

const trimsAtOnce = ({ pools }: StandaloneConfig): number =>
  Math.max(
    1,
    pools.reduce((sum, { trim }) => sum + (trim?.atOnce ?? 1), 0),
  );

const isStarting = ({ view: { status } }: Pool): boolean => status.kind === "recovering" || status.kind === "locked";

async function settled(pools: Iterable<Pool>): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while (performance.now() < until && Array.from(pools).some(isStarting)) await sleep(SETTLE_STEP_MS);
}

/** Calls end first, since they need the pools; then pools and threads. A trim may take hours: who waits for one is told. */
const closing = (servers: readonly GrpcServer[], machine: Machine): Service => ({
  close: async (deadlineMs, hurry) => {
    const until = performance.now() + deadlineMs;
    await machine.trims.close();
    await Promise.all(servers.map(async (server) => server.close(hurry)));
    await machine.close(Math.max(until - performance.now(), 0));
  },
});
