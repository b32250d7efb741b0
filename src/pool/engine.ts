import type { Publication, SnapshotRecord, Staging, VolumeRecord, FilesystemState, MutableParameters } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { Bytes } from "../units.ts";
import type { ExtendTarget, Extension } from "./care/care-report.ts";
import { Care } from "./care/care.ts";
import { createVolume } from "./create.ts";
import { Deletions } from "./deletions.ts";
import type { EngineParts } from "./engine-parts.ts";
import { Extender } from "./care/extender.ts";
import type { Part } from "./backings/growth.ts";
import { Freezer } from "./freezer.ts";
import { Inventories } from "./inventories.ts";
import { runLasting } from "./lasting.ts";
import { Mailbox } from "./mailbox.ts";
import { MappedVolumes } from "./mapped-volumes.ts";
import { openPool } from "./recovery.ts";
import { Orphans } from "./orphans.ts";
import type { ActiveDevice, Adoption, ExaminedOrphan, Inventory, NewSnapshot, NewVolume, PoolCalls, PoolFigures, PoolNews } from "./pool-calls.ts";
import { readyVolume } from "./records.ts";
import { createSnapshots } from "./snapshots.ts";
import { describeSetup } from "./setup.ts";
import type { Workbench } from "./workbench.ts";

/**
 * The actor that owns a pool: its catalogue and its kernel calls. Requests become turns, one after the other. It runs in
 * the pool's worker, and under test in the test's own thread: it knows neither.
 */
export class PoolEngine implements PoolCalls {
  readonly #bench: Workbench;
  readonly #freezer: Freezer;
  readonly #deletions: Deletions;
  readonly #care: Care;
  readonly #inventories: Inventories;
  readonly #orphans: Orphans;

  private constructor(bench: Workbench) {
    this.#bench = bench;
    this.#freezer = new Freezer(bench);
    this.#deletions = new Deletions(bench);
    this.#care = new Care(bench, new Extender(bench, this.#freezer));
    this.#inventories = new Inventories(bench);
    this.#orphans = new Orphans(bench, this.#freezer, this.#inventories, this.#deletions);
  }

  /** Start is recovery. The caller holds the pool's lock. Deferred deletions and the inventory follow in the background. */
  static async start(given: EngineParts, tell: (news: PoolNews) => void): Promise<PoolEngine> {
    const mapped = new MappedVolumes();
    const publish = (news: PoolNews): void => {
      mapped.hear(news);
      tell(news);
    };
    const open = await openPool(given).finally(() => tellDisks(given, publish));
    const parts = { ...given, description: open.description };
    const publishFigures: Workbench["publishFigures"] = (options) => {
      const host = parts.backing.growth?.hostSpace?.();
      const figures = { ...open.device.figures(options), ...(host === undefined ? {} : { host }) };
      publish({ kind: "figures", figures });
      return figures;
    };
    const engine = new PoolEngine({ ...open, parts, mailbox: new Mailbox(), gate: new Mailbox(), mapped, publish, publishFigures });
    try {
      const { identity, thins, groups } = open.catalog;
      publish({ kind: "catalog", poolUuid: identity.uuid, thins: [...thins.values()], groups: [...groups.values()] });
      publish({ kind: "setup", setup: describeSetup(parts.dm, open.device.uuid, open.devices) });
      await engine.#care.begin();
      publishFigures();
    } catch (error) {
      await engine.close(); // the next attempt needs the catalogue
      throw error;
    }
    publish({ kind: "status", status: { kind: "ready" } });
    engine.#deletions.begin();
    engine.#inventories.begin();
    return engine;
  }

