import type { DeviceMapper, ListedDevice } from "../../devicemapper/device-mapper.ts";
import { parsePoolTarget, type PoolTable } from "../../devicemapper/thin-table.ts";
import { DmthinError } from "../../errors.ts";
import { isMadeByLvm } from "../../lvm/names.ts";
import type { Bytes } from "../../units.ts";
import type { BackingDevices, PoolBacking } from "./backing.ts";
import { deviceByNumber } from "./block-device.ts";
import { isOurs } from "../names.ts";

/** What a pool that somebody else has made must not be, unless its description says so. */
export const NOT_ZEROED = "does not zero new chunks, so that volumes could read what others have left";

/** A thin pool that somebody else brings up under a name of the kernel's: after each boot, and as large as it is to be. */
export class ExistingDevice implements PoolBacking {
  readonly #pool: string;
  readonly #name: string;
  readonly #zeroNewBlocks: boolean;
  readonly #dm: DeviceMapper;

  constructor({ pool, name, zeroNewBlocks }: { readonly pool: string; readonly name: string; readonly zeroNewBlocks: boolean }, dm: DeviceMapper) {
    this.#pool = pool;
    this.#name = name;
    this.#zeroNewBlocks = zeroNewBlocks;
    this.#dm = dm;
  }

  async provision(): Promise<void> {
    this.#find();
  }

  async chunkSize(): Promise<Bytes> {
    return this.#find().table.chunkSize;
  }

  async attach(): Promise<BackingDevices> {
    const { device, table } = this.#find();
    const [data, metadata] = await Promise.all([deviceByNumber(table.data), deviceByNumber(table.metadata)]);
    return { data, metadata, pool: { uuid: device.uuid } };
  }

  #find(): { readonly device: ListedDevice; readonly table: PoolTable } {
    const device = this.#dm.list().find(({ name }) => name === this.#name);
    if (device === undefined) throw this.#notReady(`there is no device-mapper device ${this.#name}: whoever makes it has to bring it up`);
    if (isMadeByLvm(device))
      throw this.#refused(`${this.#name} is LVM's`, 'name it as LVM does, "group/pool": then it is also activated after a reboot, and grows');
    if (isOurs(device)) throw this.#refused(`${this.#name} is a device of this driver's own`, "name a pool that somebody else has made");
    if (device.uuid === "") throw this.#refused(`${this.#name} has no uuid, by which devices are told apart`, "make it with one: dmsetup create --uuid");
    const [target] = this.#dm.table(device.uuid);
    if (target === undefined) throw this.#notReady(`${this.#name} has no table yet`);
    const table = parsePoolTarget(target);
    if (table === undefined) throw this.#refused(`${this.#name} is no thin pool: its target is ${target.type}`, "name a thin pool");
    if (this.#zeroNewBlocks && table.features.includes("skip_block_zeroing"))
      throw this.#refused(
        `${this.#name} ${NOT_ZEROED}`,
        "make it without skip_block_zeroing; or say zeroNewBlocks: false, if all its volumes are of one owner",
      );
    return { device, table };
  }

  #refused(reason: string, remedy: string): DmthinError {
    return new DmthinError({ code: "pool-refused", pool: this.#pool, reason, remedy });
  }

  #notReady(reason: string): DmthinError {
    return new DmthinError({ code: "pool-not-ready", pool: this.#pool, reason });
  }
}
