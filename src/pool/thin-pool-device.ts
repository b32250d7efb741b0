import type { DeviceMapper, DeviceNumber, Target } from "../devicemapper/device-mapper.ts";
import * as message from "../devicemapper/thin-messages.ts";
import { parsePoolStatus, type PoolTargetStatus } from "../devicemapper/thin-status.ts";
import { parsePoolTarget, poolTarget, type PoolFeature, type PoolTable } from "../devicemapper/thin-table.ts";
import type { WhenFull } from "../config/pool-description.ts";
import { DmthinError } from "../errors.ts";
import { bytesToSectors, chunks, metadataBlocks, roundDown, sectorsToBytes, type Bytes, type Chunks } from "../units.ts";
import type { BackingDevices } from "./backings/backing.ts";
import { deviceName, deviceUuid, POOL_ID } from "./names.ts";
import type { PoolFigures } from "./pool-calls.ts";
import { replaceTable } from "./replace-table.ts";

/** The kernel wakes us when this much of the data is left, in percent, where nothing is made larger by itself. */
const LOW_WATER_PERCENT = 20;
const ERROR_WHEN_FULL: PoolFeature = "error_if_no_space";

export interface PoolTableOptions {
  readonly chunkSize: Bytes;
  readonly zeroNewBlocks: boolean;
  readonly whenFull: WhenFull;
  readonly autoextend: { readonly thresholdPercent: number };
}

/** What of a live table changes; all else stays as it is. */
export interface TableChange {
  readonly dataBytes?: Bytes;
  readonly whenFull?: "queue" | "error";
  /** When the kernel wakes us: the threshold of care. */
  readonly autoextend: { readonly thresholdPercent: number };
}

/** The pool's own device in the kernel: activation, figures, and the messages that change what it holds. */
export class ThinPoolDevice {
  readonly #dm: DeviceMapper;
  readonly #pool: string;
  readonly #chunkSize: Bytes;
  readonly uuid: string;

  /** `made`: the device is another's to make, LVM's or an administrator's. */
  constructor(dm: DeviceMapper, pool: { readonly name: string; readonly uuid: string; readonly chunkSize: Bytes }, made?: { readonly uuid: string }) {
    this.#dm = dm;
    this.#pool = pool.name;
    this.#chunkSize = pool.chunkSize;
    this.uuid = made?.uuid ?? deviceUuid(pool.uuid, POOL_ID);
  }

  isActive(): boolean {
    return this.#dm.info(this.uuid)?.hasActiveTable === true;
  }

