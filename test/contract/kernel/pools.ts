import { afterEach, beforeEach } from "@jest/globals";
import type { DeviceInfo, DeviceNumber, Target } from "../../../src/devicemapper/device-mapper.ts";
import { isError } from "../../../src/errors.ts";
import { sectors } from "../../../src/units.ts";
import { isReal } from "../choice.ts";
import type { KernelUnderTest } from "./kernel.ts";

export const PREFIX = "contract-";
export const CHUNK_SECTORS = 128;
export const CHUNK_BYTES = CHUNK_SECTORS * 512;

export interface PoolOptions {
  /** Chunks of 64 KiB. */
  readonly chunks?: number;
  readonly lowWaterMark?: number;
  readonly features?: readonly string[];
}

/** Devices for tests that speak to device-mapper itself, on a kernel that each test finds clean. */
export class Pools {
  #kernel: KernelUnderTest | undefined;

  get kernel(): KernelUnderTest {
    if (this.#kernel === undefined) throw new Error("no kernel before the test begins");
    return this.#kernel;
  }

  /** For this file's tests. */
  static forEachTest(): Pools {
    const pools = new Pools();
    beforeEach(async () => {
      pools.#kernel = isReal ? await (await import("./real.ts")).realKernel() : (await import("./simulated.ts")).simulatedKernel();
    });
    afterEach(async () => {
      await pools.kernel.clean();
      await pools.kernel.close();
    });
    return pools;
  }

  poolTable({ chunks = 256, lowWaterMark = 0, features = [] }: PoolOptions = {}): Target {
    const { data, metadata } = this.kernel;
    const parameters = [number(metadata), number(data), CHUNK_SECTORS, lowWaterMark, features.length, ...features];
    return line(chunks * CHUNK_SECTORS, "thin-pool", parameters.join(" "));
  }

  /** A pool that is active; its uuid is "POOL". */
  pool(options?: PoolOptions): DeviceInfo {
    return this.device("pool", [this.poolTable(options)]);
  }

  /** A device of any table, active; its uuid is its name in capitals. */
  device(name: string, table: readonly Target[]): DeviceInfo {
    const { dm } = this.kernel;
    const uuid = name.toUpperCase();
    dm.create(`${PREFIX}${name}`, uuid);
    try {
      dm.load(uuid, table);
    } catch (error) {
      dm.remove(uuid);
      throw error;
    }
    dm.resume(uuid);
    return this.info(uuid);
  }

  /** An active device of a thin number. */
  thin(pool: DeviceNumber, thinNumber: number, options: { readonly name?: string; readonly chunks?: number } = {}): DeviceInfo {
    const { name = `thin${thinNumber}`, chunks = 1024 } = options;
    return this.device(name, [line(chunks * CHUNK_SECTORS, "thin", `${number(pool)} ${thinNumber}`)]);
  }

  /** The same after it was made with `create_thin`. */
  newThin(pool: DeviceNumber, thinNumber: number, options: { readonly name?: string; readonly chunks?: number } = {}): DeviceInfo {
    this.kernel.dm.message("POOL", `create_thin ${thinNumber}`);
    return this.thin(pool, thinNumber, options);
  }

  info(uuid: string): DeviceInfo {
    const info = this.kernel.dm.info(uuid);
    if (info === undefined) throw new Error(`there is no device ${uuid}`);
    return info;
  }

  status(uuid: string): string {
    return this.kernel.dm.status(uuid)[0]?.status ?? "";
  }

  /** Replaces a device's table, as growth does. */
  reload(uuid: string, table: Target): void {
    const { dm } = this.kernel;
    dm.load(uuid, [table]);
    dm.suspend(uuid, { noFlush: true, skipFreeze: true });
    dm.resume(uuid);
  }
}

export const number = ({ major, minor }: DeviceNumber): string => `${major}:${minor}`;
export const path = ({ minor }: DeviceNumber): string => `/dev/dm-${minor}`;
export const line = (length: number, type: string, parameters: string): Target => ({ start: sectors(0), length: sectors(length), type, parameters });
export const filled = (chunks: number, byte: number): Buffer => Buffer.alloc(chunks * CHUNK_BYTES, byte);

/** The errno with which a call is refused, or "" when it is not. */
export function errnoOf(call: () => unknown): string {
  try {
    call();
    return "";
  } catch (error) {
    if (isError(error, "kernel-failed")) return error.facts.errno;
    throw error;
  }
}

export async function errnoOfPromise(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "";
  } catch (error) {
    if (isError(error, "kernel-failed")) return error.facts.errno;
    throw error;
  }
}

/** Waits for what comes by itself; jest's own time limit ends it. */
export async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 5));
}
