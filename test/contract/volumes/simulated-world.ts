import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceMapper } from "../../../src/devicemapper/device-mapper.ts";
import type { ThinListing } from "../../../src/devicemapper/thin-tools.ts";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { EngineParts } from "../../../src/pool/engine-parts.ts";
import type { Part } from "../../../src/pool/backings/growth.ts";
import { openInThread } from "../../../src/pool/worker/in-thread-pool.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import type { StepObserver } from "../../../src/pool/transition.ts";
import { GiB } from "../../../src/units.ts";
import { LocalVolumes } from "../../../src/volumes/local-volumes.ts";
import { SimulatedBacking, simulatedSuperblock } from "../../simulation/backing.ts";
import { SimulatedDeadMan } from "../../simulation/dead-man.ts";
import { SimulatedDeviceMapper } from "../../simulation/device-mapper.ts";
import type { BlockDevice } from "../../simulation/disk.ts";
import { SimulatedFiles } from "../../simulation/files.ts";
import { SimulatedFilesystems } from "../../simulation/filesystems.ts";
import { SimulatedMachine } from "../../simulation/machine.ts";
import { SimulatedProcess } from "../../simulation/process.ts";
import { SimulatedSlowCalls } from "../../simulation/slow-calls.ts";
import { SimulatedThinTools } from "../../simulation/thin-tools.ts";
import { waiting } from "../../simulation/waiting.ts";
import { describePool, METADATA_BYTES, NODE, POOL } from "./description.ts";
import { HookedFilesystems } from "./hooked-filesystems.ts";
import { keepFolder } from "./kept-folder.ts";
import { poolUuidOf, thinsBeside } from "./pool-in-kernel.ts";
import type { World, WorldOptions } from "./world.ts";

export const DISKS = { data: "/dev/simulated0", metadata: "/dev/simulated1" };

/** A driver that runs in a simulated process. */
interface Driver {
  readonly hooked: HookedFilesystems;
  readonly pool: Pool;
  readonly volumes: LocalVolumes;
}

