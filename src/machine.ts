import { readFile } from "node:fs/promises";
import { deadManDescriptor } from "./config/environment.ts";
import type { PoolMetricsOptions } from "./config/driver-options.ts";
import type { PoolDescription } from "./config/pool-description.ts";
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
import { watchPools, type PoolWatch } from "./pool/watch-pools.ts";
import { WorkerPool } from "./pool/worker-pool.ts";
import { LocalVolumes } from "./volumes/local-volumes.ts";
import { TrimSchedule } from "./volumes/trim-schedule.ts";
import { XfsFollower } from "./volumes/xfs-follower.ts";

/** Another boot has another one: what was staged before is staged no more. Source: random(4). */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

export interface MachineConfig {
  readonly nodeName: string;
  readonly stateDirectory: string;
  readonly runDirectory: string;
  readonly metrics: PoolMetricsOptions;
}

export interface MachineOptions {
  readonly config: MachineConfig;
  readonly logger: Logger;
  readonly version: string;
  /** How many filesystems may be trimmed at once, over all pools. */
  readonly trimsAtOnce: number;
  readonly unknownPools?: () => DmthinError | undefined;
  readonly readiness: MetricsParts["readiness"];
}

/** What the roles that have pools have in common: this machine's pools and volumes, and all that looks after them. */
export class Machine {
  /** Those that are open, in the order in which they were opened. */
  readonly pools: ReadonlySet<Pool>;
  readonly filesystems: LinuxFilesystems;
  readonly volumes: LocalVolumes;
  readonly metrics: Metrics | undefined;
  readonly #pools: Set<Pool>;
  readonly #bootId: string;
  readonly #options: MachineOptions;
  readonly #threads: readonly BlockingThreads[];
  readonly #ending = new AbortController();
  readonly #caring: readonly { close(): Promise<void> }[];
  readonly #watch: PoolWatch;

  private constructor(options: MachineOptions, pools: Set<Pool>, { bootId, metrics }: { readonly bootId: string; readonly metrics: Metrics | undefined }) {
    const { config, logger, trimsAtOnce, unknownPools } = options;
    this.#options = options;
    this.#bootId = bootId;
    this.pools = this.#pools = pools;
    const threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
    const slowThreads = new BlockingThreads({ entry: workerEntry("blocking-worker"), limit: trimsAtOnce });
    this.#threads = [threads, slowThreads];
    const filesystems = new LinuxFilesystems({ logger, run, threads, slowThreads });
    this.filesystems = filesystems;
    this.volumes = new LocalVolumes({ pools, filesystems, node: config.nodeName, logger, ...(unknownPools === undefined ? {} : { unknownPools }) });
    this.metrics = metrics;
    this.#watch = watchPools(pools, logger);
    this.#caring = [this.#watch, new TrimSchedule({ pools, filesystems, logger }), new XfsFollower({ pools, filesystems, logger })];
  }

  /** The pools of `descriptions` begin to recover at once, each in a thread of its own: what a dead driver left suspended runs again first. */
  static async start(options: MachineOptions, descriptions: readonly PoolDescription[]): Promise<Machine> {
    saveMemory();
    const bootId = (await readFile(BOOT_ID, "utf8")).trim();
    const pools = new Set<Pool>();
    const machine = new Machine(options, pools, { bootId, metrics: await createMetrics(options, pools) });
    await machine.open(descriptions);
    return machine;
  }

  /** Begins to recover them. Tells the host's udev of them first: its rules are there before any device is. */
  async open(descriptions: readonly PoolDescription[]): Promise<readonly Pool[]> {
    const { config, logger } = this.#options;
    await installUdevRules([...Array.from(this.#pools, ({ description }) => description), ...descriptions], logger, this.#ending.signal);
    const { stateDirectory, runDirectory } = config;
    const opened = descriptions.map(
      (description) => new WorkerPool({ description, stateDirectory, runDirectory, bootId: this.#bootId, deadManFd: deadManDescriptor(), logger }),
    );
    for (const pool of opened) this.#pools.add(pool);
    this.#watch.follow();
    return opened;
  }

  /** Ends a pool's thread. Active devices stay active. */
  async closePool(pool: Pool, deadlineMs: number): Promise<void> {
    this.#pools.delete(pool);
    this.#watch.follow();
    await pool.close(deadlineMs);
  }

  /** Where metrics are wanted: rejects with "path-unusable" when their address cannot be had. */
  async listen(): Promise<void> {
    const { listen: address } = this.#options.config.metrics;
    await this.metrics?.listen().catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DmthinError({ code: "path-unusable", path: `metrics.listen ${address?.host ?? ""}:${address?.port ?? ""}`, reason }, { cause });
    });
  }

  /** After the last call has ended. What hangs in the kernel is not waited for beyond the deadline. */
  async close(deadlineMs: number): Promise<void> {
    this.#ending.abort();
    const pools = Array.from(this.#pools, async (pool) => pool.close(deadlineMs));
    await Promise.all([...pools, ...[...this.#caring, ...this.#threads].map(async (each) => each.close()), this.metrics?.close()]);
  }
}

/** A file of its own in the bundle: its library is only read and kept where it is used. */
const METRICS = import.meta.url.endsWith(".ts") ? new URL("./metrics/metrics.ts", import.meta.url) : new URL("./metrics.js", import.meta.url);

async function createMetrics({ config, version, readiness, logger }: MachineOptions, pools: Iterable<Pool>): Promise<Metrics | undefined> {
  const { listen: address, ...options } = config.metrics;
  if (address === undefined) return undefined;
  const { createMetrics: create } = (await import(METRICS.href)) as { readonly createMetrics: (all: MetricsParts) => Metrics };
  return create({ pools, version, readiness, logger, ...options, node: config.nodeName, listen: address });
}
