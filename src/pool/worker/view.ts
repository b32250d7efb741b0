import type { GroupRecord, ThinRecord } from "../../catalog/records.ts";
import type { Bytes } from "../../units.ts";
import type { ExcludedDisk, PoolDisks } from "../backings/backing.ts";
import type { CareReport } from "../care/care-report.ts";
import type { DeletionDelay, Inventory, PoolFigures, PoolNews, PoolStatus } from "../pool-calls.ts";
import type { PoolView } from "../pool.ts";
import type { Measurement, PoolSetup, ThinSpace } from "../setup.ts";

/** What a pool's actor has told so far: the main thread lists, reports and answers capacity from it without asking. */
export class LiveView implements PoolView {
  #thins = new Map<string, ThinRecord>();
  #groups = new Map<string, GroupRecord>();
  #promisedBytes = 0;
  #deferredDeletions = new Map<string, DeletionDelay>();
  #status: PoolStatus = { kind: "recovering" };
  #figures: PoolFigures | undefined;
  #inventory: Inventory | undefined;
  #care: CareReport | undefined;
  #mapped: ReadonlyMap<string, Bytes> = new Map();
  #setup: PoolSetup | undefined;
  #disks: PoolDisks | undefined;
  readonly #spaces = new Map<string, ThinSpace>();
  #exclusiveAt: Date | undefined;
  #poolUuid: string | undefined;
  #stuck: PoolView["stuck"];
  /** The call that waits unusually long, as its caller sees it. */
  waiting: PoolView["stuck"];
  unanswered = 0;

  get poolUuid(): string | undefined {
    return this.#poolUuid;
  }

  get status(): PoolStatus {
    return this.#status;
  }

  get figures(): PoolFigures | undefined {
    return this.#figures;
  }

  get thins(): ReadonlyMap<string, ThinRecord> {
    return this.#thins;
  }

  get groups(): ReadonlyMap<string, GroupRecord> {
    return this.#groups;
  }

  get promisedBytes(): number {
    return this.#promisedBytes;
  }

  get deferredDeletions(): ReadonlyMap<string, DeletionDelay> {
    return this.#deferredDeletions;
  }

  get inventory(): Inventory | undefined {
    return this.#inventory;
  }

  get care(): CareReport | undefined {
    return this.#care;
  }

  get mapped(): ReadonlyMap<string, Bytes> {
    return this.#mapped;
  }

  get setup(): PoolSetup | undefined {
    return this.#setup;
  }

  get memberDisks(): readonly string[] | undefined {
    return this.#disks?.members;
  }

  get excludedDisks(): readonly ExcludedDisk[] | undefined {
    return this.#disks?.excluded;
  }

  /** What the actor says of itself knows more than what its callers see. */
  get stuck(): PoolView["stuck"] {
    return this.#stuck ?? this.waiting;
  }

  get spaces(): ReadonlyMap<string, ThinSpace> {
    return this.#spaces;
  }

  get exclusiveAt(): Date | undefined {
    return this.#exclusiveAt;
  }

  apply(news: PoolNews): void {
    switch (news.kind) {
      case "catalog":
        this.#poolUuid = news.poolUuid;
        this.#thins = new Map(news.thins.map((record) => [record.id, record]));
        this.#groups = new Map(news.groups.map((record) => [record.id, record]));
        this.#promisedBytes = news.thins.reduce((sum, record) => sum + promisedBy(record), 0);
        this.#deferredDeletions = new Map();
        break;
      case "thin":
        this.#promisedBytes += promisedBy(news.record) - promisedBy(this.#thins.get(news.record.id));
        this.#thins.set(news.record.id, news.record);
        break;
      case "thin-gone":
        this.#promisedBytes -= promisedBy(this.#thins.get(news.id));
        this.#thins.delete(news.id);
        this.#spaces.delete(news.id);
        this.#deferredDeletions.delete(news.id);
        break;
      case "deletion-delayed":
        this.#deferredDeletions.set(news.id, news.delay);
        break;
      case "group":
        this.#groups.set(news.record.id, news.record);
        break;
      case "group-gone":
        this.#groups.delete(news.id);
        break;
      case "figures":
        this.#figures = news.figures;
        break;
      case "care":
        this.#care = news.care;
        break;
      case "mapped":
        this.#mapped = news.mapped;
        for (const [id, mappedBytes] of news.mapped) this.#spaces.set(id, { exclusiveBytes: this.#spaces.get(id)?.exclusiveBytes, mappedBytes });
        break;
      case "setup":
        this.#setup = news.setup;
        break;
      case "disks":
        this.#disks = news.disks;
        break;
      case "measured":
        this.#measured(news.measurement);
        break;
      case "inventory":
        this.#inventory = news.inventory;
        break;
      case "stuck":
        this.#stuck = news.stuck;
        break;
      case "status":
        this.#status = news.status;
        break;
    }
  }

  /** A listing that did not tell what each maps alone leaves what an earlier one told. */
  #measured({ at, exclusive, thins }: Measurement): void {
    if (exclusive) this.#exclusiveAt = at;
    for (const [id, { mappedBytes, exclusiveBytes }] of thins) {
      if (this.#thins.has(id)) this.#spaces.set(id, { mappedBytes, exclusiveBytes: exclusiveBytes ?? this.#spaces.get(id)?.exclusiveBytes });
    }
  }
}

/** Counted as it changes: with thousands of volumes, adding them up would be most of what a creation costs here. */
const promisedBy = (record: ThinRecord | undefined): number => (record?.kind === "volume" && record.state === "ready" ? record.sizeBytes : 0);
