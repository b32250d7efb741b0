import type { Logger } from "../../logger.ts";
import type { Bytes } from "../../units.ts";
import { bytes, chunksToBytes } from "../../units.ts";
import { decide, sizesOf, thresholdPercent, type Decision, type Tried } from "./care-decision.ts";
import { CareJournal } from "./care-journal.ts";
import type { ExtendTarget, Extension, PartReport } from "./care-report.ts";
import type { Extender } from "./extender.ts";
import { PARTS, type Part, type PartSizes } from "../backings/growth.ts";
import { hasCopies } from "../mapped-volumes.ts";
import { metadataForCopies } from "./metadata-for-copies.ts";
import type { PoolFigures } from "../pool-calls.ts";
import type { Workbench } from "../workbench.ts";

/** What can be had below a pool changes by somebody's hand: it is looked at now and then, and often while it matters. */
const ROOM_KEPT_MS = 60_000;
const ROOM_KEPT_NEAR_MS = 5_000;
/** LVM is asked by a program. */
const ROOM_KEPT_NEAR_LVM_MS = 30_000;
const MAPPED_KEPT_MS = 10_000;
const AFTER_FAILURE_MS = 60_000;

interface PartState {
  failures: number;
  triedAt: number;
  lastExtension: Extension | undefined;
  failure: string | undefined;
}

/** Looks, decides, acts: at each refresh of the figures, one after the other. What it knows is published when it changes. */
export class Care {
  readonly #bench: Workbench;
  readonly #extender: Extender;
  readonly #journal: CareJournal;
  readonly #logger: Logger;
  readonly #parts: Record<Part, PartState> = { data: untried(), metadata: untried() };
  #room: { readonly sizes: PartSizes; readonly at: number } | undefined;
  /** What a look has found, until it is decided upon. */
  #seen: PoolFigures | undefined;
  #noSwitchBefore = -Infinity;
  #mappedAt = -Infinity;
  #published = "";
  #underWay: Promise<void> | undefined;
  #again = false;
  #ended = false;

  constructor(bench: Workbench, extender: Extender) {
    this.#bench = bench;
    this.#extender = extender;
    this.#logger = bench.parts.logger;
    this.#journal = new CareJournal(bench.parts.logger, bench.parts.description);
  }

  /** At start: a description that asks for more than there is. */
  async begin(): Promise<void> {
    const { least } = this.#bench.parts.backing.growth ?? {};
    for (const part of PARTS.toReversed()) {
      const { state } = this.#bench.device.figures();
      if (least !== undefined && state !== "Fail" && state !== "Error" && least[part] > this.#extender.sizes()[part]) await this.#extend(part, least[part]);
    }
  }

  /** Reads the figures, and answers them; what has to be done by them follows. */
  async look(): Promise<PoolFigures> {
    const figures = await this.#bench.mailbox.run(() => this.#bench.publishFigures({ exact: true }));
    this.#seen = figures;
    this.#again = true;
    this.#begin();
    return figures;
  }

  /** Somebody has changed what can be had below the pool. */
  async lookAnew(): Promise<void> {
    this.#room = undefined;
    await this.look();
  }

  async extend(part: Part, target: ExtendTarget): Promise<Extension> {
    const extensions = await this.#extender.extend(part, target);
    this.#extended(extensions);
    await this.look();
    const answer = extensions.find((each) => each.part === part);
    if (answer === undefined) throw new Error(`nothing is known of the pool's ${part}`);
    return answer;
  }

  /** A step that is under way is finished. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#underWay;
  }

  #begin(): void {
    this.#underWay ??= this.#tend().finally(() => {
      this.#underWay = undefined;
      if (this.#again && !this.#ended) this.#begin(); // a look that came as it ended
    });
  }

  async #tend(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false;
      try {
        await this.#tendOnce();
      } catch (error) {
        this.#logger.error("care for the pool failed", { error });
      }
    }
  }

  async #tendOnce(): Promise<void> {
    const figures = this.#seen ?? this.#bench.publishFigures({ exact: true });
    this.#seen = undefined;
    this.#journal.see(figures);
    const known = {
      figures,
      policy: this.#bench.parts.description,
      whenFull: this.#extender.whenFull(),
      tried: this.#tried(),
      forCopies: this.#forCopies(figures),
    };
    const before = decide({ ...known, room: this.#room?.sizes });
    const room = await this.#look(figures, before);
    const decision = decide({ ...known, room });
    if (room !== undefined) {
      const metadataRoom = thresholdPercent("metadata", this.#bench.parts.description) === undefined ? bytes(0) : room.metadata;
      this.#bench.mapped.metadataRoom = metadataRoom;
      this.#journal.copies(figures, metadataRoom);
    }
    this.#journal.decided(decision, figures);
    this.#publish(figures, decision);
    await this.#tellMapped();
    if (await this.#act(decision)) {
      this.#room = undefined;
      this.#again = true;
    }
  }

  /** Answers whether anything was changed. One part at a time: what the first took, the other cannot have, so it is decided upon anew. */
  async #act({ extend, whenFull }: Decision): Promise<boolean> {
    for (const { part, to } of extend) if (!this.#ended && (await this.#extend(part, to))) return true;
    return whenFull !== undefined && !this.#ended && (await this.#switch(whenFull));
  }

  async #switch(how: "queue" | "error"): Promise<boolean> {
    if (performance.now() < this.#noSwitchBefore) return false;
    try {
      await this.#extender.setWhenFull(how);
      return true;
    } catch (error) {
      this.#noSwitchBefore = performance.now() + AFTER_FAILURE_MS;
      this.#logger.error("what writes do when the pool is full could not be changed", { wanted: how, error });
      return false;
    }
  }

  async #extend(part: Part, to: Bytes): Promise<boolean> {
    const state = this.#parts[part];
    state.triedAt = performance.now();
    try {
      this.#extended(await this.#extender.growTo(part, to, "care"));
      return true;
    } catch (error) {
      state.failures++;
      state.failure = this.#journal.failed(part, error);
      return true;
    }
  }

