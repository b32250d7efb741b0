import type { ThinRecord } from "../catalog/records.ts";
import type { ThinListing } from "../devicemapper/thin-tools.ts";
import { chunksToBytes, type Bytes } from "../units.ts";
import type { Discrepancy, Inventory, Orphan } from "./pool-calls.ts";
import type { ThinSpace } from "./setup.ts";
import type { Workbench } from "./workbench.ts";

/** Compares the catalogue with what the pool's metadata holds. What nobody knows is shown, and left alone. */
export class Inventories {
  readonly #bench: Workbench;
  readonly #ending = new AbortController();
  #underWay: Promise<Inventory> | undefined;
  #tellsExclusive = false;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  begin(): void {
    this.take().catch((error: unknown) => {
      if (!this.#ending.signal.aborted) this.#bench.parts.logger.error("the inventory failed", { error });
    });
  }

  /** A listing takes as long as the metadata is large: one that is under way is ended. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.#underWay?.catch(() => undefined);
  }

  /** One at a time, shared by all who ask meanwhile: who also wants to know what each maps alone waits for one that tells it. */
  async take({ exclusive = false } = {}): Promise<Inventory> {
    if (this.#underWay !== undefined && exclusive && !this.#tellsExclusive) {
      await this.#underWay.catch(() => undefined);
      return this.take({ exclusive });
    }
    if (this.#underWay === undefined) {
      this.#tellsExclusive = exclusive;
      this.#underWay = this.#take(exclusive).finally(() => (this.#underWay = undefined));
    }
    return this.#underWay;
  }

  /** One that begins after this call, shared too: the one under way may have looked before what is asked about happened. */
  async fresh(): Promise<Inventory> {
    await this.#underWay?.catch(() => undefined);
    return this.take();
  }

  async #take(exclusive: boolean): Promise<Inventory> {
    const { mailbox, listing, catalog, publish, parts } = this.#bench;
    let moment = { at: new Date(), records: [] as readonly ThinRecord[], open: [] as readonly number[] };
    const onMoment = (): void => {
      moment = { at: new Date(), records: [...catalog.thins.values()], open: catalog.intent?.numbers ?? [] };
    };
    const { listed } = await mailbox.run(() => ({ listed: listing.list({ exclusive, signal: this.#ending.signal, onMoment }) }));
    // What is being made has no record yet, and is nobody's orphan.
    const listings = (await listed).filter(({ number }) => !moment.open.includes(number));
    const { chunkSize } = catalog.identity;
    const inventory = compare(listings, moment.records, chunkSize);
    publish({ kind: "measured", measurement: { at: moment.at, exclusive, thins: spacesOf(listings, moment.records, chunkSize) } });
    if (inventory.orphans.length > 0) parts.logger.warn("thin devices that the catalogue does not know: left alone", { orphans: inventory.orphans });
    if (inventory.discrepancies.length > 0) parts.logger.error("thin devices that are not as the catalogue says", { discrepancies: inventory.discrepancies });
    publish({ kind: "inventory", inventory });
    return inventory;
  }
}

function spacesOf(listings: readonly ThinListing[], records: readonly ThinRecord[], chunkSize: Bytes): ReadonlyMap<string, ThinSpace> {
  const listed = new Map(listings.map((listing) => [listing.number, listing]));
  return new Map(
    records.flatMap(({ id, number }): readonly (readonly [string, ThinSpace])[] => {
      const found = listed.get(number);
      if (found === undefined) return [];
      const exclusiveBytes = found.exclusiveChunks === undefined ? undefined : chunksToBytes(found.exclusiveChunks, chunkSize);
      return [[id, { mappedBytes: chunksToBytes(found.mappedChunks, chunkSize), exclusiveBytes }]];
    }),
  );
}

export function compare(listings: readonly ThinListing[], records: readonly ThinRecord[], chunkSize: Bytes): Inventory {
  const known = new Map(records.map((record) => [record.number, record]));
  const listed = new Map(listings.map((listing) => [listing.number, listing]));
  const orphans = listings.flatMap(({ number, mappedChunks, transactionId }): readonly Orphan[] =>
    known.has(number) ? [] : [{ number, mappedBytes: chunksToBytes(mappedChunks, chunkSize), transactionId }],
  );
  const discrepancies = records.flatMap(({ id, number, transactionId, state }): readonly Discrepancy[] => {
    const found = listed.get(number);
    if (found === undefined) return state === "deleting" ? [] : [{ id, number, reason: "missing" }];
    return found.transactionId === transactionId ? [] : [{ id, number, reason: "other-transaction-id" }];
  });
  return { orphans, discrepancies };
}
