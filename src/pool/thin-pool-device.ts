import type { DeviceMapper, DeviceNumber, Target } from "../devicemapper/device-mapper.ts";
import * as message from "../devicemapper/thin-messages.ts";
import { parsePoolStatus, type PoolTargetStatus } from "../devicemapper/thin-status.ts";
import { parsePoolTarget, poolTarget, type PoolFeature } from "../devicemapper/thin-table.ts";
import { DmthinError } from "../errors.ts";
import { bytesToSectors, chunks, metadataBlocks, roundDown, type Bytes } from "../units.ts";
import type { BackingDevices } from "./backing.ts";
import { deviceName, deviceUuid, POOL_ID } from "./names.ts";
import type { PoolFigures } from "./pool-calls.ts";

/** A pool is woken by the kernel when this much of its data is left, in percent. */
const LOW_WATER_PERCENT = 20;

export interface PoolTableOptions {
  readonly chunkSize: Bytes;
  readonly zeroNewBlocks: boolean;
}

/** The pool's own device in the kernel: activation, figures, and the messages that change what it holds. */
export class ThinPoolDevice {
  readonly #dm: DeviceMapper;
  readonly #pool: string;
  readonly #chunkSize: Bytes;
  readonly uuid: string;

  constructor(dm: DeviceMapper, pool: { readonly name: string; readonly uuid: string; readonly chunkSize: Bytes }) {
    this.#dm = dm;
    this.#pool = pool.name;
    this.#chunkSize = pool.chunkSize;
    this.uuid = deviceUuid(pool.uuid, POOL_ID);
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
    const { chunkSize, zeroNewBlocks } = options;
    const length = roundDown(backing.data.sizeBytes, chunkSize);
    const lowWaterMark = chunks(Math.floor(((length / chunkSize) * LOW_WATER_PERCENT) / 100));
    // Nothing grows these pools yet, so a full one fails writes at once instead of keeping its users waiting.
    const features: PoolFeature[] = ["error_if_no_space"];
    if (!zeroNewBlocks) features.push("skip_block_zeroing");
    return [poolTarget({ ...backing, chunkSize, lowWaterMark, features }, bytesToSectors(length))];
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

const sameDevice = (left: DeviceNumber, right: DeviceNumber): boolean => left.major === right.major && left.minor === right.minor;

const NO_FIGURES = {
  transactionId: 0,
  data: { used: chunks(0), total: chunks(0) },
  metadata: { used: metadataBlocks(0), total: metadataBlocks(0) },
  discardPassdown: false,
  queuesWhenFull: false,
};
