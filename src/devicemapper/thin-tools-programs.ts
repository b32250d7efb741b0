import { run } from "../exec/run.ts";
import { chunks } from "../units.ts";
import type { ThinListing, ThinTools } from "./thin-tools.ts";

const FORMAT = "DEV,MAPPED_BLOCKS,TRANSACTION";
const FORMAT_EXCLUSIVE = `${FORMAT},EXCLUSIVE_BLOCKS`;

/** The programs of thin-provisioning-tools. They take as long as the metadata is large, so they end with the signal only. */
export class ThinToolsPrograms implements ThinTools {
  async check(metadataPath: string, signal?: AbortSignal): Promise<void> {
    await run(["thin_check", metadataPath], withSignal(signal));
  }

  async list(
    metadataPath: string,
    { live, exclusive = false }: { readonly live: boolean; readonly exclusive?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly ThinListing[]> {
    const argv = ["thin_ls", "--no-headers", "--format", exclusive ? FORMAT_EXCLUSIVE : FORMAT, ...(live ? ["--metadata-snap"] : []), metadataPath];
    const { stdout } = await run(argv, withSignal(signal));
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

const withSignal = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } => (signal === undefined ? {} : { signal });
