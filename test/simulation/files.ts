import type { BlockDevice } from "./disk.ts";
import { refusal } from "./errno.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { MountEntry } from "./mount-table.ts";
import type { MountedFilesystem } from "./mounted-filesystem.ts";
import { waiting } from "./waiting.ts";

/** What a machine's users do with mounted paths. What is written is in memory until it is synced, unmounted, or frozen. */
export class SimulatedFiles {
  readonly #machine: SimulatedMachine;

  constructor(machine: SimulatedMachine) {
    this.#machine = machine;
  }

  /** EROFS through a read-only mount. Waits while the filesystem is frozen. */
  async write(path: string, data: Buffer): Promise<void> {
    const { entry, filesystem, inner } = this.#find(path);
    if (entry.readOnly) throw refusal("write", path, "EROFS");
    await waiting(() => {
      filesystem.requireThawed();
      filesystem.writeFile(inner, data);
    });
  }

  /** ENOENT where there is none. */
  async read(path: string): Promise<Buffer> {
    const { filesystem, inner } = this.#find(path);
    const data = await waiting(() => filesystem.readFile(inner));
    if (data === undefined) throw refusal("open", path, "ENOENT");
    return data;
  }

  exists(path: string): boolean {
    const found = this.#machine.mounts.resolve(path);
    return found?.entry.filesystem?.files.includes(innerPath(found.entry, found.within)) ?? false;
  }

  remove(path: string): void {
    const { filesystem, inner } = this.#find(path);
    filesystem.removeFile(inner);
  }

  async sync(path: string): Promise<void> {
    const { filesystem } = this.#find(path);
    await waiting(() => filesystem.writeOut());
  }

  /** Keeps a file, or a device that is bound there, open. */
  hold(path: string): () => void {
    const entry = this.#machine.mounts.resolve(path)?.entry;
    if (entry?.filesystem === undefined) return this.block(path).open();
    const release = entry.filesystem.use();
    entry.holds++;
    return () => {
      entry.holds--;
      release();
    };
  }

  /** A device by its node, or by where that is bound. */
  block(path: string): BlockDevice {
    const { kernel, mounts } = this.#machine;
    const entry = mounts.at(path);
    const device = entry?.filesystem === undefined && entry !== undefined ? mounts.nodeDevice(entry) : kernel.block(path);
    if (device === undefined) throw refusal("open", path, "ENXIO");
    return device;
  }

  #find(path: string): { readonly entry: MountEntry; readonly filesystem: MountedFilesystem; readonly inner: string } {
    const found = this.#machine.mounts.resolve(path);
    if (found?.entry.filesystem === undefined) throw refusal("open", path, "ENOENT");
    return { entry: found.entry, filesystem: found.entry.filesystem, inner: innerPath(found.entry, found.within) };
  }
}

const innerPath = (entry: MountEntry, within: string): string => (entry.root === "/" ? within : `${entry.root}${within}`);
