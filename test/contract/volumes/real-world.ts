import { spawn } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  fsyncSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import type { ThinListing } from "../../../src/devicemapper/thin-tools.ts";
import { ThinToolsPrograms } from "../../../src/devicemapper/thin-tools-programs.ts";
import { run } from "../../../src/exec/run.ts";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { LinuxFilesystems } from "../../../src/filesystem/linux-filesystems.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Part } from "../../../src/pool/backings/growth.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import type { WorkerPoolOptions } from "../../../src/pool/worker/worker-pool.ts";
import { LocalVolumes } from "../../../src/volumes/local-volumes.ts";
import { isOnLvm, labDisks } from "../choice.ts";
import { until } from "../kernel/pools.ts";
import { describeDisk } from "../kernel/real.ts";
import { VolumeGroup } from "../volume-group.ts";
import { describePool, METADATA_BYTES, NODE, POOL, wholeDisk } from "./description.ts";
import { HookedFilesystems } from "./hooked-filesystems.ts";
import { interruptible } from "./interrupted-makes.ts";
import { keepFolder, putBack } from "./kept-folder.ts";
import { isBelowLvmPool, lvmMetadataOffset, lvmMetadataPath, removeLvmLinks } from "./lvm-in-kernel.ts";
import { poolUuidOf, thinsBeside } from "./pool-in-kernel.ts";
import { blankDisks, lengthenPart, partOf, removeMounts, removePoolDevices } from "./real-machine.ts";
import { openHere, openInWorker } from "./real-drivers.ts";
import type { World, WorldOptions } from "./world.ts";

const [FIRST = "", METADATA = ""] = labDisks;
const LVM_GROUP = new VolumeGroup(`dmthin-${POOL}`, FIRST);

