import { counters } from "./disk-counters.ts";
import { write, type Job } from "./fio.ts";
import { ThinPool, type PoolOptions } from "./thin-pool.ts";

const KiB = 1024;
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** Few scattered writes over much: nearly each is the first to its chunk, which is the worst case. */
const RANDOM: Job = { pattern: "randwrite", blockBytes: 4 * KiB, askedBytes: 4 * MiB, rangeBytes: GiB };
/** Nothing is allocated by it, so it may be long enough for its speed to mean something. */
const REWRITE: Job = { ...RANDOM, askedBytes: 48 * MiB };
const FILL: Job = { pattern: "write", blockBytes: MiB, askedBytes: GiB, rangeBytes: GiB };
export const JOBS = {
  "fresh, sequential 1 MiB": FILL,
  "fresh, sequential 4 KiB": { pattern: "write", blockBytes: 4 * KiB, askedBytes: 32 * MiB, rangeBytes: GiB },
  "fresh, random 4 KiB": RANDOM,
  "rewrite, random 4 KiB": REWRITE,
  "after a snapshot, random 4 KiB": RANDOM,
} as const satisfies Readonly<Record<string, Job>>;
export type CaseName = keyof typeof JOBS;
export const CASES = Object.keys(JOBS) as readonly CaseName[];

/** One case on one thin device. All but the speed is counted, and does not depend on what else the machine does. */
export interface Measured {
  /** Of the same job on the disk itself, right before. */
  readonly speedAgainstDisk: number;
  readonly writtenPerByte: number;
  readonly readPerByte: number;
  readonly metadataWrittenPerByte: number;
  /** Of the pool's data and metadata, that are used now and were not before. */
  readonly dataUsedPerByte: number;
  readonly metadataUsedBytes: number;
  readonly chunksMapped: number;
}

interface On {
  readonly pool: ThinPool;
  readonly options: PoolOptions;
}

function measure({ pool, options }: On, device: string, job: Job, seed: number): Measured {
  const { data, metadata, dataBytes, chunkBytes } = options;
  const disk = write(data, { ...job, offsetBytes: dataBytes }, seed);
  const before = { data: counters(data), metadata: counters(metadata), used: pool.used() };
  const { askedBytes, bytesPerSecond } = write(device, job, seed);
  const after = { used: pool.used(), data: counters(data), metadata: counters(metadata) };
  const dataUsedBytes = after.used.dataBytes - before.used.dataBytes;
  return {
    speedAgainstDisk: bytesPerSecond / disk.bytesPerSecond,
    writtenPerByte: (after.data.writtenBytes - before.data.writtenBytes) / askedBytes,
    readPerByte: (after.data.readBytes - before.data.readBytes) / askedBytes,
    metadataWrittenPerByte: (after.metadata.writtenBytes - before.metadata.writtenBytes) / askedBytes,
    dataUsedPerByte: dataUsedBytes / askedBytes,
    metadataUsedBytes: after.used.metadataBytes - before.used.metadataBytes,
    chunksMapped: dataUsedBytes / chunkBytes,
  };
}

export type Measurements = Readonly<Record<CaseName, Measured>>;

/** Three thin devices, each fresh; the first is then rewritten, has a snapshot taken, and is rewritten again. */
export function measurePool(options: PoolOptions): Measurements {
  using pool = new ThinPool(options);
  const on = { pool, options };
  const [filled, sequential, scattered] = [0, 1, 2].map((id) => pool.create(id, GiB));
  if (filled === undefined || sequential === undefined || scattered === undefined) throw new Error("no thin devices");
  const fill = measure(on, filled, FILL, 1);
  const rewrite = measure(on, filled, REWRITE, 2);
  const small = measure(on, sequential, JOBS["fresh, sequential 4 KiB"], 1);
  const random = measure(on, scattered, RANDOM, 3);
  pool.snapshot(3, 0);
  return {
    "fresh, sequential 1 MiB": fill,
    "fresh, sequential 4 KiB": small,
    "fresh, random 4 KiB": random,
    "rewrite, random 4 KiB": rewrite,
    "after a snapshot, random 4 KiB": measure(on, filled, RANDOM, 4),
  };
}
