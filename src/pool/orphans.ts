import type { VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { roundUp, type Bytes } from "../units.ts";
import type { Deletions } from "./deletions.ts";
import type { Freezer } from "./freezer.ts";
import type { Inventories } from "./inventories.ts";
import type { Adoption, ExaminedOrphan, Orphan } from "./pool-calls.ts";
import type { Workbench } from "./workbench.ts";

/** What is done with thin devices that no record knows: nothing, unless somebody asks for it by number. */
export class Orphans {
  readonly #bench: Workbench;
  readonly #freezer: Freezer;
  readonly #inventories: Inventories;
  readonly #deletions: Deletions;

  constructor(bench: Workbench, freezer: Freezer, inventories: Inventories, deletions: Deletions) {
    this.#bench = bench;
    this.#freezer = freezer;
    this.#inventories = inventories;
    this.#deletions = deletions;
  }

  async examine(number: number, id: string): Promise<ExaminedOrphan> {
    const orphan = await this.#find(number);
    return this.#bench.mailbox.run(() => this.#look(orphan, id));
  }

  async adopt(adoption: Adoption): Promise<VolumeRecord> {
    const known = this.#bench.catalog.thins.get(adoption.id);
    if (known?.kind === "volume" && known.number === adoption.number && known.state === "ready") return known;
    const orphan = await this.#find(adoption.number);
    const record = await this.#bench.mailbox.run(async () => {
      this.#requireFree(adoption.number, adoption.id);
      this.#bench.thins.deactivate(adoption.id);
      return this.#record(volumeOf(adoption, orphan));
    });
    this.#inventories.begin();
    return record;
  }

  /** It becomes a volume that is being deleted: what happens then is what happens to any other, at whatever step we end. */
  async remove(number: number, id: string): Promise<"removed" | "waiting"> {
    const { catalog, mailbox, parts } = this.#bench;
    if (catalog.thins.get(id)?.number !== number) {
      const orphan = await this.#find(number);
      await mailbox.run(async () => {
        const { leastBytes } = this.#look(orphan, id);
        this.#bench.thins.deactivate(id);
        const parameters = { discardOnDelete: parts.description.discardOnDelete, xfsNospaceMaxRetries: "auto" } as const;
        const sizeBytes = atLeastOne(leastBytes, parts.description.chunkSize);
        const adoption = { number, id, name: `orphan ${number}`, sizeBytes, filesystem: undefined, parameters };
        await this.#record({ ...volumeOf(adoption, orphan), state: "deleting" });
      });
    }
    await this.#deletions.carryOut(id);
    this.#inventories.begin();
    return catalog.thins.has(id) ? "waiting" : "removed";
  }

  async #find(number: number): Promise<Orphan> {
    const { orphans } = await this.#inventories.fresh();
    const orphan = orphans.find((each) => each.number === number);
    if (orphan === undefined) throw new DmthinError({ code: "not-found", kind: "orphan", id: String(number) });
    return orphan;
  }

  /** Read-only, and as long as what it maps. What an interrupted look left under the id is made anew. */
  #look(orphan: Orphan, id: string): ExaminedOrphan {
    const { thins, parts } = this.#bench;
    this.#requireFree(orphan.number, id);
    if (thins.deactivate(id) === "deferred") throw new DmthinError({ code: "in-progress", kind: "volume", id, operation: "a look at its device" });
    const thin = { id, number: orphan.number, sizeBytes: parts.description.chunkSize };
    thins.activate(thin, { readOnly: true });
    const leastBytes = thins.leastBytes(id);
    const whole = { ...thin, sizeBytes: atLeastOne(leastBytes, parts.description.chunkSize) };
    const device = this.#freezer.guard(id, () => thins.activate(whole, { readOnly: true }));
    return { orphan, device, leastBytes };
  }

  /** The listing is a moment old, and other calls had their turns since. */
  #requireFree(number: number, id: string): void {
    const { thins } = this.#bench.catalog;
    if ([...thins.values()].some((record) => record.number === number && record.id !== id))
      throw new DmthinError({ code: "not-found", kind: "orphan", id: String(number) });
    const known = thins.get(id);
    if (known === undefined) return;
    throw new DmthinError({ code: "already-exists", kind: "volume", id, difference: `it is thin device ${known.number}` });
  }

  async #record(record: VolumeRecord): Promise<VolumeRecord> {
    const { transitions, catalog, publish } = this.#bench;
    transitions.requireWritable();
    await transitions.run({
      kind: "adopt",
      ids: [record.id],
      // Not its own to take back: an adoption that fails leaves the thin device where it was.
      numbers: [],
      begin: (writer) => writer.setNextNumber(Math.max(catalog.identity.nextNumber, record.number + 1)),
      kernel: [],
      end: (writer) => writer.putThin(record),
    });
    publish({ kind: "thin", record });
    return record;
  }
}

const atLeastOne = (size: Bytes, chunkSize: Bytes): Bytes => (size === 0 ? chunkSize : roundUp(size, chunkSize));

const volumeOf = ({ number, id, name, sizeBytes, filesystem, parameters }: Adoption, { transactionId }: Orphan): VolumeRecord => ({
  kind: "volume",
  id,
  name,
  number,
  sizeBytes,
  createdAt: new Date(),
  transactionId,
  state: "ready",
  // Never to be formatted: it holds what somebody wants back.
  filesystem: { type: filesystem, state: filesystem === undefined ? "none" : "formatted" },
  origin: { kind: "blank" },
  capabilities: [{ access: filesystem === undefined ? "block" : "mount", filesystem, mountFlags: [], mode: "SINGLE_NODE_WRITER" }],
  mkfsOptions: [],
  parameters,
  // It may be a copy of another that is mounted.
  renewIdentity: filesystem === "btrfs",
  growFilesystem: false,
  staging: undefined,
  publications: [],
});