/** The driver on the kernel that this runs on: its pool in this thread, or as it runs for users, in a worker. */
export class RealWorld implements World {
  readonly dm = new KernelDeviceMapper();
  readonly filesystems: Filesystems;
  readonly interruptNextMake: () => void;
  readonly #options: WorldOptions;
  readonly #hooked: HookedFilesystems;
  #devices: { readonly data: string; readonly metadata: string };
  readonly #threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  readonly #folder = mkdtempSync(join(tmpdir(), "dmthin-contract-"));
  #boots = 0;
  /** On the disk, as it was before the machine was shut down. */
  #superblockAt = 0;
  #isRestTaken = false;
  #driver: { readonly pool: Pool; readonly volumes: LocalVolumes } | undefined;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.#devices = this.#attach();
    blankDisks(Object.values(this.#devices)); // they end elsewhere than the disks do
    const { filesystems, interruptNext } = interruptible(new LinuxFilesystems({ logger: silentLogger, run, threads: this.#threads }));
    this.filesystems = filesystems;
    this.#hooked = new HookedFilesystems(filesystems);
    this.interruptNextMake = interruptNext;
    for (const folder of ["state", "run", "paths"]) mkdirSync(join(this.#folder, folder));
  }

  /** Finds or makes the machine clean. */
  static async create(options: WorldOptions): Promise<RealWorld> {
    const dm = new KernelDeviceMapper();
    await removePoolDevices(dm);
    blankDisks([FIRST, METADATA]);
    removeLvmLinks();
    return new RealWorld(options);
  }

  get stateDirectory(): string {
    return join(this.#folder, "state");
  }

  get volumes(): LocalVolumes {
    return this.#running.volumes;
  }

  get view(): PoolView {
    return this.#running.pool.view;
  }

  enlarge(part: Part, sizeBytes: number): void {
    if (isOnLvm) LVM_GROUP.makeRoom(part, sizeBytes);
    else lengthenPart(this.dm, part === "data" ? FIRST : METADATA, part, sizeBytes);
  }

  async look(): Promise<void> {
    await this.#running.pool.calls.refresh();
  }

  async lookUp(what: "inventory" | "measure"): Promise<void> {
    await this.#running.pool.calls[what]();
  }

  get poolUuid(): string {
    return poolUuidOf(this.dm);
  }

  async start(): Promise<void> {
    const pool = await this.#open({ waitsForLock: true });
    if (isOnLvm && this.#options.dataBytes !== undefined && !this.#isRestTaken) {
      this.#isRestTaken = true;
      LVM_GROUP.leaveFree(0);
    }
    this.#driver = { pool, volumes: new LocalVolumes({ node: NODE, pools: [pool], filesystems: this.#hooked.filesystems, logger: silentLogger }) };
  }

  async stop(): Promise<void> {
    await this.#driver?.pool.close(10_000);
    this.#driver = undefined;
  }

  async reboot(): Promise<void> {
    if (isOnLvm) this.#superblockAt = lvmMetadataOffset(this.dm);
    await removeMounts(this.#folder);
    await removePoolDevices(this.dm);
    this.#devices = this.#attach();
    this.#boots++;
  }

  async secondDriver(): Promise<string> {
    try {
      await (await this.#open({ waitsForLock: false })).close(10_000);
      return "it serves";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async thins(): Promise<readonly ThinListing[]> {
    return thinsBeside(this.dm, new ThinToolsPrograms(), isOnLvm ? lvmMetadataPath(this.dm) : this.#devices.metadata);
  }

  devices(): readonly string[] {
    return this.dm
      .list()
      .map(({ name }) => name)
      .filter((name) => name.startsWith("dmthin-") && !isBelowLvmPool(name));
  }

  blankSuperblock(): void {
    const { disk, offset } = this.#superblock;
    const fd = openSync(disk, constants.O_RDWR);
    writeSync(fd, Buffer.alloc(4096), 0, 4096, offset);
    fsyncSync(fd);
    closeSync(fd);
  }

  superblockIsBlank(): boolean {
    const { disk, offset } = this.#superblock;
    const fd = openSync(disk, constants.O_RDONLY);
    const block = Buffer.alloc(4096);
    readSync(fd, block, 0, 4096, offset);
    closeSync(fd);
    return block.every((byte) => byte === 0);
  }

  keepCatalogue(): () => void {
    const kept = mkdtempSync(join(this.#folder, "kept-"));
    if (!isOnLvm) return keepFolder(this.stateDirectory, kept);
    this.#withCatalogue((folder) => void keepFolder(folder, kept));
    return () => this.#withCatalogue((folder) => putBack(folder, kept));
  }

  beforeNext(method: keyof Filesystems, act: () => void | Promise<void>): void {
    this.#hooked.beforeNext(method, act);
  }

  /** A process in a mount namespace of its own, with a copy of all mounts. */
  async leakMounts(): Promise<() => void> {
    const child = spawn("unshare", ["--mount", "--propagation", "private", "sleep", "600"], { stdio: "ignore" });
    const own = readlinkSync("/proc/self/ns/mnt");
    await until(() => readlinkSync(`/proc/${child.pid}/ns/mnt`) !== own && readFileSync(`/proc/${child.pid}/comm`, "utf8") === "sleep\n");
    return () => void child.kill("SIGKILL");
  }

  directory(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  path(name: string): string {
    return join(this.#folder, "paths", name);
  }

  async writeFile(path: string, content: string | Buffer): Promise<void> {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT);
    const data = Buffer.from(content);
    try {
      await file.write(data, 0, data.length, 0);
      await file.truncate(data.length);
    } finally {
      await file.close();
    }
  }

  async readFile(path: string): Promise<Buffer> {
    return readFile(path);
  }

  async syncFile(path: string): Promise<void> {
    const file = await open(path, "r");
    await file.sync();
    await file.close();
  }

  hold(path: string): () => void {
    const fd = openSync(path, "r");
    return () => closeSync(fd);
  }

  async writeBlock(path: string, offset: number, data: Buffer): Promise<void> {
    const file = await open(path, constants.O_RDWR);
    try {
      await file.write(data, 0, data.length, offset);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async readBlock(path: string, offset: number, length: number): Promise<Buffer> {
    const file = await open(path, constants.O_RDONLY);
    try {
      return (await file.read(Buffer.alloc(length), 0, length, offset)).buffer;
    } finally {
      await file.close();
    }
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  async dispose(): Promise<void> {
    await this.stop();
    await removeMounts(this.#folder);
    await removePoolDevices(this.dm);
    this.dm.close();
    await this.#threads.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #superblock(): { readonly disk: string; readonly offset: number } {
    return isOnLvm ? { disk: FIRST, offset: this.#superblockAt } : { disk: METADATA, offset: 0 };
  }

  get #running(): { readonly pool: Pool; readonly volumes: LocalVolumes } {
    if (this.#driver === undefined) throw new Error("the driver is not running");
    return this.#driver;
  }

  /** On LVM it is in a volume of its own, which a driver that is stopped has unmounted. */
  #withCatalogue(work: (folder: string) => void): void {
    const folder = join(this.#folder, "catalogue");
    LVM_GROUP.withMounted("catalog", folder, () => work(folder));
  }

  #attach(): { readonly data: string; readonly metadata: string } {
    const { dataBytes, metadataBytes = METADATA_BYTES } = this.#options;
    return { data: partOf(this.dm, FIRST, "data", isOnLvm ? undefined : dataBytes), metadata: partOf(this.dm, METADATA, "metadata", metadataBytes) };
  }

  get #described(): Parameters<typeof describePool>[0] {
    return isOnLvm ? { ...this.#devices, backing: wholeDisk(describeDisk(FIRST), this.#options) } : this.#devices;
  }

  async #open(lock: { readonly waitsForLock: boolean }): Promise<Pool> {
    const options: WorkerPoolOptions = {
      description: describePool(this.#described, this.#options),
      stateDirectory: this.stateDirectory,
      runDirectory: join(this.#folder, "run"),
      bootId: `boot-${this.#boots}`,
      deadManFd: undefined,
      logger: silentLogger,
    };
    return this.#options.inWorker === true ? openInWorker(options, lock) : openHere(options, this.#threads, this.filesystems.probe.bind(this.filesystems));
  }
}
