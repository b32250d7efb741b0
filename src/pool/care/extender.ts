import { DmthinError } from "../../errors.ts";
import { bytes, BYTES_PER_METADATA_BLOCK, formatBytes, MiB, roundDown, roundUp, type Bytes } from "../../units.ts";
import { sizesOf } from "./care-decision.ts";
import type { ExtendTarget, Extension } from "./care-report.ts";
import type { Freezer } from "../freezer.ts";
import { PARTS, type Growth, type Part, type PartSizes } from "../backings/growth.ts";
import { runLasting } from "../lasting.ts";
import { POOL_ID } from "../names.ts";
import type { PoolFigures } from "../pool-calls.ts";
import type { Workbench } from "../workbench.ts";

/**
 * Makes a pool's parts larger and switches what writes do when it is full: for care, and for who asks. Each under the
 * gate, so that no thin device is suspended meanwhile: that together with a new table of its pool deadlocks in the kernel.
 */
export class Extender {
  readonly #bench: Workbench;
  readonly #freezer: Freezer;

  constructor(bench: Workbench, freezer: Freezer) {
    this.#bench = bench;
    this.#freezer = freezer;
  }

  /** By somebody's request, as far as there is room. */
  async extend(part: Part, target: ExtendTarget): Promise<readonly Extension[]> {
    const growth = this.#growth(part);
    this.#requireGrowing(part, this.#bench.device.figures());
    const current = this.sizes();
    const room = await growth.room(current, "request");
    const wanted = wantedSize(current[part], room[part], target, part === "data" ? this.#bench.device.figures().chunkSize : MiB);
    if (wanted > current[part] + room[part]) {
      const reason = `it has ${formatBytes(current[part])}, and ${formatBytes(room[part])} more can be had now: ask for less, or add space below the pool first`;
      throw new DmthinError({ code: "out-of-range", what: `${formatBytes(wanted)} of ${part} for pool ${this.#bench.parts.description.name}`, reason });
    }
    return this.growTo(part, wanted, "request");
  }

  /** So large, in whole blocks. The kernel takes a metadata device that has become larger whenever the pool gets a table: so both are answered. */
  async growTo(part: Part, to: Bytes, by: Extension["by"]): Promise<readonly Extension[]> {
    const growth = this.#growth(part);
    return this.#gated(async () => {
      const before = this.sizes();
      const changes = (after: PartSizes): readonly Extension[] =>
        PARTS.map((each) => ({ at: new Date(), part: each, fromBytes: before[each], toBytes: after[each], by }));
      const wanted = roundDown(to, part === "data" ? this.#bench.device.figures().chunkSize : bytes(BYTES_PER_METADATA_BLOCK));
      if (wanted <= before[part]) return changes(before);
      this.#requireGrowing(part, this.#bench.device.figures());
      await this.#step(`grow ${part}`, async () => (this.#isOwnTable ? growth.grow(part, wanted) : this.#inTurn(async () => growth.grow(part, wanted))));
      if (this.#isOwnTable) await this.#reload(part === "data" ? { dataBytes: wanted } : {});
      const after = this.sizes();
      if (after[part] <= before[part])
        throw this.#refused(part, "what lies below it is larger now, and the kernel did not take it", "look at the kernel's log");
      return changes(after);
    });
  }

  async setWhenFull(how: "queue" | "error"): Promise<void> {
    await this.#gated(async () => {
      if (this.#isOwnTable) return this.#reload({ whenFull: how });
      await this.#step(`when full ${how}`, async () => this.#inTurn(async () => this.#bench.parts.backing.growth?.setWhenFull?.(how)));
    });
  }

  /** As the table is set; undefined where it is not ours to change. */
  whenFull(): "queue" | "error" | undefined {
    const isOurs = this.#isOwnTable || this.#bench.parts.backing.growth?.setWhenFull !== undefined;
    return isOurs && this.#bench.device.isActive() ? this.#bench.device.whenFull() : undefined;
  }

  sizes(): PartSizes {
    return sizesOf(this.#bench.device.figures());
  }

  /** Both last as long as LVM does, which may outlive its deadline: beside it nothing is suspended, and nothing else of the pool's is touched. */
  async #gated<Result>(work: () => Promise<Result>): Promise<Result> {
    return runLasting(this.#bench.gate, this.#bench, work);
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return runLasting(this.#bench.mailbox, this.#bench, work);
  }

  get #isOwnTable(): boolean {
    return this.#bench.devices.pool === undefined;
  }

  async #reload(change: { readonly dataBytes?: Bytes; readonly whenFull?: "queue" | "error" }): Promise<void> {
    const { mailbox, device, parts } = this.#bench;
    const { autoextend } = parts.description;
    await mailbox.run(async () => this.#step("table", async () => this.#freezer.guard(POOL_ID, () => device.change({ ...change, autoextend }))));
  }

  async #step<Result>(step: string, work: () => Promise<Result>): Promise<Result> {
    const { observe } = this.#bench.parts;
    observe("care", step, "before");
    const result = await work();
    observe("care", step, "after");
    return result;
  }

  #growth(part: Part): Growth {
    const { growth } = this.#bench.parts.backing;
    if (growth !== undefined) return growth;
    throw this.#refused(part, "its device is an administrator's", "make that larger, with what made it");
  }

  /** The kernel takes no growth then: what lies below would be larger for nothing. */
  #requireGrowing(part: Part, { state }: PoolFigures): void {
    const takes = state === "rw" || state === "out_of_data_space" || (state === "ro" && part === "metadata");
    if (!takes) throw new DmthinError({ code: "pool-not-writable", pool: this.#bench.parts.description.name, state });
  }

  #refused(part: Part, reason: string, remedy: string): DmthinError {
    return new DmthinError({
      code: "pool-unchanged",
      pool: this.#bench.parts.description.name,
      reason: `its ${part} cannot be made larger: ${reason}`,
      remedy,
    });
  }
}

function wantedSize(current: Bytes, room: Bytes, target: ExtendTarget, step: Bytes): Bytes {
  if (target === "max") return bytes(current + room);
  return roundUp(bytes("to" in target ? target.to : current + target.by), step);
}
