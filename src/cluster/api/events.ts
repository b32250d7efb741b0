import { randomBytes } from "node:crypto";
import { isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import { EVENT } from "../objects/core.ts";
import { GROUP, VERSION, type ApiObject } from "../objects/meta.ts";
import { Backoff } from "./backoff.ts";
import { EventBudget } from "./event-budget.ts";
import { microTime } from "./lease.ts";
import type { ApiServer } from "./objects-api.ts";

/** Whom an event is about. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** None for what is in none. */
  readonly namespace?: string;
}

export interface News {
  readonly type: "Normal" | "Warning";
  /** One word in CamelCase. */
  readonly reason: string;
  /** A sentence for people. */
  readonly note: string;
}

export interface ApiEventsOptions {
  readonly server: ApiServer;
  /** Such as "dmthin.io/node". */
  readonly controller: string;
  /** Which of them: the node's or the pod's name. */
  readonly instance: string;
  readonly logger: Logger;
  /** What happens again is counted at most so often. Default 300,000. */
  readonly repeatMs?: number;
}

interface Series {
  readonly regarding: Regarding;
  readonly news: News;
  name: string | undefined;
  count: number;
  timer: NodeJS.Timeout | undefined;
}

/** Events of what is in no namespace are in this one. Source: events.k8s.io/v1, validation. */
const NAMESPACE_OF_OTHERS = "default";
/** Source: the same. */
const MAX_NOTE = 1024;
const MAX_NAME = 200;
/** How many different ones are remembered, and how many may wait to be sent. */
const MAX_SERIES = 500;
const MAX_WAITING = 100;
const TRIES = 4;
const CLOSE_MS = 1000;

/**
 * Tells people of an object, where `kubectl describe` shows it. Never fails and never waits: what cannot be told is
 * dropped. What happens again is one event with a count; an object that never stops is told of at a limited rate.
 */
export class ApiEvents {
  readonly #options: Required<ApiEventsOptions>;
  readonly #series = new Map<string, Series>();
  readonly #budget: EventBudget;
  readonly #ending = new AbortController();
  #waiting = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ApiEventsOptions, budget = new EventBudget()) {
    this.#options = { repeatMs: 300_000, ...options };
    this.#budget = budget;
  }

  /** Of one of our own objects. */
  event({ metadata: { name, uid } }: ApiObject, type: News["type"], reason: string, note: string, kind: string): void {
    this.tell({ apiVersion: `${GROUP}/${VERSION}`, kind, name, uid }, { type, reason, note });
  }

  tell(regarding: Regarding, news: News): void {
    if (this.#ending.signal.aborted) return;
    const key = [regarding.uid, news.type, news.reason, news.note].join("\n");
    const known = this.#series.get(key);
    if (known !== undefined) return this.#again(known);
    if (!this.#budget.take(regarding.uid)) return this.#options.logger.debug("an event is dropped: too many of this object", { name: regarding.name, ...news });
    const series: Series = { regarding, news, name: undefined, count: 1, timer: undefined };
    this.#remember(key, series);
    this.#send(series);
  }

  /** What waits is still sent, for a second. */
  async close(): Promise<void> {
    for (const { timer } of this.#series.values()) clearTimeout(timer);
    const end = setTimeout(() => this.#ending.abort(new Error("events are told no more")), CLOSE_MS);
    await this.#queue;
    clearTimeout(end);
    this.#ending.abort(new Error("events are told no more"));
  }

  #remember(key: string, series: Series): void {
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size <= MAX_SERIES || oldest === undefined) return;
    clearTimeout(this.#series.get(oldest)?.timer);
    this.#series.delete(oldest);
  }

  #again(series: Series): void {
    series.count++;
    series.timer ??= setTimeout(() => {
      series.timer = undefined;
      this.#send(series);
    }, this.#options.repeatMs).unref();
  }

  /** One after the other, in their order. */
  #send(series: Series): void {
    if (this.#waiting >= MAX_WAITING) return this.#options.logger.debug("an event is dropped: too many wait", { ...series.news });
    this.#waiting++;
    const before = this.#queue;
    this.#queue = (async () => {
      await before;
      await this.#deliver(series);
      this.#waiting--;
    })();
  }

  async #deliver(series: Series): Promise<void> {
    const { signal } = this.#ending;
    const backoff = new Backoff({ minimumMs: 500 });
    for (let tries = 1; ; tries++) {
      try {
        return await this.#write(series, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isError(error, "api-unreachable") && tries < TRIES) {
          await backoff.pause(signal).catch(() => undefined);
          continue;
        }
        return this.#options.logger.warn("an event could not be told", { name: series.regarding.name, ...series.news, error });
      }
    }
  }

  async #write(series: Series, signal: AbortSignal): Promise<void> {
    const { server, controller, instance } = this.#options;
    const { regarding, news, count } = series;
    const namespace = regarding.namespace ?? NAMESPACE_OF_OTHERS;
    const events = server.objects(EVENT, namespace);
    if (series.name !== undefined && count > 1) {
      const counted = await events.patch(series.name, { series: { count, lastObservedTime: microTime() } }, {}, signal);
      if (counted !== undefined) return;
      series.count = 1; // the server has forgotten it: its story begins anew
    }
    series.name = `${regarding.name.slice(0, MAX_NAME).replace(/[^a-z0-9]+$/, "")}.${randomBytes(8).toString("hex")}`;
    await events.create(
      {
        metadata: { name: series.name, namespace },
        eventTime: microTime(),
        reportingController: controller,
        reportingInstance: instance.slice(0, 128),
        action: news.reason,
        reason: news.reason,
        type: news.type,
        note: shortened(news.note),
        regarding,
      },
      signal,
    );
  }
}

/** In bytes, whole characters. */
function shortened(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE) return note;
  return `${bytes
    .subarray(0, MAX_NOTE - 8)
    .toString("utf8")
    .replace(/�+$/, "")}…`;
}
