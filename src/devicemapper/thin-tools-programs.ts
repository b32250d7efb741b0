import { run } from "../exec/run.ts";
import { chunks } from "../units.ts";
import type { ThinListing, ThinTools } from "./thin-tools.ts";

const FORMAT_EXCLUSIVE = "DEV,MAPPED_BLOCKS,TRANSACTION,EXCLUSIVE_BLOCKS";

/** The programs of thin-provisioning-tools. They take as long as the metadata is large, so they end with the signal only. */
export class ThinToolsPrograms implements ThinTools {
  async check(metadataPath: string, signal?: AbortSignal): Promise<void> {
    await run(["thin_check", metadataPath], withSignal(signal));
  }

  /** thin_ls walks all mappings, whatever it is asked: half a second at the least, where a dump without them takes a tenth. */
  async list(
    metadataPath: string,
    { live, exclusive = false }: { readonly live: boolean; readonly exclusive?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly ThinListing[]> {
    const beside = live ? ["--metadata-snap"] : [];
    if (!exclusive) return parseThinDump((await run(["thin_dump", "--skip-mappings", ...beside, metadataPath], withSignal(signal))).stdout);
    const { stdout } = await run(["thin_ls", "--no-headers", "--format", FORMAT_EXCLUSIVE, ...beside, metadataPath], withSignal(signal));
    return parseThinList(stdout);
  }
}

/** Rows of `thin_ls` in the order of the format above. Throws on a row that it cannot read: nothing may be decided on a part. */
export function parseThinList(stdout: string): readonly ThinListing[] {
  return stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [number, mapped, transactionId, exclusive] = line.trim().split(/\s+/).map(Number);
      if (
        number === undefined ||
        mapped === undefined ||
        transactionId === undefined ||
        ![number, mapped, transactionId, exclusive ?? 0].every(Number.isSafeInteger)
      ) {
        throw new Error(`thin_ls wrote a row that cannot be read: ${JSON.stringify(line)}`);
      }
      return { number, mappedChunks: chunks(mapped), exclusiveChunks: exclusive === undefined ? undefined : chunks(exclusive), transactionId };
    });
}

const DEVICE = /^<device dev_id="(\d+)" mapped_blocks="(\d+)" transaction="(\d+)"/;

/** The devices of a `thin_dump`. Throws when it has no end, or a device that cannot be read: nothing may be decided on a part. */
export function parseThinDump(stdout: string): readonly ThinListing[] {
  const lines = stdout.split("\n").map((line) => line.trim());
  if (!lines.includes("</superblock>")) throw new Error(`thin_dump wrote no whole dump: it ends with ${JSON.stringify(stdout.slice(-100))}`);
  return lines
    .filter((line) => line.startsWith("<device "))
    .map((line) => {
      const [, number, mapped, transactionId] = DEVICE.exec(line) ?? [];
      if (number === undefined) throw new Error(`thin_dump wrote a device that cannot be read: ${JSON.stringify(line)}`);
      return { number: Number(number), mappedChunks: chunks(Number(mapped)), exclusiveChunks: undefined, transactionId: Number(transactionId) };
    });
}

const withSignal = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } => (signal === undefined ? {} : { signal });