/** The driver's own code, on a simulated machine, in the test's thread. Killing and power cuts are exact here. */
export class SimulatedNode implements Omit<World, "volumes"> {
  readonly machine = new SimulatedMachine();
  readonly dm: DeviceMapper;
  readonly filesystems: Filesystems;
  readonly files = new SimulatedFiles(this.machine);
  /** The process that the next driver, or the one now, runs in: for faults, and to die at a step. */
  process = new SimulatedProcess();
  /** Watches the engine's own steps. */
  observe: StepObserver = () => undefined;
  readonly #options: WorldOptions;
  readonly #administrator = new SimulatedProcess();
  readonly #folder = mkdtempSync(join(tmpdir(), "dmthin-contract-"));
  #lives = 0;
  #driver: Driver | undefined;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.machine.kernel.addDisk(DISKS.data, options.dataBytes ?? 8 * GiB);
    this.machine.kernel.addDisk(DISKS.metadata, options.metadataBytes ?? METADATA_BYTES);
    this.dm = new SimulatedDeviceMapper(this.machine.kernel, this.#administrator);
    this.filesystems = new SimulatedFilesystems(this.machine, this.#administrator);
  }

  /** A new one for each life of the driver: what a dead one still writes is in its own. */
  get stateDirectory(): string {
    return join(this.#folder, `life${this.#lives}`);
  }

  get local(): LocalVolumes {
    return this.#running.volumes;
  }

  get view(): PoolView {
    return this.#running.pool.view;
  }

  get pool(): Pool {
    return this.#running.pool;
  }

  enlarge(part: Part, sizeBytes: number): void {
    this.machine.kernel.disk(DISKS[part]).sizeBytes = sizeBytes;
  }

  async look(): Promise<void> {
    await this.pool.calls.refresh();
  }

  async lookUp(what: "inventory" | "measure"): Promise<void> {
    await this.pool.calls[what]();
  }

  get poolUuid(): string {
    return poolUuidOf(this.dm);
  }

  async start(): Promise<void> {
    if (this.process.dead) this.process = new SimulatedProcess();
    const { process } = this;
    process.onDeath(() => this.#keepState());
    const pool = await openInThread(this.#parts(process));
    const hooked = new HookedFilesystems(new SimulatedFilesystems(this.machine, process));
    const volumes = new LocalVolumes({ node: NODE, pools: [pool], filesystems: hooked.filesystems, logger: silentLogger });
    this.#driver = { hooked, pool, volumes };
  }

  async stop(): Promise<void> {
    await this.#driver?.pool.close(10_000);
    this.#driver = undefined;
    this.process = new SimulatedProcess();
  }

  async kill(): Promise<void> {
    this.process.kill();
    this.#driver = undefined;
  }

  async reboot(): Promise<void> {
    for (const entry of this.machine.mounts.entries.toReversed()) this.machine.mounts.remove(entry);
    this.machine.kernel.powerCut();
  }

  /** What was not committed is lost, and nobody was asked. */
  async powerCut(): Promise<void> {
    this.process.kill();
    this.#driver = undefined;
    this.machine.kernel.powerCut();
  }

  async secondDriver(): Promise<string> {
    const pool = openInThread(this.#parts(new SimulatedProcess()));
    return pool.then(
      () => "it serves",
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  async thins(): Promise<readonly ThinListing[]> {
    return thinsBeside(this.dm, new SimulatedThinTools(this.machine.kernel, this.#administrator), DISKS.metadata);
  }

  devices(): readonly string[] {
    return this.dm.list().map(({ name }) => name);
  }

  blankSuperblock(): void {
    this.machine.kernel.disk(DISKS.metadata).write(0, Buffer.alloc(4096));
  }

  superblockIsBlank(): boolean {
    return this.machine.kernel
      .disk(DISKS.metadata)
      .read(0, 4096)
      .every((byte) => byte === 0);
  }

  keepCatalogue(): () => void {
    return keepFolder(this.stateDirectory, mkdtempSync(join(this.#folder, "kept-")));
  }

  interruptNextMake(): void {
    this.process.faults.fail("mkfs", 1, "EINTR");
  }

  beforeNext(method: keyof Filesystems, act: () => void | Promise<void>): void {
    this.#running.hooked.beforeNext(method, act);
  }

  async leakMounts(): Promise<() => void> {
    return this.machine.mounts.leak();
  }

  directory(name: string): string {
    const path = this.path(name);
    this.machine.paths.set(path, "directory");
    return path;
  }

  path(name: string): string {
    return `/run/contract/${name}`;
  }

  async writeFile(path: string, content: string | Buffer): Promise<void> {
    await this.files.write(path, Buffer.from(content));
  }

  async readFile(path: string): Promise<Buffer> {
    return this.files.read(path);
  }

  async syncFile(path: string): Promise<void> {
    await this.files.sync(path);
  }

  hold(path: string): () => void {
    return this.files.hold(path);
  }

  async writeBlock(path: string, offset: number, data: Buffer): Promise<void> {
    await waiting(() => {
      const block = this.#block(path);
      block.write(offset, data);
      block.flush();
    });
  }

  async readBlock(path: string, offset: number, length: number): Promise<Buffer> {
    return waiting(() => this.#block(path).read(offset, length));
  }

  exists(path: string): boolean {
    return this.machine.paths.has(path) || this.files.exists(path);
  }

  async dispose(): Promise<void> {
    if (!this.process.dead) await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #running(): Driver {
    if (this.#driver === undefined) throw new Error("the driver is not running");
    return this.#driver;
  }

  #parts(process: SimulatedProcess): EngineParts {
    const { kernel } = this.machine;
    return {
      description: describePool(DISKS, this.#options),
      dm: new SimulatedDeviceMapper(kernel, process),
      slow: new SimulatedSlowCalls(this.machine, process),
      tools: new SimulatedThinTools(kernel, process),
      backing: new SimulatedBacking(kernel, process, DISKS),
      readSuperblock: simulatedSuperblock(kernel, process),
      deadMan: new SimulatedDeadMan(kernel, process),
      stateDirectory: join(this.stateDirectory, POOL),
      bootId: `boot-${kernel.bootId}`,
      logger: this.#options.logger ?? silentLogger,
      observe: (...step) => this.observe(...step),
    };
  }

  /** The files as they are at the moment of death; what the dead process does to its own from now on is nobody's. */
  #keepState(): void {
    const before = this.stateDirectory;
    this.#lives++;
    cpSync(before, this.stateDirectory, { recursive: true });
  }

  #block(path: string): BlockDevice {
    return this.files.block(path);
  }
}

/** Whose volumes are asked for on the machine itself. */
export class SimulatedWorld extends SimulatedNode implements World {
  get volumes(): LocalVolumes {
    return this.local;
  }
}
