import { MAXIMUM_METADATA_BYTES } from "../../config/metadata-size.ts";
import type { PoolDescription } from "../../config/pool-description.ts";
import { bytes, chunksToBytes, metadataBlocksToBytes, MiB, roundDown, roundUp, type Bytes } from "../../units.ts";
import type { Part, PartSizes } from "../backings/growth.ts";
import { freeMetadata } from "./metadata-for-copies.ts";
import type { PoolFigures } from "../pool-calls.ts";

/** Metadata is made larger when this much of it is used, or earlier where the description says so: a pool whose metadata is full turns read-only at once. */
const METADATA_THRESHOLD_PERCENT = 75;
/** What is left below its minimum refuses new volumes: a pool that can grow does so before, whatever its threshold. */
const BEFORE_REFUSAL_PERCENT = 1;
/** A part that failed as often in a row counts as one that cannot be made larger, until an attempt succeeds. */
const PATIENT_FAILURES = 3;
const LONGEST_PAUSE_MS = 60_000;
const SOONEST_MS = 1_000;
const LATEST_MS = 10_000;
/** Below this part of its threshold a pool is in no hurry. */
const HURRY_FROM = 0.5;
/** Failing writes wait again only when so much can be added: else each block that comes free would change it. */
const ROOM_TO_QUEUE_PERCENT = 1;

export interface Tried {
  /** In a row. */
  readonly failures: number;
  readonly msAgo: number;
}

export interface Situation {
  readonly figures: PoolFigures;
  readonly policy: Pick<PoolDescription, "autoextend" | "whenFull" | "minimumFree">;
  /** undefined when it could not be found out just now. */
  readonly room: PartSizes | undefined;
  /** What writes do in the full pool as it is set; undefined where that is not ours to change. */
  readonly whenFull: "queue" | "error" | undefined;
  readonly tried: Readonly<Record<Part, Tried>>;
  /** How much metadata volumes could still take by writing anew what copies share with them; 0: nothing is shared. */
  readonly forCopies: Bytes;
}

export interface Decision {
  /** To which size, in this order. */
  readonly extend: readonly { readonly part: Part; readonly to: Bytes }[];
  /** undefined: as it is. */
  readonly whenFull: "queue" | "error" | undefined;
  /** Beyond its threshold, and nothing is left to make it larger. */
  readonly exhausted: Readonly<Record<Part, boolean>>;
  readonly nextLookMs: number;
}

/** What care does about a pool: from what is seen, what is possible and what was tried, and from nothing else. */
export function decide(situation: Situation): Decision {
  const parts = { data: consider("data", situation), metadata: consider("metadata", situation) };
  // Metadata first: more data needs it.
  const extend = [parts.metadata, parts.data].flatMap(({ part, to }) => (to === undefined ? [] : [{ part, to }]));
  return {
    extend,
    whenFull: whenFull(situation),
    exhausted: { data: parts.data.exhausted, metadata: parts.metadata.exhausted },
    nextLookMs: nextLookMs(situation),
  };
}

/** Used beyond this, a part is made larger by itself; undefined: never. */
export function thresholdPercent(part: Part, { autoextend, minimumFree }: Situation["policy"]): number | undefined {
  if (autoextend.thresholdPercent >= 100) return undefined;
  const refusedFrom = 100 - (part === "data" ? minimumFree.dataPercent : minimumFree.metadataPercent);
  const beforeRefusal = Math.max(refusedFrom - BEFORE_REFUSAL_PERCENT, 1);
  return Math.min(autoextend.thresholdPercent, beforeRefusal, part === "data" ? 100 : METADATA_THRESHOLD_PERCENT);
}

/** As the kernel has them. */
export const sizesOf = ({ data, metadata, chunkSize }: PoolFigures): PartSizes => ({
  data: chunksToBytes(data.total, chunkSize),
  metadata: metadataBlocksToBytes(metadata.total),
});

/** Less than this is as good as nothing. */
const smallestStep = (part: Part, { chunkSize }: PoolFigures): Bytes => (part === "data" ? chunkSize : MiB);

interface Considered {
  readonly part: Part;
  readonly to: Bytes | undefined;
  readonly exhausted: boolean;
}

