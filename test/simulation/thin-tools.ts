import type { ThinListing, ThinTools } from "../../src/devicemapper/thin-tools.ts";
import { chunks } from "../../src/units.ts";
import type { SimulatedDisk } from "./disk.ts";
import { programFailed } from "./errno.ts";
import type { SimulatedKernel } from "./kernel.ts";
import type { SimulatedProcess } from "./process.ts";
import { decodeSuperblock } from "./superblock.ts";
import type { ThinTree } from "./thin-metadata.ts";

/** A process's thin-provisioning-tools, on the simulated disks. */
export class SimulatedThinTools implements ThinTools {
  readonly #kernel: SimulatedKernel;
  readonly #process: SimulatedProcess;

  constructor(kernel: SimulatedKernel, process: SimulatedProcess) {
    this.#kernel = kernel;
    this.#process = process;
  }

  async check(metadataPath: string): Promise<void> {
    await this.#process.faults.released("thin_check");
    this.#process.look(() => {
      const disk = this.#offline("thin_check", metadataPath);
      if (disk.trees?.damaged === true) throw programFailed(["thin_check", metadataPath], 1, "TRANSACTION_ID: bad checksum in metadata block");
    });
  }

  async list(metadataPath: string, { live, exclusive = false }: { readonly live: boolean; readonly exclusive?: boolean }): Promise<readonly ThinListing[]> {
    await this.#process.faults.released("thin_ls");
    return this.#process.look(() => {
      this.#process.faults.check("thin_ls", metadataPath);
      const program = exclusive ? "thin_ls" : "thin_dump";
      const disk = live ? this.#kernel.disk(metadataPath) : this.#offline(program, metadataPath);
      const thins = live ? disk.trees?.held : disk.trees?.thins;
      if (thins === undefined) throw programFailed([program, metadataPath], 1, "no current metadata snap");
      return listings(thins, exclusive);
    });
  }

  /** What is in use is opened by nobody else, and what is no pool's metadata is refused. */
  #offline(program: string, path: string): SimulatedDisk {
    const disk = this.#kernel.disk(path);
    if (disk.holders.count > 0) throw programFailed([program, path], 1, "Device or resource busy (os error 16)");
    if (typeof decodeSuperblock(disk.read(0, 4096)) === "string") throw programFailed([program, path], 1, "bad checksum in superblock");
    return disk;
  }
}

function listings(thins: ReadonlyMap<number, ThinTree>, exclusive: boolean): readonly ThinListing[] {
  const users = new Map<number, number>();
  for (const { mapping } of thins.values()) {
    for (const block of mapping.values()) users.set(block, (users.get(block) ?? 0) + 1);
  }
  return [...thins]
    .toSorted(([left], [right]) => left - right)
    .map(([number, { mapping, transactionId }]) => {
      const alone = [...mapping.values()].filter((block) => users.get(block) === 1).length;
      return { number, mappedChunks: chunks(mapping.size), exclusiveChunks: exclusive ? chunks(alone) : undefined, transactionId };
    });
}
