import type { DeviceInfo, DeviceMapper, Target } from "../devicemapper/device-mapper.ts";
import { CANCEL_DEFERRED_REMOVE } from "../devicemapper/thin-messages.ts";
import { parseThinStatus } from "../devicemapper/thin-status.ts";
import { thinTarget } from "../devicemapper/thin-table.ts";
import { DmthinError, isErrno } from "../errors.ts";
import { bytes, bytesToSectors, sectors, sectorsToBytes, type Bytes } from "../units.ts";
import { deviceName, deviceUuid, sameTable } from "./names.ts";
import type { ActiveDevice } from "./pool-calls.ts";
import { replaceTable } from "./replace-table.ts";

export interface ThinToActivate {
  readonly id: string;
  readonly number: number;
  readonly sizeBytes: Bytes;
}

/** The kernel's devices of a pool's volumes: one appears when its volume is staged, and goes when it is unstaged. */
export class ThinDevices {
  readonly #dm: DeviceMapper;
  readonly #pool: { readonly name: string; readonly uuid: string };
  readonly #poolDeviceUuid: string;

  constructor(dm: DeviceMapper, pool: { readonly name: string; readonly uuid: string }, poolDeviceUuid: string) {
    this.#dm = dm;
    this.#pool = pool;
    this.#poolDeviceUuid = poolDeviceUuid;
  }

