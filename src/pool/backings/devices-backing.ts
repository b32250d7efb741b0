import type { DevicesBacking } from "../../config/pool-description.ts";
import { DmthinError } from "../../errors.ts";
import type { Filesystems } from "../../filesystem/filesystems.ts";
import type { BackingDevice, BackingDevices, PoolBacking } from "./backing.ts";
import { areEndsBlank, blankEnds, findBlockDevice } from "./block-device.ts";
import { DevicesGrowth } from "./devices-growth.ts";

/** A data and a metadata block device that an administrator names. */
export class NamedDevices implements PoolBacking {
  readonly #pool: string;
  readonly #backing: DevicesBacking;
  readonly #probe: Filesystems["probe"];
  readonly growth: DevicesGrowth;

  constructor(pool: string, backing: DevicesBacking, probe: Filesystems["probe"]) {
    this.#pool = pool;
    this.#backing = backing;
    this.#probe = probe;
    this.growth = new DevicesGrowth(pool, backing);
  }

  /** Takes only devices that hold nothing: no signature that blkid knows, and zeros at both ends of the data, where others keep theirs. */
  async provision(): Promise<void> {
    const { data, metadata } = await this.attach();
    for (const device of [data, metadata]) {
      const found = await this.#probe(device.path);
      if (found !== undefined)
        throw this.#refused(`${device.path} holds ${found.type}`, `choose another device; if its content may be lost, wipefs --all ${device.path}`);
    }
    if (areEndsBlank(data)) return;
    throw this.#refused(
      `${data.path} is not blank: its first or last MiB holds data`,
      `choose another device; if its content may be lost, zero both (blkdiscard --zeroout ${data.path})`,
    );
  }

  async attach(): Promise<BackingDevices> {
    const devices = { data: await this.#find(this.#backing.data), metadata: await this.#find(this.#backing.metadata) };
    if (devices.data.major === devices.metadata.major && devices.data.minor === devices.metadata.minor) {
      throw this.#refused(`${this.#backing.data} and ${this.#backing.metadata} are one device`, "name two");
    }
    return devices;
  }

  /** What `provision` would take again: nothing is recognised at either end. */
  async wipe(): Promise<void> {
    const { data, metadata } = await this.attach();
    for (const device of [metadata, data]) blankEnds(device);
  }

  async #find(path: string): Promise<BackingDevice> {
    const device = await findBlockDevice(path);
    if (device !== undefined) return device;
    throw this.#refused(`${path} is no block device`, "attach the disk, or correct its path");
  }

  #refused(reason: string, remedy: string): DmthinError {
    return new DmthinError({ code: "pool-refused", pool: this.#pool, reason, remedy });
  }
}
