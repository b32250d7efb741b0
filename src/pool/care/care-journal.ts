import type { PoolDescription } from "../../config/pool-description.ts";
import { DmthinError } from "../../errors.ts";
import type { LogFields, Logger } from "../../logger.ts";
import { formatBytes, type Bytes } from "../../units.ts";
import { requireHostSpace, requireMinimum } from "../admission.ts";
import { sizesOf, type Decision } from "./care-decision.ts";
import { CARE_EVENTS, type CareEvent, type CareEventKind, type Extension } from "./care-report.ts";
import { PARTS, type Part } from "../backings/growth.ts";
import { lacksForAnyCopy } from "./metadata-for-copies.ts";
import type { PoolFigures } from "../pool-calls.ts";

const KEPT = 20;
type Level = "info" | "warn" | "error";

/** What happened to a pool, each thing once: as an event that is kept and counted, and as a line in the log. */
export class CareJournal {
  readonly #logger: Logger;
  readonly #description: Pick<PoolDescription, "name" | "minimumFree">;
  readonly #counts = Object.fromEntries(CARE_EVENTS.map((kind) => [kind, 0])) as Record<CareEventKind, number>;
  #events: readonly CareEvent[] = [];
  /** What is so at present: told when it begins and when it ends. */
  readonly #present = new Set<string>();
  #lacksForCopies = false;
  #seen: { readonly state: PoolFigures["state"]; readonly queuesWhenFull: boolean | undefined } | undefined;

  constructor(logger: Logger, description: Pick<PoolDescription, "name" | "minimumFree">) {
    this.#logger = logger;
    this.#description = description;
  }

  get counts(): Readonly<Record<CareEventKind, number>> {
    return { ...this.#counts };
  }

  get events(): readonly CareEvent[] {
    return this.#events;
  }

  /** What the figures say that they did not say before. */
  see(figures: PoolFigures): void {
    const before = this.#seen;
    const { state } = figures;
    const hasFailed = state === "Fail" || state === "Error";
    const queuesWhenFull = hasFailed ? before?.queuesWhenFull : figures.queuesWhenFull;
    this.#seen = { state, queuesWhenFull };
    if (before?.state !== state && (before !== undefined || state !== "rw")) this.#tellState(before?.state, state);
    // Of a pool that has failed the kernel says nothing more.
    if (hasFailed) return;
    if (before?.queuesWhenFull !== undefined && before.queuesWhenFull !== figures.queuesWhenFull) this.#tellWhenFull(figures);
    for (const part of PARTS) {
      const shortage = problemOf(() => requireMinimum(this.#description, figures, part));
      this.#change(
        { name: `low ${part}`, now: shortage !== undefined, begins: "low", ends: "enough", part },
        shortage ?? `the pool has enough ${part} free again`,
      );
    }
    const host = problemOf(() => requireHostSpace(this.#description.name, figures));
    this.#change(
      { name: "host", now: host !== undefined, begins: "host-low", ends: "host-enough", part: undefined },
      host ?? "the filesystem below has its reserve free again",
    );
  }

  /** `room`: how much larger metadata can still be made. */
  copies(figures: PoolFigures, room: Bytes): void {
    const { data, metadata } = sizesOf(figures);
    const lacks = metadata === 0 ? 0 : lacksForAnyCopy({ dataBytes: data, metadataBytes: metadata + room, chunkSize: figures.chunkSize });
    if (lacks > 0 && !this.#lacksForCopies)
      this.#logger.warn(`the pool's metadata is too small for any snapshot, clone or restore: it lacks ${formatBytes(lacks)}; they are refused`);
    this.#lacksForCopies = lacks > 0;
  }

  decided({ exhausted }: Decision, figures: PoolFigures): void {
    for (const part of PARTS) {
      const message = exhausted[part]
        ? `${percent(part, figures)} % of the pool's ${part} is used, and nothing is left to make it larger: add space below it, or delete volumes or snapshots`
        : `the pool's ${part} can be made larger again, or need not be`;
      this.#change({ name: `exhausted ${part}`, now: exhausted[part], begins: "exhausted", ends: "replenished", part }, message, "error");
    }
  }

  extended({ part, fromBytes, toBytes, by }: Extension): void {
    const message = `the pool's ${part} was made larger, from ${formatBytes(fromBytes)} to ${formatBytes(toBytes)}`;
    this.#note("extended", part, message, "info", { fromBytes, toBytes, by });
  }

  failed(part: Part, error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    this.#note("extension-failed", part, `the pool's ${part} could not be made larger: ${reason}`, "error", { error });
    return reason;
  }

  #tellState(before: PoolFigures["state"] | undefined, state: PoolFigures["state"]): void {
    const from = before === undefined ? "" : `, after ${before}`;
    this.#note("state", undefined, `the pool is in state ${state}${from}`, state === "rw" ? "info" : "error", { state });
  }

  #tellWhenFull({ queuesWhenFull: queues, state }: PoolFigures): void {
    if (queues) this.#note("queueing", undefined, "from now on writes wait once the pool is full: it can be made larger", "info");
    else if (state === "out_of_data_space") this.#note("failing", undefined, "from now on writes fail, until the pool has room again", "warn");
    else this.#note("failing", undefined, "from now on writes fail once the pool is full: it cannot be made larger", "info");
  }

  #change(
    {
      name,
      now,
      begins,
      ends,
      part,
    }: { readonly name: string; readonly now: boolean; readonly begins: CareEventKind; readonly ends: CareEventKind; readonly part: Part | undefined },
    message: string,
    level: Level = "warn",
  ): void {
    if (this.#present.has(name) === now) return;
    if (now) this.#present.add(name);
    else this.#present.delete(name);
    this.#note(now ? begins : ends, part, message, now ? level : "info");
  }

  #note(kind: CareEventKind, part: Part | undefined, message: string, level: Level, fields: LogFields = {}): void {
    this.#counts[kind]++;
    this.#events = [...this.#events, { at: new Date(), kind, part, message }].slice(-KEPT);
    this.#logger[level](message, { event: kind, ...(part === undefined ? {} : { part }), ...fields });
  }
}

const percent = (part: Part, figures: PoolFigures): number => Math.floor((figures[part].used / Math.max(figures[part].total, 1)) * 100);

function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof DmthinError) return error.message;
    throw error;
  }
}
