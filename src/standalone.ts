import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { deadManDescriptor } from "./config/environment.ts";
import type { StandaloneConfig } from "./config/standalone.ts";
import { createAdminServer } from "./csi/admin-service.ts";
import { createCsiServer } from "./csi/csi-server.ts";
import type { GrpcServer } from "./csi/server.ts";
import { DmthinError } from "./errors.ts";
import { run } from "./exec/run.ts";
import { LinuxFilesystems } from "./filesystem/linux-filesystems.ts";
import { BlockingThreads } from "./linux/blocking-threads.ts";
import { saveMemory } from "./linux/memory.ts";
import { workerEntry } from "./linux/worker-entry.ts";
import type { Logger } from "./logger.ts";
import type { Metrics, MetricsParts } from "./metrics/metrics.ts";
import { installUdevRules } from "./pool/host-udev.ts";
import type { Pool } from "./pool/pool.ts";
import { watchPools } from "./pool/watch-pools.ts";
import { WorkerPool } from "./pool/worker-pool.ts";
import type { Service } from "./until-signal.ts";
import { LocalVolumes } from "./volumes/local-volumes.ts";
import { TrimSchedule } from "./volumes/trim-schedule.ts";
import { XfsFollower } from "./volumes/xfs-follower.ts";

/** Another boot has another one: what was staged before is staged no more. Source: random(4). */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";
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
  saveMemory();
  logger.info("starting", { version, node: config.nodeName, pools: config.pools.map(({ name }) => name) });
  const ending = new AbortController();
  await installUdevRules(config.pools, logger, ending.signal);
  const pools = openPools(config, logger, (await readFile(BOOT_ID, "utf8")).trim());
  const threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  const slowThreads = new BlockingThreads({ entry: workerEntry("blocking-worker"), limit: trimsAtOnce(config) });
  const filesystems = new LinuxFilesystems({ logger, run, threads, slowThreads });
  const volumes = new LocalVolumes({ pools, filesystems, node: config.nodeName, logger });
  const { enableAttach, attachLimit } = config.testing;
  const options = { attach: enableAttach ? { limit: attachLimit } : undefined, alpha: config.alphaCapabilities };
  let isServing = false;
  const readiness = () => {
    const { abnormal, message } = volumes.health();
    return isServing ? { ready: !abnormal, message } : { ready: false, message: "the driver is being started, or ends" };
  };
  const metrics = await createMetrics(config, { pools, version, readiness, logger });
  const csi = createCsiServer({ volumes, nodeVolumes: volumes, logger, version, options, observe: metrics?.observe });
  const admin = createAdminServer({ pools: () => pools, upkeep: volumes, version, node: config.nodeName, logger });
  const service = closing([csi, admin], pools, [
    watchPools(pools, logger),
    new TrimSchedule({ pools, filesystems, logger }),
    new XfsFollower({ pools, filesystems, logger }),
    threads,
    slowThreads,
    { close: async () => ending.abort() },
    { close: async () => metrics?.close() },
  ]);
  try {
    await listen(metrics, config);
    await settled(pools);
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

/** A file of its own in the bundle: its library is only read and kept where it is used. */
const METRICS = import.meta.url.endsWith(".ts") ? new URL("./metrics/metrics.ts", import.meta.url) : new URL("./metrics.js", import.meta.url);

type MetricsOptions = Pick<MetricsParts, "pools" | "version" | "readiness" | "logger">;

async function createMetrics({ metrics, nodeName: node }: StandaloneConfig, parts: MetricsOptions): Promise<Metrics | undefined> {
  const { listen: address, ...options } = metrics;
  if (address === undefined) return undefined;
  const { createMetrics: create } = (await import(METRICS.href)) as { readonly createMetrics: (all: MetricsParts) => Metrics };
  return create({ ...parts, ...options, node, listen: address });
}

async function listen(metrics: Metrics | undefined, { metrics: { listen: address } }: StandaloneConfig): Promise<void> {
  await metrics?.listen().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DmthinError({ code: "path-unusable", path: `metrics.listen ${address?.host ?? ""}:${address?.port ?? ""}`, reason }, { cause });
  });
}

/** Each begins to recover at once, in a thread of its own. */
const openPools = ({ pools, stateDirectory, runDirectory }: StandaloneConfig, logger: Logger, bootId: string): readonly Pool[] =>
  pools.map((description) => new WorkerPool({ description, stateDirectory, runDirectory, bootId, deadManFd: deadManDescriptor(), logger }));

const trimsAtOnce = ({ pools }: StandaloneConfig): number =>
  Math.max(
    1,
    pools.reduce((sum, { trim }) => sum + (trim?.atOnce ?? 0), 0),
  );

async function settled(pools: readonly Pool[]): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while (performance.now() < until && pools.some(({ view: { status } }) => status.kind === "recovering" || status.kind === "locked"))
    await sleep(SETTLE_STEP_MS);
}

/** Calls end first, since they need the pools; then pools and threads. */
const closing = (servers: readonly GrpcServer[], pools: readonly Pool[], threads: readonly { close(): Promise<void> }[]): Service => ({
  close: async (deadlineMs, hurry) => {
    const until = performance.now() + deadlineMs;
    await Promise.all(servers.map(async (server) => server.close(hurry)));
    const remainingMs = Math.max(until - performance.now(), 0);
    await Promise.all([...pools.map(async (pool) => pool.close(remainingMs)), ...threads.map(async (each) => each.close())]);
  },
});
