import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ThinListing } from "../../src/devicemapper/thin-tools.ts";
import { silentLogger } from "../../src/logger.ts";
import type { DeadMan, EngineParts } from "../../src/pool/engine-parts.ts";
import { openInThread } from "../../src/pool/worker/in-thread-pool.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { GiB, MiB } from "../../src/units.ts";
import { describePool, type Bench } from "../crash/bench.ts";
import { SimulatedBacking, simulatedSuperblock } from "../simulation/backing.ts";
import { SimulatedDeadMan } from "../simulation/dead-man.ts";
import { SimulatedDeviceMapper } from "../simulation/device-mapper.ts";
import { SimulatedFiles } from "../simulation/files.ts";
import { SimulatedFilesystems } from "../simulation/filesystems.ts";
import { SimulatedMachine } from "../simulation/machine.ts";
import { SimulatedSlowCalls } from "../simulation/slow-calls.ts";
import { SimulatedThinTools } from "../simulation/thin-tools.ts";
import { MortalProcess } from "./mortal-process.ts";

const DISKS = { data: "/dev/simulated0", metadata: "/dev/simulated1" };
const POOL = "crash";
const CONTENT_BYTES = 256 * 1024;

/** How a driver's life ends: with its dead man's handle at work, with its whole container, or with the power. */
export const ENDS = ["its process is killed", "its container is killed whole", "the power is cut"] as const;
export type End = (typeof ENDS)[number];

/** Half a container: whoever would resume is killed as well. */
const NO_DEAD_MAN: DeadMan = { arm: () => undefined, disarm: () => undefined, close: () => undefined };

/** A machine with a pool's disks, and the lives of the driver on it. Its catalogue is a real one, in memory where there is a tmpfs. */
export class SimulatedNode implements Disposable {
  readonly machine = new SimulatedMachine();
  /** Somebody beside the driver: changes what he likes, and is never ended. */
  readonly administrator = new MortalProcess();
  readonly dm = new SimulatedDeviceMapper(this.machine.kernel, this.administrator);
  readonly #folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "dmthin-crash-"));
  readonly #pools: Pool[] = [];
  #life = 0;

  constructor() {
    this.machine.kernel.addDisk(DISKS.data, 1 * GiB);
    this.machine.kernel.addDisk(DISKS.metadata, 16 * MiB);
    mkdirSync(this.#state);
  }

  get #state(): string {
    return join(this.#folder, `life${this.#life}`);
  }

  /** Starts a driver. The state directory is copied the moment its process dies: what its code goes on to write is nobody's. */
  async start(process: MortalProcess, end: End): Promise<Pool> {
    process.onDeath(() => {
      const before = this.#state;
      this.#life++;
      cpSync(before, this.#state, { recursive: true });
      if (end === "the power is cut") this.machine.kernel.powerCut();
    });
    const pool = await openInThread(this.#parts(process, end));
    this.#pools.push(pool);
    return pool;
  }

  bench(pool: Pool, process: MortalProcess, { unsyncedLost = false } = {}): Bench {
    const { machine } = this;
    const filesystems = new SimulatedFilesystems(machine, process);
    const files = new SimulatedFiles(machine);
    return {
      pool,
      run: "crash",
      unsyncedLost,
      write: async (path, byte) => {
        const block = files.block(path);
        block.write(0, Buffer.alloc(CONTENT_BYTES, byte));
        block.flush();
      },
      read: async (path) => {
        const content = files.block(path).read(0, CONTENT_BYTES);
        return content.every((byte) => byte === content[0]) ? (content[0] ?? "mixed") : "mixed";
      },
      format: async (path) => filesystems.make("ext4", path, []),
      mount: async (device, target) => {
        machine.paths.set(target, "directory");
        await filesystems.mount({ device, target, type: "ext4", readOnly: false, options: [] });
      },
      enlargeMetadata: () => void (machine.kernel.disk(DISKS.metadata).sizeBytes += MiB),
      mostMetadataBytes: () => machine.kernel.disk(DISKS.metadata).sizeBytes,
      unmount: async (target) => void (await filesystems.unmount(target)),
      writeFile: async (mountPoint, text) => files.write(`${mountPoint}/file`, Buffer.from(text)),
      readFile: async (mountPoint) => (files.exists(`${mountPoint}/file`) ? (await files.read(`${mountPoint}/file`)).toString() : undefined),
    };
  }

  get poolUuid(): string {
    const found = this.dm.list().find(({ name }) => name === `dmthin-${POOL}-pool`);
    if (found === undefined) throw new Error("the pool's device is not active");
    return found.uuid;
  }

  /** What stands in the way of whoever comes next: suspended devices, and tables that would take effect unasked. */
  leftovers(): readonly string[] {
    return this.machine.kernel.devices.flatMap((device) => {
      const { name, suspended, hasInactiveTable } = device.info();
      return [...(suspended ? [`${name} is suspended`] : []), ...(hasInactiveTable ? [`${name} has an inactive table`] : [])];
    });
  }

  /** thin_ls. The pool's metadata snapshot must be free. */
  async thins(): Promise<readonly ThinListing[]> {
    this.dm.message(this.poolUuid, "reserve_metadata_snap");
    try {
      return await new SimulatedThinTools(this.machine.kernel, this.administrator).list(DISKS.metadata, { live: true });
    } finally {
      this.dm.message(this.poolUuid, "release_metadata_snap");
    }
  }

  [Symbol.dispose](): void {
    for (const pool of this.#pools) void pool.close(0).catch(() => undefined);
    rmSync(this.#folder, { recursive: true });
  }

  #parts(process: MortalProcess, end: End): EngineParts {
    const { kernel } = this.machine;
    return {
      description: describePool(POOL, DISKS),
      dm: new SimulatedDeviceMapper(kernel, process),
      slow: new SimulatedSlowCalls(this.machine, process),
      tools: new SimulatedThinTools(kernel, process),
      backing: new SimulatedBacking(kernel, process, DISKS),
      readSuperblock: simulatedSuperblock(kernel, process),
      deadMan: end === "its process is killed" ? new SimulatedDeadMan(kernel, process) : NO_DEAD_MAN,
      stateDirectory: this.#state,
      bootId: String(kernel.bootId),
      logger: silentLogger,
      observe: process.observe,
    };
  }
}
