import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Table from "cli-table3";
import { median } from "../statistics.ts";
import { longestRequestBytes } from "./disk-counters.ts";
import { CASES, measurePool, type CaseName, type Measured, type Measurements } from "./cases.ts";

/** Runs in the guest: what a thin pool costs the data that goes through it, by chunk size and zeroing. Argument: where the results go. */
const [resultsFile = ".results/data-path.json"] = process.argv.slice(2);
const [data = "", metadata = ""] = (process.env["LAB_DISKS"] ?? "").split(/[ ,]+/);
const KiB = 1024;
const GiB = 1024 ** 3;
const CHUNKS = [64, 128, 256, 512].map((size) => size * KiB);
const DATA_BYTES = 4 * GiB;
const ROUNDS = 3;

interface Row {
  readonly chunkKiB: number;
  readonly zeroing: boolean;
  readonly name: CaseName;
  /** The median of the rounds. */
  readonly speedAgainstDisk: number;
  readonly counted: Omit<Measured, "speedAgainstDisk">;
}

const round = (value: number): number => Number(value.toPrecision(3));
const progress = (text: string): void => void process.stderr.write(`data path: ${text}\n`);

const pools = CHUNKS.flatMap((chunkBytes) => [true, false].map((zeroing) => ({ chunkBytes, zeroing })));
const rounds: (readonly Measurements[])[] = [];
for (let index = 0; index < ROUNDS; index++) {
  progress(`round ${index + 1} of ${ROUNDS}`);
  rounds.push(pools.map((pool) => measurePool({ data, metadata, dataBytes: DATA_BYTES, ...pool })));
}

const rows = pools.flatMap(({ chunkBytes, zeroing }, pool) =>
  CASES.map((name): Row => {
    const speeds = rounds.map((one) => one[pool]?.[name].speedAgainstDisk ?? Number.NaN);
    const last = rounds.at(-1)?.[pool]?.[name];
    if (last === undefined) throw new Error("nothing was measured");
    const { speedAgainstDisk: _, ...counted } = last;
    const rounded = Object.fromEntries(Object.entries(counted).map(([key, value]) => [key, round(value)])) as typeof counted;
    return { chunkKiB: chunkBytes / KiB, zeroing, name, speedAgainstDisk: round(median(speeds)), counted: rounded };
  }),
);

/** What mapping 1 TiB takes at the rate at which 1 GiB did: whole, and again chunk by chunk after a snapshot. */
const metadataAt1TiB = CHUNKS.map((chunkBytes) => {
  const bytesPerMapping = (name: CaseName): number => {
    const found = rows.find((row) => row.chunkKiB === chunkBytes / KiB && row.zeroing && row.name === name)?.counted;
    return found === undefined ? Number.NaN : found.metadataUsedBytes / found.chunksMapped;
  };
  const chunks = (1024 * GiB) / chunkBytes;
  const dense = bytesPerMapping("fresh, sequential 1 MiB");
  const scattered = bytesPerMapping("after a snapshot, random 4 KiB");
  return {
    chunkKiB: chunkBytes / KiB,
    bytesPerMapping: round(dense),
    metadataMiB: round((dense * chunks) / KiB ** 2),
    bytesPerScatteredCopy: round(scattered),
  };
});

mkdirSync(dirname(resultsFile), { recursive: true });
writeFileSync(resultsFile, `${JSON.stringify({ rows, metadataAt1TiB, rounds: ROUNDS, longestRequestKiB: longestRequestBytes(data) / KiB }, undefined, 2)}\n`);

const style = { head: [], border: [] };
for (const name of CASES) {
  const table = new Table({
    head: ["chunk", "zeroed", "speed / disk", "written / byte", "read / byte", "metadata / byte", "space / byte"],
    colAligns: ["right", "left", "right", "right", "right", "right", "right"],
    style,
  });
  for (const { chunkKiB, zeroing, speedAgainstDisk, counted } of rows.filter((row) => row.name === name)) {
    const { writtenPerByte, readPerByte, metadataWrittenPerByte, dataUsedPerByte } = counted;
    table.push([`${chunkKiB} KiB`, zeroing ? "yes" : "no", speedAgainstDisk, writtenPerByte, readPerByte, metadataWrittenPerByte, dataUsedPerByte]);
  }
  process.stdout.write(`${name}\n${table.toString()}\n\n`);
}
const sizes = new Table({
  head: ["chunk", "bytes / mapping", "metadata of 1 TiB", "bytes / scattered copy"],
  colAligns: ["right", "right", "right", "right"],
  style,
});
for (const one of metadataAt1TiB) sizes.push([`${one.chunkKiB} KiB`, one.bytesPerMapping, `${one.metadataMiB} MiB`, one.bytesPerScatteredCopy]);
process.stdout.write(`${sizes.toString()}\n\nthe disk takes requests of at most ${longestRequestBytes(data) / KiB} KiB\n`);
