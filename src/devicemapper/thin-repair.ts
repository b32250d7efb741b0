import { isError } from "../errors.ts";
import { lastLines } from "../exec/failure.ts";
import { run } from "../exec/run.ts";
import { BYTES_PER_SECTOR, type Bytes, type Chunks } from "../units.ts";

/** What thin_check makes of metadata that nobody has in use. */
export type MetadataVerdict = { readonly kind: "sound" } | { readonly kind: "damaged"; readonly findings: string };

/** What a superblock would say, for one that cannot be read. */
export interface PoolFacts {
  readonly transactionId: number;
  readonly chunkSize: Bytes;
  readonly dataChunks: Chunks;
}

const SHOWN_LINES = 5;
/** Never killed: half a repair is worse than a slow one. They may take minutes on large metadata. */
const PATIENT = { neverKill: true } as const;

export async function judgeMetadata(path: string): Promise<MetadataVerdict> {
  try {
    await run(["thin_check", path], PATIENT);
    return { kind: "sound" };
  } catch (error) {
    if (isError(error, "program-failed") && error.facts.exitCode !== undefined)
      return { kind: "damaged", findings: lastLines(error.facts.stderr, SHOWN_LINES) };
    throw error;
  }
}

/** Whether the superblock can be relied on, whatever else is damaged. */
export async function isSuperblockSound(path: string): Promise<boolean> {
  const { exitCode } = await run(["thin_check", "--quiet", "--super-block-only", path], { ...PATIENT, okExitCodes: [0, 1, 64] });
  return exitCode === 0;
}

/** thin_check clears the mark itself, and only of metadata in which it finds nothing. */
export async function clearNeedsCheck(path: string): Promise<void> {
  await run(["thin_check", "--quiet", "--clear-needs-check-flag", path], PATIENT);
}

/** Writes to `output` what can be saved of `input`, which it only reads. `facts`: what the superblock lacks. */
export async function repairMetadata(input: string, output: string, facts: PoolFacts | undefined): Promise<void> {
  await run(["thin_repair", "--quiet", ...(facts === undefined ? [] : repairOptions(facts)), "--input", input, "--output", output], PATIENT);
}

/** Source: thin_repair(8). */
export const repairOptions = ({ transactionId, chunkSize, dataChunks }: PoolFacts): readonly string[] => [
  "--transaction-id",
  String(transactionId),
  "--data-block-size",
  String(chunkSize / BYTES_PER_SECTOR),
  "--nr-data-blocks",
  String(dataChunks),
];
