import type { Filesystems, FilesystemType, Mount, MountRequest, Probed, Usage } from "../../src/filesystem/filesystems.ts";
import { DmthinError, isError } from "../../src/errors.ts";
import { mkfsProblems } from "../../src/filesystem/mkfs-usage.ts";
import { TYPES } from "../../src/filesystem/types.ts";
import { bytes, type Bytes } from "../../src/units.ts";
import type { BlockDevice } from "./disk.ts";
import { programFailed, refusal } from "./errno.ts";
import { foreignSignature, makeImage, readHeader, writeHeader } from "./filesystem-image.ts";
import type { SimulatedMachine } from "./machine.ts";
import { MappedDevice } from "./mapped-device.ts";
import type { SimulatedProcess } from "./process.ts";
import { waiting } from "./waiting.ts";

const INODES = 65_536;

/** A process's filesystem programs and mounts, on the simulated machine. */
export class SimulatedFilesystems implements Filesystems {
  readonly #machine: SimulatedMachine;
  readonly #process: SimulatedProcess;

  constructor(machine: SimulatedMachine, process: SimulatedProcess) {
    this.#machine = machine;
    this.#process = process;
  }

  async probe(device: string): Promise<Probed | undefined> {
    const block = this.#machine.kernel.block(device);
    if (block === undefined) return undefined;
    return waiting(() => this.#process.look(() => probeBlock(block)));
  }

  mkfsProblems(type: FilesystemType, options: readonly string[]): readonly string[] {
    return mkfsProblems(`mkfs.${type}`, TYPES[type].usage, options);
  }

  async sizeOf(device: string): Promise<Bytes | undefined> {
    const block = this.#machine.kernel.block(device);
    const header = block === undefined ? undefined : readHeader(block);
    return header === undefined ? undefined : bytes(header.sizeBytes);
  }

  async make(type: FilesystemType, device: string, options: readonly string[], signal?: AbortSignal): Promise<void> {
    const argv = [`mkfs.${type}`, ...options, device];
    const block = this.#block(device, argv);
    if (this.#machine.mounts.isMounted(block)) throw programFailed(argv, 1, `${device} contains a mounted filesystem`);
    if (block.sizeBytes < TYPES[type].minimumBytes) throw programFailed(argv, 1, `${device} is too small`);
    if (options.join(" ").includes("-b 999")) throw programFailed(argv, 1, `mkfs.${type}: invalid block size - 999`);
    await this.#process.changeSlowly("mkfs begins", device, () => makeImage(block, type, "half"));
    signal?.throwIfAborted();
    await this.#process.changeSlowly("mkfs", device, () => makeImage(block, type, "made"));
  }

  async check(type: FilesystemType, device: string): Promise<void> {
    const argv = [`fsck.${type}`, device];
    const block = this.#block(device, argv);
    if (type !== "ext4") return; // mounting puts the others right
    if (this.#machine.mounts.isMounted(block)) throw refusal("exclusive use", device, "EBUSY");
    await this.#process.changeSlowly("fsck", device, () => {
      const header = readHeader(block);
      if (header?.type !== type || header.state === "half") throw programFailed(argv, 4, "Bad magic number in super-block");
      if (header.dirty && !block.readOnly) writeHeader(block, { ...header, dirty: false });
    });
  }

  async renewIdentity(type: FilesystemType, device: string): Promise<void> {
    const argv = ["btrfstune", "-m", device];
    const block = this.#block(device, argv);
    if (type !== "btrfs") return;
    if (this.#machine.mounts.isMounted(block)) throw programFailed(argv, 1, `${device} is mounted`);
    await this.#process.changeSlowly("renew identity", device, () => {
      const header = readHeader(block);
      if (header === undefined) throw programFailed(argv, 1, "no btrfs");
      writeHeader(block, { ...header, uuid: crypto.randomUUID() });
    });
  }

  async mount(request: MountRequest): Promise<void> {
    const { device, target, type, readOnly } = request;
    const argv = ["mount", "-t", type, "-o", request.options.join(","), device, target];
    const block = this.#block(device, argv);
    if (request.options.some((option) => option.startsWith("no_such"))) throw programFailed(argv, 32, "bad option");
    this.#require(target, "directory");
    const options = type === "xfs" ? [...request.options, "nouuid"] : request.options;
    await this.#process.changeSlowly("mount", target, () => this.#machine.mounts.mount(block, target, type, readOnly, options));
  }

