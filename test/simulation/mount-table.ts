import type { Mount } from "../../src/filesystem/filesystems.ts";
import { MappedDevice } from "./mapped-device.ts";
import type { BlockDevice } from "./disk.ts";
import { programFailed } from "./errno.ts";
import type { SimulatedKernel } from "./kernel.ts";
import { mountable, MountedFilesystem } from "./mounted-filesystem.ts";

/** A mount: of a filesystem, or of a device node that was bound. */
export interface MountEntry extends Mount {
  readonly filesystem: MountedFilesystem | undefined;
  /** Files kept open through it. */
  holds: number;
  readonly release: () => void;
}

const DEVTMPFS = { major: 0, minor: 6, type: "devtmpfs" };

/** The mounts of a machine, in mount order. They outlive processes, not power cuts. */
export class MountTable {
  readonly #kernel: SimulatedKernel;
  readonly #filesystems = new Map<BlockDevice, MountedFilesystem>();
  #entries: MountEntry[] = [];

  constructor(kernel: SimulatedKernel) {
    this.#kernel = kernel;
    kernel.onPowerCut(() => {
      this.#entries = [];
      this.#filesystems.clear();
    });
  }

  get entries(): readonly MountEntry[] {
    return this.#entries;
  }

  /** The last mount on exactly this path. */
  at(target: string): MountEntry | undefined {
    return this.#entries.findLast((entry) => entry.target === target);
  }

  /** The mount that a path is seen through, and the path within it. */
  resolve(path: string): { readonly entry: MountEntry; readonly within: string } | undefined {
    const covering = this.#entries.filter(({ target }) => path === target || path.startsWith(`${target}/`));
    const longest = Math.max(...covering.map(({ target }) => target.length));
    const entry = covering.findLast(({ target }) => target.length === longest);
    return entry === undefined ? undefined : { entry, within: path.slice(entry.target.length) };
  }

  isMounted(device: BlockDevice): boolean {
    return this.#filesystems.has(device);
  }

  /** xfs refuses a second filesystem with a mounted one's uuid, unless told `nouuid`; btrfs always does (before Linux 6.7). */
  mount(device: BlockDevice, target: string, type: string, readOnly: boolean, options: readonly string[]): void {
    const filesystem = this.#filesystems.get(device) ?? this.#begin(device, type, readOnly, options);
    const { major, minor } = device;
    this.#add({ target, root: "/", major, minor, type, readOnly: readOnly || filesystem.readOnly, options: [readOnly ? "ro" : "rw", ...options] }, filesystem);
  }

  bindDirectory(source: string, target: string, readOnly: boolean): void {
    const found = this.resolve(source);
    if (found?.entry.filesystem === undefined)
      throw programFailed(["mount", "--bind", source, target], 32, "nothing of the simulation's is mounted at the source");
    const { entry, within } = found;
    const root = entry.root === "/" ? within || "/" : `${entry.root}${within}`;
    const both = readOnly || entry.readOnly;
    this.#add(
      { ...plain(entry), target, root, readOnly: both, options: entry.options.map((option) => (option === "rw" && both ? "ro" : option)) },
      entry.filesystem,
    );
  }

  bindNode(device: string, target: string, readOnly: boolean): void {
    this.#add({ ...DEVTMPFS, target, root: device.replace(/^\/dev/, ""), readOnly, options: [readOnly ? "ro" : "rw"] }, undefined);
  }

  /** Takes the last mount off a path. What is open through it goes on being open. */
  remove(entry: MountEntry): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
    entry.release();
  }

  /** Keeps everything that is mounted now mounted somewhere that nobody here sees, as a new mount namespace does. */
  leak(): () => void {
    const releases = this.#entries.flatMap(({ filesystem }) => (filesystem === undefined ? [] : [filesystem.use()]));
    return () => {
      for (const release of releases) release();
    };
  }

  #begin(device: BlockDevice, type: string, readOnly: boolean, options: readonly string[]): MountedFilesystem {
    const header = mountable(device, type);
    const refuse = (stderr: string): Error => programFailed(["mount", "-t", type, device.path], 32, stderr);
    if (typeof header === "string") throw refuse(header);
    const twin = [...this.#filesystems.values()].some((other) => other.header.uuid === header.uuid);
    if (twin && type === "xfs" && !options.includes("nouuid")) throw refuse("filesystem has duplicate UUID: can't mount");
    if (twin && type === "btrfs") throw refuse("File exists");
    const filesystem = new MountedFilesystem(device, header, readOnly || device.readOnly, () => this.#ended(device));
    this.#filesystems.set(device, filesystem);
    if (device instanceof MappedDevice) device.freeze = () => filesystem.freeze();
    return filesystem;
  }

  #ended(device: BlockDevice): void {
    this.#filesystems.delete(device);
    if (device instanceof MappedDevice) device.freeze = undefined;
  }

  #add(mount: Mount, filesystem: MountedFilesystem | undefined): void {
    this.#entries.push({ ...mount, filesystem, holds: 0, release: filesystem?.use() ?? (() => undefined) });
  }

  /** The device behind a bound node, as the kernel finds it when somebody opens it: by number. */
  nodeDevice(entry: MountEntry): BlockDevice | undefined {
    return this.#kernel.block(`/dev${entry.root}`);
  }
}

const plain = ({ target, root, major, minor, type, readOnly, options }: MountEntry): Mount => ({ target, root, major, minor, type, readOnly, options });
