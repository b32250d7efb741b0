import { release } from "node:os";
import { pendingPrograms } from "../exec/pending.ts";
import type { LateEnd, Run, RunOptions } from "../exec/run.ts";
import type { BlockingThreads } from "../linux/blocking-threads.ts";
import type { Logger } from "../logger.ts";
import type { Bytes } from "../units.ts";
import type { Filesystems, FilesystemType, Mount, MountRequest, Probed, Usage } from "./filesystems.ts";
import { deviceIdentity } from "./identity.ts";
import { parseKernelRelease, type KernelVersion } from "./kernel-features.ts";
import { requireNoPaths } from "./mkfs-options.ts";
import { mkfsProblems } from "./mkfs-usage.ts";
import { bindMount, mountDevice, requireDevice } from "./mount.ts";
import { mounts } from "./mounts.ts";
import { probe } from "./probe.ts";
import { readSize, recognise } from "./superblocks.ts";
import { canonicalTarget, makeTarget, removeTarget } from "./targets.ts";
import { trimFilesystem } from "./trim.ts";
import { TYPES } from "./types.ts";
import { unmount } from "./unmount.ts";
import { UsageReader } from "./usage.ts";
import { setXfsNospaceRetries } from "./xfs-retries.ts";

export interface LinuxFilesystemsParts {
  readonly logger: Logger;
  readonly run: Run;
  readonly threads: Pick<BlockingThreads, "run">;
  /** For what takes long and must not keep the others waiting. Default: `threads`. */
  readonly slowThreads?: Pick<BlockingThreads, "run">;
  /** Default "/sys". */
  readonly sysRoot?: string;
  /** What mkfs is fitted to, as `uname -r` tells it. Default: the running kernel's. */
  readonly kernelRelease?: string;
}

const MAKE_DEADLINE_MS = 600_000;
const GROW_DEADLINE_MS = 300_000;

/** The real filesystems and mounts of this machine, by the distribution's own tools. */
export class LinuxFilesystems implements Filesystems {
  readonly #logger: Logger;
  readonly #run: Run;
  readonly #sysRoot: string;
  readonly #kernel: KernelVersion;
  readonly #threads: LinuxFilesystemsParts["threads"];
  readonly #slowThreads: LinuxFilesystemsParts["threads"];
  readonly #usage: UsageReader;

  constructor({ logger, run, threads, slowThreads = threads, sysRoot = "/sys", kernelRelease = release() }: LinuxFilesystemsParts) {
    this.#logger = logger;
    this.#run = async (argv, options) => run(argv, { onLateEnd: this.#tellLateEnd, ...options });
    this.#sysRoot = sysRoot;
    this.#kernel = parseKernelRelease(kernelRelease);
    this.#threads = threads;
    this.#slowThreads = slowThreads;
    this.#usage = new UsageReader(threads);
  }

  async probe(device: string, signal?: AbortSignal): Promise<Probed | undefined> {
    requireDevice(device);
    return (await recognise(this.#threads, device)) ?? probe(this.#run, device, signal);
  }

  mkfsProblems(type: FilesystemType, options: readonly string[]): readonly string[] {
    return mkfsProblems(`mkfs.${type}`, TYPES[type].usage, options);
  }

  async sizeOf(device: string): Promise<Bytes | undefined> {
    requireDevice(device);
    return readSize(this.#threads, device);
  }

  async make(type: FilesystemType, device: string, options: readonly string[], signal?: AbortSignal): Promise<void> {
    requireDevice(device);
    requireNoPaths(options);
    await this.#run(TYPES[type].makeArgv(this.#kernel, device, options), { signal, deadlineMs: MAKE_DEADLINE_MS });
  }

  /** Also rejects with "kernel-failed" and EBUSY when something has the device in use. A check that was given up goes on; the next one waits for it. */
  async check(type: FilesystemType, device: string, signal?: AbortSignal): Promise<void> {
    requireDevice(device);
    await TYPES[type].check?.(device, this.#afterEarlier(device), signal);
  }

  async renewIdentity(type: FilesystemType, device: string, signal?: AbortSignal): Promise<void> {
    requireDevice(device);
    const argv = TYPES[type].renewIdentityArgv?.(device);
    if (argv !== undefined) await this.#afterEarlier(device)(argv, { signal, neverKill: true });
  }

  async mount(request: MountRequest, signal?: AbortSignal): Promise<void> {
    await mountDevice(this.#run, this.#sysRoot, request, signal);
  }

  async bind(
    source: string,
    target: string,
    options: { readonly readOnly: boolean; readonly mountOptions?: readonly string[] },
    signal?: AbortSignal,
  ): Promise<void> {
    await bindMount(this.#run, source, target, options, signal);
  }

  async unmount(target: string, signal?: AbortSignal): Promise<"not-mounted" | "unmounted" | "detached"> {
    return unmount(this.#run, this.#logger, target, signal);
  }

  async grow(type: FilesystemType, device: string, mountPoint: string, signal?: AbortSignal): Promise<void> {
    requireDevice(device);
    await this.#run(TYPES[type].growArgv(device, await canonicalTarget(mountPoint)), { signal, deadlineMs: GROW_DEADLINE_MS });
  }

  async trim(type: FilesystemType, mountPoint: string, part: { readonly from: Bytes; readonly to: Bytes }, deadlineMs: number): Promise<Bytes> {
    return trimFilesystem(this.#slowThreads, type, mountPoint, part, deadlineMs);
  }

  async setXfsNospaceRetries(major: number, minor: number, retries: number | "default"): Promise<void> {
    await setXfsNospaceRetries(this.#sysRoot, major, minor, retries);
  }

  minimumBytes(type: FilesystemType): Bytes {
    return TYPES[type].minimumBytes;
  }

  async mounts(): Promise<readonly Mount[]> {
    return mounts();
  }

  async usage(path: string, deadlineMs: number): Promise<Usage> {
    return this.#usage.read(path, deadlineMs);
  }

  async deviceIdentity(major: number, minor: number): Promise<{ readonly uuid: string; readonly suspended: boolean } | undefined> {
    return deviceIdentity(this.#sysRoot, major, minor);
  }

  async makeTarget(path: string, kind: "directory" | "file"): Promise<void> {
    await makeTarget(path, kind);
  }

  async removeTarget(path: string): Promise<void> {
    await removeTarget(path);
  }

  /** Repair is never killed, and two on one device would only find it in use. */
  #afterEarlier(device: string): Run {
    return async (argv, options: RunOptions = {}) => {
      const earlier = pendingPrograms().filter((program) => program.neverKill && program.argv.includes(device));
      await endOf(
        earlier.map(async (program) => program.ended),
        options.signal,
      );
      return this.#run(argv, options);
    };
  }

  readonly #tellLateEnd = ({ argv, exitCode, signal, stderr, tookMs }: LateEnd): void => {
    this.#logger.warn("a program has ended that its caller had given up", { argv, exitCode, signal, stderr, tookMs });
  };
}

/** Until all have ended, or the signal aborts, which `run` then answers. */
async function endOf(ends: readonly Promise<void>[], signal: AbortSignal | undefined): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  await Promise.race([Promise.all(ends), aborted.promise]);
  signal?.removeEventListener("abort", onAbort);
}