  async bind(source: string, target: string, { readOnly }: { readonly readOnly: boolean }): Promise<void> {
    const node = source.startsWith("/dev/");
    this.#require(target, node ? "file" : "directory");
    await this.#process.changeSlowly("bind", target, () => {
      if (node) this.#machine.mounts.bindNode(source, target, readOnly);
      else this.#machine.mounts.bindDirectory(source, target, readOnly);
    });
  }

  async unmount(target: string): Promise<"not-mounted" | "unmounted" | "detached"> {
    return this.#process.changeSlowly("unmount", target, () => {
      const entries = this.#machine.mounts.entries.filter((entry) => entry.target === target).toReversed();
      for (const entry of entries) this.#machine.mounts.remove(entry);
      if (entries.length === 0) return "not-mounted";
      return entries.some(({ holds }) => holds > 0) ? "detached" : "unmounted";
    });
  }

  async grow(_type: FilesystemType, _device: string, mountPoint: string): Promise<void> {
    const filesystem = this.#machine.mounts.at(mountPoint)?.filesystem;
    if (filesystem === undefined) throw programFailed(["resize", mountPoint], 1, `${mountPoint} is not a mounted filesystem`);
    await this.#process.changeSlowly("grow", mountPoint, () => filesystem.grow());
  }

  async trim(_type: FilesystemType, mountPoint: string, part: { readonly from: Bytes; readonly to: Bytes }): Promise<Bytes> {
    const filesystem = this.#machine.mounts.at(mountPoint)?.filesystem;
    if (filesystem === undefined) throw refusal("trim", mountPoint, "ENOTTY");
    return bytes(await this.#process.changeSlowly("trim", mountPoint, () => filesystem.trim(part)));
  }

  async setXfsNospaceRetries(major: number, minor: number, retries: number | "default"): Promise<void> {
    this.#process.change("xfs retries", `${major}:${minor}`, () => {
      const entry = this.#machine.mounts.entries.find((mount) => mount.type === "xfs" && mount.major === major && mount.minor === minor);
      if (entry?.filesystem !== undefined) entry.filesystem.xfsRetries = retries;
    });
  }

  minimumBytes(type: FilesystemType): Bytes {
    return TYPES[type].minimumBytes;
  }

  async mounts(): Promise<readonly Mount[]> {
    return this.#process.look(() =>
      this.#machine.mounts.entries.map(({ target, root, major, minor, type, readOnly, options }) => ({ target, root, major, minor, type, readOnly, options })),
    );
  }

  async usage(path: string, deadlineMs: number): Promise<Usage> {
    const filesystem = this.#process.look(() => this.#machine.mounts.resolve(path)?.entry.filesystem);
    if (filesystem === undefined) throw new DmthinError({ code: "path-unusable", path, reason: "nothing is mounted there" });
    const { device } = filesystem;
    if (device instanceof MappedDevice && device.suspended) {
      await new Promise((resolve) => setTimeout(resolve, deadlineMs));
      throw new DmthinError({ code: "deadline", operation: `statfs of ${path}` });
    }
    const [total, used] = [bytes(filesystem.header.sizeBytes), bytes(filesystem.usedBytes)];
    const usedInodes = filesystem.files.length;
    return { totalBytes: total, usedBytes: used, availableBytes: bytes(total - used), totalInodes: INODES, usedInodes, freeInodes: INODES - usedInodes };
  }

  async deviceIdentity(major: number, minor: number): Promise<{ readonly uuid: string; readonly suspended: boolean } | undefined> {
    return this.#process.look(() => {
      const device = this.#machine.kernel.block(`${major}:${minor}`);
      return device instanceof MappedDevice ? { uuid: device.uuid, suspended: device.suspended } : undefined;
    });
  }

  async makeTarget(path: string, kind: "directory" | "file"): Promise<void> {
    this.#process.change("make target", path, () => {
      const found = this.#machine.paths.get(path);
      if (found !== undefined && found !== kind) throw new DmthinError({ code: "path-unusable", path, reason: `it is a ${found}` });
      this.#machine.paths.set(path, kind);
    });
  }

  async removeTarget(path: string): Promise<void> {
    this.#process.change("remove target", path, () => {
      const busy = this.#machine.mounts.at(path) !== undefined || [...this.#machine.paths.keys()].some((other) => other.startsWith(`${path}/`));
      if (busy) throw new DmthinError({ code: "path-unusable", path, reason: "it is not empty" });
      this.#machine.paths.delete(path);
    });
  }

  #block(device: string, argv: readonly string[]): BlockDevice {
    const block = this.#machine.kernel.block(device);
    if (block === undefined) throw programFailed(argv, 1, `${device}: No such file or directory`);
    return block;
  }

  #require(target: string, kind: "directory" | "file"): void {
    if (this.#machine.paths.get(target) !== kind) throw programFailed(["mount", target], 32, `mount point ${target} is no ${kind}`);
  }
}

/** blkid says the same of what it cannot read as of what is empty. */
function probeBlock(block: BlockDevice): Probed | undefined {
  try {
    const header = readHeader(block);
    const type = header?.type ?? foreignSignature(block);
    return type === undefined ? undefined : { type, uuid: header?.uuid };
  } catch (error) {
    if (isError(error, "kernel-failed")) return undefined;
    throw error;
  }
}
