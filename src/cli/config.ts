import { EXAMPLE } from "../config/example.ts";
import { loadConfig } from "../config/load.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import { formatBytes } from "../units.ts";
import type { Terminal } from "./terminal.ts";

/** Says that a file is right, and what it describes. Throws "config-invalid" with every problem. */
export async function checkConfig(file: string, { output }: Terminal): Promise<number> {
  const config = await loadConfig(file, "as argument");
  const lines = [`${file} is valid.`, ...config.pools.map((pool) => `  pool ${pool.name}${pool.isDefault ? " (default)" : ""}: ${summary(pool)}`)];
  output.write(`${lines.join("\n")}\n`);
  return 0;
}

function summary({ backing, chunkSize, filesystem }: PoolDescription): string {
  const rest = `chunks of ${formatBytes(chunkSize)}, ${filesystem}`;
  switch (backing.kind) {
    case "loop":
      return `${formatBytes(backing.dataSize)} of data and ${formatBytes(backing.metadataSize)} of metadata in files in ${backing.directory}, ${rest}`;
    case "devices":
      return `data on ${backing.data}, metadata on ${backing.metadata}, ${rest}`;
    case "directLvm":
      return `volume group ${backing.volumeGroup} of ${backing.devices.join(", ")}, ${rest}`;
    case "existing":
      return `the thin pool ${backing.pool} with the chunks that it has, ${filesystem}`;
  }
}

export function printExample({ output }: Terminal): number {
  output.write(EXAMPLE);
  return 0;
}