  uuidOf(id: string): string {
    return deviceUuid(this.#pool.uuid, id);
  }

  info(id: string): DeviceInfo | undefined {
    return this.#dm.info(this.uuidOf(id));
  }

  /**
   * Makes the device, or finds it: a removal that waits for its last user is cancelled, a table that is too short grows. Only
   * then is the device suspended: who may find one that is active tells the dead man's handle first (Freezer.guard).
   */
  activate(thin: ThinToActivate, options: { readonly readOnly: boolean }): ActiveDevice {
    const uuid = this.uuidOf(thin.id);
    const table = this.#tableOf(thin);
    this.#keep(uuid);
    const found = this.#dm.info(uuid);
    if (found?.hasActiveTable === true && found.readOnly === options.readOnly) this.#adjust(thin.id, table);
    else if (found?.hasActiveTable === true && found.openCount > 0)
      throw this.#refused(thin.id, `it is in use ${found.readOnly ? "read-only" : "for writing"}`);
    else this.#make(thin.id, found, table, options);
    return this.#describe(thin);
  }

  /** EBUSY becomes a removal on last close. */
  deactivate(id: string): "removed" | "deferred" {
    const uuid = this.uuidOf(id);
    if (this.#dm.info(uuid) === undefined) return "removed";
    try {
      this.#dm.remove(uuid);
    } catch (error) {
      if (isErrno(error, "ENXIO")) return "removed";
      if (!isErrno(error, "EBUSY")) throw error;
      return this.#removeLater(uuid);
    }
    return "removed";
  }

  /** Lets the table of an active device follow the volume's size. Growing only; a device that is not active needs nothing. */
  grow(thin: ThinToActivate): void {
    if (this.info(thin.id)?.hasActiveTable === true) this.#adjust(thin.id, this.#tableOf(thin));
  }

  /** Of an active device; undefined also while another table waits, which its next resume gives it. */
  sizeOf(id: string): Bytes | undefined {
    const info = this.info(id);
    if (info?.hasActiveTable !== true || info.hasInactiveTable) return undefined;
    const [target] = this.#dm.table(this.uuidOf(id));
    return target === undefined ? undefined : sectorsToBytes(target.length);
  }

  /** undefined while not active, or while its pool has failed. */
  mapped(id: string): Bytes | undefined {
    const uuid = this.uuidOf(id);
    if (this.#dm.info(uuid)?.hasActiveTable !== true) return undefined;
    const status = parseThinStatus(this.#dm.status(uuid, { noFlush: true })[0]?.status ?? "");
    return status.mode === "active" ? sectorsToBytes(status.mappedSectors) : undefined;
  }

  /** Up to the end of the last mapped chunk, of an active device. */
  leastBytes(id: string): Bytes {
    const status = parseThinStatus(this.#dm.status(this.uuidOf(id), { noFlush: true })[0]?.status ?? "");
    return status.mode === "active" && status.highestMappedSector !== undefined ? sectorsToBytes(sectors(status.highestMappedSector + 1)) : bytes(0);
  }

  resume(id: string): void {
    this.#dm.resume(this.uuidOf(id));
  }

  /** Of those of these that are active. */
  mappedOf(ids: Iterable<string>): ReadonlyMap<string, Bytes> {
    const active = new Set(this.#dm.list().map(({ uuid }) => uuid));
    const known = [...ids].filter((id) => active.has(this.uuidOf(id))).map((id) => [id, this.mapped(id)] as const);
    return new Map(known.flatMap(([id, mapped]) => (mapped === undefined ? [] : [[id, mapped] as const])));
  }

  #keep(uuid: string): void {
    if (this.#dm.info(uuid)?.deferredRemove !== true) return;
    try {
      this.#dm.message(uuid, CANCEL_DEFERRED_REMOVE);
    } catch (error) {
      if (!isErrno(error, "ENXIO")) throw error; // ENXIO: its last user closed it just now
    }
  }

  #make(id: string, found: DeviceInfo | undefined, table: readonly Target[], options: { readonly readOnly: boolean }): void {
    const uuid = this.uuidOf(id);
    if (found !== undefined) this.#dm.remove(uuid);
    this.#dm.create(deviceName(this.#pool.name, id), uuid);
    try {
      this.#dm.load(uuid, table, options);
      this.#dm.resume(uuid);
    } catch (error) {
      this.#dm.remove(uuid, { deferred: true }); // must not fail and hide the cause
      throw error;
    }
  }

  #adjust(id: string, wanted: readonly Target[]): void {
    const uuid = this.uuidOf(id);
    const [active] = this.#dm.table(uuid);
    const [target] = wanted;
    if (active === undefined || target === undefined || sameTable([active], wanted)) return;
    const sameThin = active.type === target.type && active.parameters === target.parameters;
    if (!sameThin) throw this.#refused(id, `it is active with table "${active.type} ${active.parameters}" where "${target.parameters}" was expected`);
    if (active.length > target.length) throw this.#refused(id, "it is larger in the kernel than in the catalogue");
    replaceTable(this.#dm, uuid, [active], wanted);
  }

  #removeLater(uuid: string): "removed" | "deferred" {
    try {
      this.#dm.remove(uuid, { deferred: true });
    } catch (error) {
      if (!isErrno(error, "ENXIO")) throw error;
    }
    return this.#dm.info(uuid) === undefined ? "removed" : "deferred";
  }

  #describe(thin: ThinToActivate): ActiveDevice {
    const uuid = this.uuidOf(thin.id);
    const info = this.#dm.info(uuid);
    const status = parseThinStatus(this.#dm.status(uuid, { noFlush: true })[0]?.status ?? "");
    if (info === undefined || status.mode !== "active")
      throw this.#refused(thin.id, `its thin device answers ${info === undefined ? "nothing" : "that it has failed"}`);
    const empty = status.mappedSectors === 0 && status.highestMappedSector === undefined;
    return { uuid, path: `/dev/dm-${info.minor}`, major: info.major, minor: info.minor, sizeBytes: thin.sizeBytes, empty };
  }

  #tableOf(thin: ThinToActivate): readonly Target[] {
    const pool = this.#dm.info(this.#poolDeviceUuid);
    if (pool === undefined) throw new DmthinError({ code: "pool-not-ready", pool: this.#pool.name, reason: "its device is not active" });
    return [thinTarget({ pool, number: thin.number }, bytesToSectors(thin.sizeBytes))];
  }

  #refused(id: string, found: string): DmthinError {
    return new DmthinError({ code: "foreign-content", id, expected: "its own thin device", found });
  }
}
