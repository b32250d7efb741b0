import type { GroupRecord, ThinRecord } from "../catalog/records.ts";
import type { Bytes } from "../units.ts";
import type { CareReport } from "./care-report.ts";
import type { DeletionDelay, Inventory, PoolFigures, PoolNews, PoolStatus } from "./pool-calls.ts";
import type { PoolView } from "./pool.ts";

/** What a pool's actor has told so far: the main thread lists, reports and answers capacity from it without asking. */
export class LiveView implements PoolView {
  #thins = new Map<string, ThinRecord>();
  #groups = new Map<string, GroupRecord>();
  #status: PoolStatus = { kind: "recovering" };
  #deferredDeletions = new Map<string, DeletionDelay>();
  #figures: PoolFigures | undefined;
  #inventory: Inventory | undefined;
  #care: CareReport | undefined;
  #mapped: ReadonlyMap<string, Bytes> = new Map();
  stuck: PoolView["stuck"];

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

  get inventory(): Inventory | undefined {
    return this.#inventory;
  }

  get deferredDeletions(): ReadonlyMap<string, DeletionDelay> {
    return this.#deferredDeletions;
  }

  get care(): CareReport | undefined {
    return this.#care;
  }

  get mapped(): ReadonlyMap<string, Bytes> {
    return this.#mapped;
  }

  apply(news: PoolNews): void {
    switch (news.kind) {
      case "catalog":
        this.#thins = new Map(news.thins.map((record) => [record.id, record]));
        this.#groups = new Map(news.groups.map((record) => [record.id, record]));
        break;
      case "thin":
        this.#thins.set(news.record.id, news.record);
        break;
      case "thin-gone":
        this.#thins.delete(news.id);
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
        this.#deferredDeletions = new Map();
      case "care":
        this.#care = news.care;
        break;
      case "mapped":
        this.#mapped = news.mapped;
        break;
        this.#spaces.delete(news.id);
        this.#deferredDeletions.delete(news.id);
        break;
      case "deletion-delayed":
        this.#deferredDeletions.set(news.id, news.delay);
      case "inventory":
        this.#inventory = news.inventory;
        break;
      case "status":
        this.#status = news.status;
        break;
    }
  }
}