  #extended(extensions: readonly Extension[]): void {
    for (const extension of extensions.filter(({ fromBytes, toBytes }) => toBytes > fromBytes)) {
      this.#parts[extension.part] = { ...untried(), lastExtension: extension };
      this.#journal.extended(extension);
    }
    this.#room = undefined;
  }

  #tried(): Readonly<Record<Part, Tried>> {
    const { data, metadata } = this.#parts;
    return { data: since(data), metadata: since(metadata) };
  }

  /** undefined when it cannot be found out: nothing is decided on a guess. */
  async #look(figures: PoolFigures, { extend, exhausted, nextLookMs }: Decision): Promise<PartSizes | undefined> {
    const { growth } = this.#bench.parts.backing;
    if (growth === undefined) return { data: bytes(0), metadata: bytes(0) };
    const matters = exhausted.data || exhausted.metadata || nextLookMs < ROOM_KEPT_NEAR_MS;
    const keptNear = this.#bench.devices.pool === undefined ? ROOM_KEPT_NEAR_MS : ROOM_KEPT_NEAR_LVM_MS;
    const kept = extend.length > 0 ? 0 : matters ? keptNear : ROOM_KEPT_MS;
    if (this.#room !== undefined && performance.now() - this.#room.at < kept) return this.#room.sizes;
    try {
      this.#room = { sizes: await growth.room(sizesOf(figures), "care"), at: performance.now() };
    } catch (error) {
      this.#room = undefined;
      this.#logger.warn("how much larger the pool could be made cannot be found out", { error });
    }
    return this.#room?.sizes;
  }

  /** While there are copies: what volumes map alone, they never write anew elsewhere. */
  #forCopies(figures: PoolFigures): Bytes {
    const { catalog, mapped } = this.#bench;
    if (!hasCopies(catalog.thins.values())) return bytes(0);
    return metadataForCopies(mapped.writable(catalog.thins.values(), chunksToBytes(figures.data.used, figures.chunkSize)), figures);
  }

  #publish(figures: PoolFigures, { exhausted, nextLookMs }: Decision): void {
    const policy = this.#bench.parts.description;
    const sizes = sizesOf(figures);
    const report = (part: Part): PartReport => ({
      sizeBytes: sizes[part],
      headroomBytes: this.#room?.sizes[part] ?? bytes(0),
      thresholdPercent: thresholdPercent(part, policy),
      exhausted: exhausted[part],
      lastExtension: this.#parts[part].lastExtension,
      failure: this.#parts[part].failure,
    });
    const care = { data: report("data"), metadata: report("metadata"), counts: this.#journal.counts, events: this.#journal.events, nextLookMs };
    const text = JSON.stringify(care);
    if (text === this.#published) return;
    this.#published = text;
    this.#bench.publish({ kind: "care", care });
  }

  async #tellMapped(): Promise<void> {
    if (performance.now() - this.#mappedAt < MAPPED_KEPT_MS) return;
    this.#mappedAt = performance.now();
    const { mailbox, thins, catalog, publish } = this.#bench;
    const mapped = await mailbox.run(() => thins.mappedOf(catalog.thins.keys()));
    publish({ kind: "mapped", mapped });
  }
}

const since = ({ failures, triedAt }: PartState): Tried => ({ failures, msAgo: performance.now() - triedAt });

const untried = (): PartState => ({ failures: 0, triedAt: -Infinity, lastExtension: undefined, failure: undefined });