function consider(part: Part, { figures, policy, room, tried, forCopies }: Situation): Considered {
  const threshold = thresholdPercent(part, policy) ?? thresholdPercent(part, FALLBACK);
  const isBeyond = threshold !== undefined && usedFraction(part, figures) * 100 > threshold;
  const lacksBytes = part === "metadata" ? Math.max(forCopies - freeMetadata(figures), 0) : 0;
  if ((!isBeyond && lacksBytes === 0) || !takesGrowth(part, figures) || room === undefined) return { part, to: undefined, exhausted: false };
  const mayGrow = thresholdPercent(part, policy) !== undefined;
  // What is only promised to copies is not wanting yet: new ones are refused instead.
  if (!mayGrow || room[part] < smallestStep(part, figures)) return { part, to: undefined, exhausted: isBeyond };
  if (tried[part].failures > 0 && tried[part].msAgo < pauseMs(tried[part].failures)) return { part, to: undefined, exhausted: false };
  return { part, to: target(part, figures, room[part], { threshold: threshold ?? 100, percent: policy.autoextend.percent, lacksBytes }), exhausted: false };
}

/** By which a pool that never grows is measured: it is told when it is as full as others are when they grow. */
const FALLBACK = { autoextend: { thresholdPercent: 80, percent: 20 }, whenFull: "auto", minimumFree: { dataPercent: 0, metadataPercent: 0 } } as const;

/** By the percentage, by what brings it below its threshold, or by what it lacks; what there is when there is less. In whole chunks and MiB. */
function target(
  part: Part,
  figures: PoolFigures,
  room: Bytes,
  { threshold, percent, lacksBytes }: { readonly threshold: number; readonly percent: number; readonly lacksBytes: number },
): Bytes {
  const size = sizesOf(figures)[part];
  const step = smallestStep(part, figures);
  const wanted = Math.max(size * (1 + percent / 100), (usedFraction(part, figures) * size * 100) / threshold, size + lacksBytes);
  const most = Math.min(size + room, part === "metadata" ? MAXIMUM_METADATA_BYTES : Number.MAX_SAFE_INTEGER);
  return bytes(Math.min(roundUp(bytes(Math.ceil(wanted)), step), part === "data" ? roundDown(bytes(most), step) : most));
}

const usedFraction = (part: Part, figures: PoolFigures): number => (figures[part].total === 0 ? 0 : figures[part].used / figures[part].total);

/** The kernel refuses growth while the metadata needs a check; a pool that is `ro` because its metadata is full is cured by more of it. */
function takesGrowth(part: Part, { state }: PoolFigures): boolean {
  return state === "rw" || state === "out_of_data_space" || (state === "ro" && part === "metadata");
}

const pauseMs = (failures: number): number => Math.min(SOONEST_MS * 2 ** failures, LONGEST_PAUSE_MS);

function whenFull({ policy, figures, room, whenFull: set, tried }: Situation): Decision["whenFull"] {
  if (set === undefined || figures.state === "Fail" || figures.state === "Error" || figures.state === "needs_check") return undefined;
  const wanted = policy.whenFull === "auto" ? followsGrowth() : policy.whenFull;
  return wanted === set ? undefined : wanted;

  function followsGrowth(): "queue" | "error" {
    if (room === undefined) return set ?? "queue";
    if (thresholdPercent("data", policy) === undefined || tried.data.failures >= PATIENT_FAILURES) return "error";
    const least = set === "queue" ? figures.chunkSize : Math.max(figures.chunkSize, (sizesOf(figures).data * ROOM_TO_QUEUE_PERCENT) / 100);
    return room.data >= least ? "queue" : "error";
  }
}

/** The nearer to full, the sooner; and soon while something is wrong. */
function nextLookMs({ figures, policy }: Situation): number {
  if (figures.state !== "rw") return SOONEST_MS;
  const nearness = (["data", "metadata"] as const).map((part) => {
    const threshold = thresholdPercent(part, policy) ?? thresholdPercent(part, FALLBACK) ?? 100;
    return (usedFraction(part, figures) * 100) / threshold;
  });
  const hurry = Math.min(Math.max((Math.max(...nearness) - HURRY_FROM) / (1 - HURRY_FROM), 0), 1);
  return Math.round(LATEST_MS - hurry * (LATEST_MS - SOONEST_MS));
}