  async createVolume(volume: NewVolume): Promise<VolumeRecord> {
    return createVolume(this.#bench, this.#freezer, volume);
  }

  async createSnapshots(
    snapshots: readonly NewSnapshot[],
    group: { readonly id: string; readonly name: string } | undefined,
  ): Promise<readonly SnapshotRecord[]> {
    return createSnapshots(this.#bench, this.#freezer, snapshots, group);
  }

  async expand(id: string, sizeBytes: Bytes): Promise<VolumeRecord> {
    return this.#bench.gate.run(() =>
      this.#bench.mailbox.run(() => {
        const record = this.#volume(id);
        const grown = sizeBytes > record.sizeBytes ? this.#put({ ...record, sizeBytes, growFilesystem: record.filesystem.state !== "none" }, "expand") : record;
        this.#grow(record, grown);
        return grown;
      }),
    );
  }

  async modify(id: string, parameters: MutableParameters): Promise<VolumeRecord> {
    return this.#bench.mailbox.run(() => this.#put({ ...this.#volume(id), parameters }, "modify"));
  }

  async remove(id: string): Promise<void> {
    await this.#deletions.remove([id], undefined);
  }

  async removeGroup(id: string): Promise<void> {
    await this.#deletions.remove(this.#bench.catalog.groups.get(id)?.snapshotIds ?? [], id);
  }

  async activate(id: string, options: { readonly readOnly: boolean }): Promise<ActiveDevice> {
    return this.#bench.mailbox.run(() => {
      const record = this.#volume(id);
      return this.#freezer.guard(id, () => this.#bench.thins.activate(record, options));
    });
  }

  async deactivate(id: string): Promise<"removed" | "deferred"> {
    return this.#bench.mailbox.run(() => {
      this.#bench.mapped.note(id, this.#bench.thins.mapped(id));
      return this.#bench.thins.deactivate(id);
    });
  }

  async setFilesystem(
    id: string,
    change: { readonly state?: FilesystemState; readonly renewIdentity?: boolean; readonly growFilesystem?: boolean; readonly trimmedAt?: Date },
  ): Promise<VolumeRecord> {
    return this.#bench.mailbox.run(() => {
      const record = this.#volume(id);
      const { state = record.filesystem.state, ...rest } = change;
      const changed = { ...record, ...rest, filesystem: { ...record.filesystem, state } };
      return state === record.filesystem.state ? this.#put(changed, "filesystem") : this.#putFormat(changed);
    });
  }

  async setStaging(id: string, staging: Staging | undefined): Promise<VolumeRecord> {
    return this.#bench.mailbox.run(() => this.#put({ ...this.#volume(id), staging }, "staging"));
  }

  async setPublications(id: string, publications: readonly Publication[]): Promise<VolumeRecord> {
    return this.#bench.mailbox.run(() => this.#put({ ...this.#volume(id), publications }, "publications"));
  }

  async mapped(id: string): Promise<Bytes | undefined> {
    return this.#bench.mailbox.run(() => this.#bench.thins.mapped(id));
  }

  async refresh(): Promise<PoolFigures> {
    return this.#care.look();
  }

  async extend(part: Part, target: ExtendTarget): Promise<Extension> {
    return this.#care.extend(part, target);
  }

  async addDevices(paths: readonly string[]): Promise<void> {
    const { backing, description } = this.#bench.parts;
    if (backing.addDevices === undefined) {
      const reason = `a pool on ${description.backing.kind} takes no more disks`;
      throw new DmthinError({ code: "pool-unchanged", pool: description.name, reason, remedy: "make larger what it lies on" });
    }
    await runLasting(this.#bench.gate, this.#bench, async () => backing.addDevices?.(paths)).finally(() => tellDisks(this.#bench.parts, this.#bench.publish));
    await this.#care.lookAnew();
  }

  async inventory(): Promise<Inventory> {
    return this.#inventories.fresh();
  }

  async examineOrphan(number: number, id: string): Promise<ExaminedOrphan> {
    return this.#orphans.examine(number, id);
  }

  async adoptOrphan(adoption: Adoption): Promise<VolumeRecord> {
    return this.#orphans.adopt(adoption);
  }

  async removeOrphan(number: number, id: string): Promise<"removed" | "waiting"> {
    return this.#orphans.remove(number, id);
  }

  async measure(): Promise<void> {
    await this.#inventories.take({ exclusive: true });
  }

  /** Ends what runs in the background, and closes the catalogue. Active devices stay active. */
  async close(): Promise<void> {
    await this.#care.end();
    await this.#deletions.end();
    this.#freezer.end();
    await this.#inventories.end();
    await this.#bench.mailbox.run(async () => {
      this.#bench.copy?.end();
      this.#bench.catalog.close();
      await this.#bench.parts.backing.closeCatalogFolder?.();
    });
  }

  #volume(id: string): VolumeRecord {
    return readyVolume(this.#bench.catalog.thins, id);
  }

  /** The record goes first, so that no device is ever larger than its record. */
  #grow(record: VolumeRecord, grown: VolumeRecord): void {
    this.#bench.parts.observe("expand", "table", "before");
    try {
      this.#freezer.guard(grown.id, () => this.#bench.thins.grow(grown));
    } catch (error) {
      this.#takeBack(record, grown, error);
      throw error;
    }
    this.#bench.parts.observe("expand", "table", "after");
  }

  /** A size that the kernel refused is not told as what the volume has: it would never be asked for again. Where this fails, it is as if the driver had been killed before. */
  #takeBack(record: VolumeRecord, grown: VolumeRecord, cause: unknown): void {
    try {
      const sizeBytes = this.#bench.thins.sizeOf(grown.id);
      if (sizeBytes !== undefined && sizeBytes < grown.sizeBytes) this.#put({ ...record, sizeBytes }, "expand-refused");
    } catch (error) {
      this.#bench.parts.logger.error("an expansion that was refused could not be taken back", { id: record.id, cause, error });
    }
  }

  /** A transition, so that a copy of the catalogue made before it, which would let mkfs run again, is refused by its transaction id. */
  async #putFormat(record: VolumeRecord): Promise<VolumeRecord> {
    this.#bench.transitions.requireWritable();
    await this.#bench.transitions.run({ kind: "format", ids: [record.id], numbers: [], kernel: [], end: (writer) => writer.putThin(record) });
    this.#bench.publish({ kind: "thin", record });
    return record;
  }

  #put(record: VolumeRecord, change: string): VolumeRecord {
    this.#bench.parts.observe(change, "commit", "before");
    this.#bench.catalog.change((writer) => writer.putThin(record));
    this.#bench.parts.observe(change, "commit", "after");
    this.#bench.publish({ kind: "thin", record });
    return record;
  }
}

/** Also of a pool that is refused for them. */
function tellDisks({ backing }: EngineParts, publish: (news: PoolNews) => void): void {
  if (backing.disks !== undefined) publish({ kind: "disks", disks: backing.disks });
}