  /**
   * Makes the device, or finds it. One that is active already over other disks is refused: it is not this pool.
   * A device that was made and has no table yet, by a start that was interrupted, gets one.
   */
  activate(backing: BackingDevices, options: PoolTableOptions): void {
    const table = this.#table(backing, options);
    const found = this.#dm.info(this.uuid);
    if (found?.hasActiveTable === true) {
      this.#compare(this.#dm.table(this.uuid), table);
      return;
    }
    if (backing.pool !== undefined) throw new DmthinError({ code: "pool-not-ready", pool: this.#pool, reason: "its device is not active" });
    if (found === undefined) this.#dm.create(deviceName(this.#pool, POOL_ID), this.uuid);
    try {
      this.#dm.load(this.uuid, table);
      this.#dm.resume(this.uuid);
    } catch (error) {
      this.#dm.clear(this.uuid);
      this.#dm.remove(this.uuid);
      throw error;
    }
  }

  /** What the table says that writes do in a full pool: the status says "error" for a while once they have waited for too long. */
  whenFull(): "queue" | "error" {
    return this.#live().table.features.includes(ERROR_WHEN_FULL) ? "error" : "queue";
  }

  /**
   * Loads a table derived from the live one: also with the same one, since the kernel takes a larger metadata device when
   * it resumes. Fails with the old table running. The caller has the pool's gate, and has told the dead man's handle.
   */
  change({ dataBytes, whenFull, autoextend }: TableChange): void {
    const { target, table } = this.#live();
    const liveBytes = sectorsToBytes(target.length);
    const length = dataBytes === undefined ? liveBytes : roundDown(dataBytes, table.chunkSize);
    if (length < liveBytes) throw new RangeError(`pool ${this.#pool} has ${liveBytes} bytes: it cannot have ${length}`);
    const others = table.features.filter((feature) => feature !== ERROR_WHEN_FULL);
    const isError = whenFull === undefined ? table.features.includes(ERROR_WHEN_FULL) : whenFull === "error";
    const features = isError ? [...others, ERROR_WHEN_FULL] : others;
    const wanted = poolTarget({ ...table, features, lowWaterMark: lowWaterMark(length, table.chunkSize, autoextend) }, bytesToSectors(length));
    replaceTable(this.#dm, this.uuid, [target], [wanted]);
  }

  /** `exact` commits the metadata first, so that the figures count what is in memory. */
  figures(options?: { readonly exact: boolean }): PoolFigures {
    const status = this.#status(options?.exact === true);
    if (!("transactionId" in status)) return { ...NO_FIGURES, state: status.mode, chunkSize: this.#chunkSize };
    const { transactionId, data, metadata, discardPassdown, queueIfNoSpace, needsCheck } = status;
    return {
      state: needsCheck ? "needs_check" : status.mode,
      transactionId,
      chunkSize: this.#chunkSize,
      data,
      metadata,
      discardPassdown,
      queuesWhenFull: queueIfNoSpace,
    };
  }

  hasMetadataSnapshot(): boolean {
    const status = this.#status(false);
    return "heldMetadataRoot" in status && status.heldMetadataRoot !== undefined;
  }

  setTransactionId(from: number, to: number): void {
    this.#dm.message(this.uuid, message.setTransactionId(from, to));
  }

  /** EEXIST: the number is a stranger's. */
  createThin(number: number): void {
    this.#dm.message(this.uuid, message.createThin(number));
  }

  /** The origin must be suspended, or not active: the kernel does not look. */
  createSnap(number: number, origin: number): void {
    this.#dm.message(this.uuid, message.createSnap(number, origin));
  }

  /** ENODATA: there is none. EBUSY: it is active. */
  deleteThin(number: number): void {
    this.#dm.message(this.uuid, message.deleteThin(number));
  }

  reserveMetadataSnapshot(): void {
    this.#dm.message(this.uuid, message.RESERVE_METADATA_SNAP);
  }

  releaseMetadataSnapshot(): void {
    this.#dm.message(this.uuid, message.RELEASE_METADATA_SNAP);
  }

  #status(exact: boolean): PoolTargetStatus {
    const [line] = this.#dm.status(this.uuid, { noFlush: !exact });
    return parsePoolStatus(line?.status ?? "");
  }

  #table(backing: BackingDevices, options: PoolTableOptions): readonly Target[] {
    const { chunkSize, zeroNewBlocks, whenFull, autoextend } = options;
    const length = roundDown(backing.data.sizeBytes, chunkSize);
    const features: PoolFeature[] = [];
    if (!zeroNewBlocks) features.push("skip_block_zeroing");
    // "auto" waits until care has seen that nothing is left to make the pool larger.
    if (whenFull === "error") features.push(ERROR_WHEN_FULL);
    const table = { metadata: backing.metadata, data: backing.data, chunkSize, lowWaterMark: lowWaterMark(length, chunkSize, autoextend), features };
    return [poolTarget(table, bytesToSectors(length))];
  }

  #live(): { readonly target: Target; readonly table: PoolTable } {
    const [target] = this.#dm.table(this.uuid);
    const table = target === undefined ? undefined : parsePoolTarget(target);
    if (target !== undefined && table !== undefined) return { target, table };
    const reason = `its device has a table that is no thin pool's: ${target === undefined ? "none" : `${target.type} ${target.parameters}`}`;
    throw new DmthinError({ code: "pool-refused", pool: this.#pool, reason, remedy: "look at it with dmsetup table" });
  }

  /** Whether it is the same pool: its disks and its chunks. All else may have changed since, in its description, its disks' size or by its state, and holds from the next activation. */
  #compare(active: readonly Target[], wanted: readonly Target[]): void {
    if (isSamePool(active, wanted)) return;
    throw new DmthinError({
      code: "pool-refused",
      pool: this.#pool,
      reason: `it is active already with another table: ${active.map(({ parameters }) => parameters).join("; ")}`,
      remedy: `compare its description with its disks; to start it anew, unmount its volumes and remove device ${deviceName(this.#pool, POOL_ID)}`,
    });
  }
}

function isSamePool([active]: readonly Target[], [wanted]: readonly Target[]): boolean {
  const [left, right] = [active, wanted].map((target) => (target === undefined ? undefined : parsePoolTarget(target)));
  if (active === undefined || wanted === undefined || left === undefined || right === undefined) return false;
  const sameDisks = sameDevice(left.data, right.data) && sameDevice(left.metadata, right.metadata);
  return sameDisks && left.chunkSize === right.chunkSize && active.length <= wanted.length;
}

function lowWaterMark(length: Bytes, chunkSize: Bytes, { thresholdPercent }: { readonly thresholdPercent: number }): Chunks {
  const percent = thresholdPercent < 100 ? 100 - thresholdPercent : LOW_WATER_PERCENT;
  return chunks(Math.floor(((length / chunkSize) * percent) / 100));
}

const sameDevice = (left: DeviceNumber, right: DeviceNumber): boolean => left.major === right.major && left.minor === right.minor;

const NO_FIGURES = {
  transactionId: 0,
  data: { used: chunks(0), total: chunks(0) },
  metadata: { used: metadataBlocks(0), total: metadataBlocks(0) },
  discardPassdown: false,
  queuesWhenFull: false,
};
