import { MAXIMUM_METADATA_BYTES } from "../../config/metadata-size.ts";
import type { DevicesBacking } from "../../config/pool-description.ts";
import { DmthinError } from "../../errors.ts";
import { bytes, formatBytes, type Bytes } from "../../units.ts";
import { findBlockDevice } from "./block-device.ts";
import type { Growth, Part, PartSizes } from "./growth.ts";

/** Devices are made larger by who made them: then the pool takes what they have more. */
export class DevicesGrowth implements Growth {
  readonly #pool: string;
  readonly #backing: DevicesBacking;

  constructor(pool: string, backing: DevicesBacking) {
    this.#pool = pool;
    this.#backing = backing;
  }

  async room(current: PartSizes): Promise<PartSizes> {
    const beyond = async (part: Part): Promise<Bytes> => bytes(Math.max((await this.#size(part)) - current[part], 0));
    return { data: await beyond("data"), metadata: await beyond("metadata") };
  }

  async grow(part: Part, to: Bytes): Promise<void> {
    const size = await this.#size(part);
    if (size >= to) return;
    const reason = `${this.#backing[part]} has ${formatBytes(size)}, less than ${formatBytes(to)}`;
    throw new DmthinError({ code: "pool-unchanged", pool: this.#pool, reason, remedy: "make the device larger first" });
  }

  /** As the kernel has it now, as far as a pool can use it. */
  async #size(part: Part): Promise<number> {
    const found = await findBlockDevice(this.#backing[part]);
    if (found === undefined)
      throw new DmthinError({ code: "pool-unchanged", pool: this.#pool, reason: `${this.#backing[part]} is gone`, remedy: "attach the disk" });
    return part === "metadata" ? Math.min(found.sizeBytes, MAXIMUM_METADATA_BYTES) : found.sizeBytes;
  }
}
