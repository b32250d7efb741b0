import { run } from "./run.ts";

/** One job: how much is written, in what pieces, in what order, within how much of the device. */
export interface Job {
  readonly pattern: "write" | "randwrite";
  readonly blockBytes: number;
  readonly askedBytes: number;
  /** The device is written within its so many bytes from there. */
  readonly rangeBytes: number;
  readonly offsetBytes?: number;
}

interface FioJob {
  readonly write: { readonly io_bytes: number; readonly runtime: number; readonly iops: number };
  readonly error: number;
}

/**
 * Writes past the page cache, eight requests at a time, and flushes at the end, so that the disk's counters have it all.
 * @returns bytes a second, and what was asked
 */
export function write(device: string, job: Job, seed: number): { readonly askedBytes: number; readonly bytesPerSecond: number } {
  const output = run(
    "fio",
    "--name=job",
    `--filename=${device}`,
    `--rw=${job.pattern}`,
    `--offset=${job.offsetBytes ?? 0}`,
    `--bs=${job.blockBytes}`,
    `--size=${job.rangeBytes}`,
    `--io_size=${job.askedBytes}`,
    `--randseed=${seed}`,
    "--ioengine=libaio",
    "--iodepth=8",
    "--direct=1",
    "--end_fsync=1",
    "--randrepeat=1",
    "--output-format=json",
  );
  const [result] = (JSON.parse(output) as { readonly jobs: readonly FioJob[] }).jobs;
  if (result === undefined || result.error !== 0) throw new Error(`fio on ${device}: ${output}`);
  const { io_bytes: askedBytes, runtime } = result.write;
  return { askedBytes, bytesPerSecond: (askedBytes * 1000) / Math.max(runtime, 1) };
}
