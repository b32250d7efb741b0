import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { run } from "../../../src/exec/run.ts";
import { probe } from "../../../src/filesystem/probe.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { NewVolume } from "../../../src/pool/pool-calls.ts";
import { isPoolDevice } from "../../../src/pool/names.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import { bytes, KiB, MiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { openHere } from "../../contract/volumes/real-drivers.ts";
import { ended, type Ended } from "../../harness/program.ts";
import { labDisks, standing } from "../../harness/standing.ts";

export const [DISK = "", SECOND = ""] = labDisks;
export const GROUP = "admins-group";
export const dm = new KernelDeviceMapper();
const threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });

export const describePool = (pool: string, name = "existing"): PoolDescription => ({
  name,
  isDefault: true,
  backing: { kind: "existing", pool },
  chunkSize: bytes(64 * KiB),
  zeroNewBlocks: true,
  minimumFree: { dataPercent: 1, metadataPercent: 1 },
  overcommitRatio: 100,
  defaultVolumeSize: bytes(32 * MiB),
  filesystem: "ext4",
  discardOnDelete: false,
  autoextend: { thresholdPercent: 80, percent: 20 },
  whenFull: "error",
  trim: undefined,
});

export function program(...[name = "", ...args]: readonly string[]): Ended {
  return ended(name, args, { env: { ...process.env, LVM_SUPPRESS_FD_WARNINGS: "1" } });
}

export function output(...argv: readonly string[]): string {
  const { status, stdout, stderr } = program(...argv);
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout.trim();
}

export const makeGroup = (...disks: readonly string[]): string => output("vgcreate", "--quiet", GROUP, ...disks);

/** As an administrator makes one: with the host's own configuration of LVM. */
export const makePool = (name = "thin", ...options: readonly string[]): string =>
  output("lvcreate", "--type", "thin-pool", "--chunksize", "128k", "--size", "256M", ...options, "--name", name, GROUP);

/** A state directory, and the drivers that were opened on it; all of it gone with `dispose`. */
export class Machine {
  readonly #state = mkdtempSync(join(tmpdir(), "dmthin-existing-"));
  readonly #open = new Set<Pool>();

  async open(description: PoolDescription): Promise<Pool> {
    const options = { description, stateDirectory: this.#state, runDirectory: this.#state, bootId: bootId(), deadManFd: undefined, logger: silentLogger };
    const pool = await openHere(options, threads, async (device, signal) => probe(run, device, signal));
    this.#open.add(pool);
    return pool;
  }

  async close(pool: Pool): Promise<void> {
    this.#open.delete(pool);
    await pool.close(10_000);
  }

  async dispose(): Promise<void> {
    for (const pool of this.#open) await this.close(pool);
    removeVolumes();
    rmSync(this.#state, { recursive: true });
  }
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** The driver's devices, as they are gone with a reboot. */
export function removeVolumes(): void {
  const ours = standing(dm).devices.filter(({ uuid }) => uuid.startsWith("DMTHIN-"));
  for (const { uuid } of ours.toSorted((left, right) => Number(isPoolDevice(left)) - Number(isPoolDevice(right)))) dm.remove(uuid);
}

export const newVolume = (name: string): NewVolume => ({
  id: volumeId(name),
  name,
  sizeBytes: bytes(32 * MiB),
  origin: { kind: "blank" },
  filesystem: undefined,
  capabilities: [],
  mkfsOptions: [],
  parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
});
