import { deadManDescriptor } from "./config/environment.ts";
import type { PoolMetricsOptions } from "./config/driver-options.ts";
import type { PoolDescription } from "./config/pool-description.ts";
import type { DmthinError } from "./errors.ts";
import { run } from "./exec/run.ts";
import { LinuxFilesystems } from "./filesystem/linux-filesystems.ts";
import { BlockingThreads } from "./linux/blocking-threads.ts";
import { readBootId } from "./linux/boot-id.ts";
import { saveMemory } from "./linux/memory.ts";
import { workerEntry } from "./linux/worker-entry.ts";
import type { Logger } from "./logger.ts";
import type { Metrics, MetricsParts } from "./metrics/metrics.ts";
import { installUdevRules } from "./pool/backings/host-udev.ts";
import type { Pool } from "./pool/pool.ts";
import { watchPools, type PoolWatch } from "./pool/care/watch-pools.ts";
import { WorkerPool } from "./pool/worker/worker-pool.ts";
import { listenFor, loadMetrics } from "./serve-metrics.ts";
import { LocalVolumes } from "./volumes/local-volumes.ts";
import { TrimSchedule } from "./volumes/trim-schedule.ts";
import { XfsFollower } from "./volumes/xfs-follower.ts";

/** For what a pool is at: its calls, and a step of its care. */
const CLOSE_MS = 30_000;

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
  /** The uuids by which a pool of that name is on record elsewhere as this machine's; of one that is opened before they were told, none. Default: it is on record nowhere. */
  readonly recordedUuids?: (pool: string) => readonly string[];
  readonly readiness: MetricsParts["readiness"];
  /** Of a role under Kubernetes. */
  readonly cluster?: MetricsParts["cluster"];
}

/** What the roles that have pools have in common: this machine's pools and volumes, and all that looks after them. */
export class Machine {
  /** Those that are open, in the order in which they were opened. */
  readonly pools: ReadonlySet<Pool>;
  readonly filesystems: LinuxFilesystems;
  readonly volumes: LocalVolumes;
  readonly trims: TrimSchedule;
  readonly metrics: Metrics | undefined;
  readonly #pools: Set<Pool>;
  readonly #bootId: string;
  readonly #options: MachineOptions;
  readonly #threads: readonly BlockingThreads[];
  readonly #ending = new AbortController();
  readonly #caring: readonly { close(): Promise<void> }[];
  readonly #watch: PoolWatch;

  private constructor(options: MachineOptions, pools: Set<Pool>, { bootId, metrics }: { readonly bootId: string; readonly metrics: Metrics | undefined }) {
    const { config, logger, trimsAtOnce, unknownPools, recordedUuids } = options;
    this.#options = options;
    this.#bootId = bootId;
    this.pools = this.#pools = pools;
    const threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
    const slowThreads = new BlockingThreads({ entry: workerEntry("blocking-worker"), limit: trimsAtOnce });
    this.#threads = [threads, slowThreads];
    const filesystems = new LinuxFilesystems({ logger, run, threads, slowThreads });
    this.filesystems = filesystems;
    this.volumes = new LocalVolumes({ pools, filesystems, node: config.nodeName, logger, unknownPools, recordedUuids });
    this.metrics = metrics;
    this.#watch = watchPools(pools, logger);
    this.trims = new TrimSchedule({ pools, filesystems, logger });
    this.#caring = [this.#watch, this.trims, new XfsFollower({ pools, filesystems, logger })];
  }

  /** The pools of `descriptions` begin to recover at once, each in a thread of its own: what a dead driver left suspended runs again first. */
  static async start(options: MachineOptions, descriptions: readonly PoolDescription[]): Promise<Machine> {
    saveMemory();
    const bootId = readBootId();
    const pools = new Set<Pool>();
    const { config, version, readiness, logger, cluster } = options;
    const asked = cluster === undefined ? {} : { cluster };
    const metrics = await loadMetrics({ ...config.metrics, ...asked, pools, node: config.nodeName, version, readiness, logger });
    const machine = new Machine(options, pools, { bootId, metrics });
    await machine.open(descriptions);
    return machine;
  }

  /** Begins to recover them. The host's udev is told of them first: its rules are there before any device is. */
  async open(descriptions: readonly PoolDescription[]): Promise<readonly Pool[]> {
    await this.#tellUdev(descriptions);
    return this.#add(descriptions);
  }

  /** The same pool by another description. It is among the pools all the while: calls are put off, and nothing seems absent. */
  async reopen(pool: Pool, description: PoolDescription): Promise<Pool> {
    await pool.close(CLOSE_MS);
    return this.#replace(pool, description);
  }

  /** Ends a pool's thread for `work`, after which it is no more. When that fails, the pool is opened again, and answered with the error. */
  async takeOut(pool: Pool, work: () => Promise<void>): Promise<{ readonly error: unknown; readonly pool: Pool } | undefined> {
    await pool.close(CLOSE_MS);
    try {
      await work();
    } catch (error) {
      return { error, pool: await this.#replace(pool, pool.description) };
    }
    this.#pools.delete(pool);
    this.#watch.follow();
    return undefined;
  }

  /** In one step: there is no moment in which the pool is not there. */
  async #replace(pool: Pool, description: PoolDescription): Promise<Pool> {
    await this.#tellUdev([description]);
    this.#pools.delete(pool);
    const [opened] = this.#add([description], pool);
    if (opened === undefined) throw new Error("a pool was not opened");
    return opened;
  }

  async #tellUdev(more: readonly PoolDescription[]): Promise<void> {
    const all = [...Array.from(this.#pools, ({ description }) => description), ...more];
    await installUdevRules(all, this.#options.logger, this.#ending.signal);
  }

  #add(descriptions: readonly PoolDescription[], before?: Pool): readonly Pool[] {
    const { config, recordedUuids = () => [], logger } = this.#options;
    const { stateDirectory, runDirectory } = config;
    const common = { stateDirectory, runDirectory, bootId: this.#bootId, deadManFd: deadManDescriptor(), logger, ...(before && { before }) };
    const opened = descriptions.map((description) => new WorkerPool({ ...common, description, recordedUuids: recordedUuids(description.name) }));
    for (const pool of opened) this.#pools.add(pool);
    this.#watch.follow();
    return opened;
  }

  /** Where metrics are wanted: throws "path-unusable" when their address cannot be had. */
  async listen(): Promise<void> {
    await listenFor(this.metrics, this.#options.config.metrics.listen);
  }

  /** After the last call has ended. What hangs in the kernel is not waited for beyond the deadline. */
  async close(deadlineMs: number): Promise<void> {
    this.#ending.abort();
    const pools = Array.from(this.#pools, async (pool) => pool.close(deadlineMs));
    await Promise.all([...pools, ...[...this.#caring, ...this.#threads].map(async (each) => each.close()), this.metrics?.close()]);
  }
}
