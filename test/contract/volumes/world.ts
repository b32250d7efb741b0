import type { PoolDescription } from "../../../src/config/pool-description.ts";
import type { DeviceMapper } from "../../../src/devicemapper/device-mapper.ts";
import type { ThinListing } from "../../../src/devicemapper/thin-tools.ts";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import type { Logger } from "../../../src/logger.ts";
import type { Part } from "../../../src/pool/backings/growth.ts";
import type { PoolView } from "../../../src/pool/pool.ts";
import type { PoolUpkeep } from "../../../src/volumes/upkeep.ts";
import type { NodeVolumes, Volumes } from "../../../src/volumes/volumes.ts";

export interface WorldOptions {
  /** Of the pool's data; 8 GiB, or the whole disk, without it. What is beyond it is not the pool's until `enlarge`. On LVM in whole extents. */
  readonly dataBytes?: number;
  /** Of the pool's metadata; 64 MiB without it. */
  readonly metadataBytes?: number;
  /** On the simulated kernel, hears what the pool says. */
  readonly logger?: Logger;
  /** On the real kernel, the pool has the worker thread that it has for users. */
  readonly inWorker?: boolean;
  readonly pool?: Partial<
    Pick<
      PoolDescription,
      | "minimumFree"
      | "overcommitRatio"
      | "defaultVolumeSize"
      | "discardOnDelete"
      | "filesystem"
      | "chunkSize"
      | "trim"
      | "whenFull"
      | "autoextend"
      | "zeroNewBlocks"
    >
  >;
}

/**
 * A machine with one pool on blank disks, and the driver running on it: simulated, or the one that this runs on.
 * What is not the driver's is what its users and administrators do.
 */
export interface World {
  /** Of the driver that runs now. */
  readonly volumes: Volumes & NodeVolumes & PoolUpkeep;
  readonly view: PoolView;

  /** Starts the driver; it runs when a test begins. Rejects with the reason when the pool is refused. */
  start(): Promise<void>;
  /** A clean end. Mounts and devices stay. */
  stop(): Promise<void>;
  /** The machine is shut down in good order and comes back, without its mounts and devices; the driver has to be stopped before, and started after. */
  reboot(): Promise<void>;
  /** Starts another driver on the same pool and state; answers why it does not serve. */
  secondDriver(): Promise<string>;

  /** Device-mapper and filesystem programs in an administrator's hands. */
  readonly dm: DeviceMapper;
  readonly filesystems: Filesystems;
  /** An administrator makes what is below a part of the pool larger, to this size; the one before was given with the world's options. */
  enlarge(part: Part, sizeBytes: number): void;
  /** The driver looks at its pool now, as it does every few seconds; what that leads to follows. */
  look(): Promise<void>;
  /** What is looked up in the pool's metadata while it is in use: each asks for a metadata snapshot, of which there is one. */
  lookUp(what: "inventory" | "measure"): Promise<void>;
  /** What the pool's metadata holds now, in order of number. Works while the driver runs. */
  thins(): Promise<readonly ThinListing[]>;
  /** The kernel's devices of this machine's pool, by name. */
  devices(): readonly string[];
  readonly poolUuid: string;
  /** Zeroes the superblock of the pool's metadata; the driver has to be stopped, and the pool's devices gone. */
  blankSuperblock(): void;
  /** Whether the superblock is nothing but zeros. */
  superblockIsBlank(): boolean;
  /** What the driver knows of its pool, beside the pool. */
  readonly stateDirectory: string;
  /** Copies the catalogue; the answered function puts the copy in the place of what is there by then. The driver has to be stopped, both times. */
  keepCatalogue(): () => void;
  /** The next mkfs is ended half way. */
  interruptNextMake(): void;
  /** Something happens just before the driver's next call of one of its filesystem functions. */
  beforeNext(method: keyof Filesystems, act: () => void | Promise<void>): void;
  /** Another mount namespace with a copy of all that is mounted now, until the answered function is called. */
  leakMounts(): Promise<() => void>;

  /** An existing directory for this name, as the container orchestrator makes them before it calls. */
  directory(name: string): string;
  /** A path in an existing directory, with nothing there yet. */
  path(name: string): string;
  /** Content of the same length as before takes its place in one step. */
  writeFile(path: string, content: string | Buffer): Promise<void>;
  readFile(path: string): Promise<Buffer>;
  /** What is written and not yet synced reaches the device. */
  syncFile(path: string): Promise<void>;
  /** Keeps a file open until the answered function is called. */
  hold(path: string): () => void;
  /** Of a published block device, or of a device node. What was written is on the device when it resolves. */
  writeBlock(path: string, offset: number, data: Buffer): Promise<void>;
  readBlock(path: string, offset: number, length: number): Promise<Buffer>;
  exists(path: string): boolean;

  /** Ends the driver, and leaves the machine as it was found. */
  dispose(): Promise<void>;
}
