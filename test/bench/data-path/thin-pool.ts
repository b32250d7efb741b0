import { statSync } from "node:fs";
import { run } from "./run.ts";

const SECTOR = 512;
const METADATA_BLOCK = 4096;
const NAME = "data-path-pool";

export interface PoolOptions {
  readonly data: string;
  readonly metadata: string;
  /** The disk is larger: what is behind the pool is for comparison. */
  readonly dataBytes: number;
  readonly chunkBytes: number;
  readonly zeroing: boolean;
}

const thinName = (id: number): string => `data-path-thin-${id}`;

/** "252:16": a table that names devices so needs no node in /dev/mapper. */
function numbers(device: string): string {
  const { rdev } = statSync(device);
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
}

const minorOf = (name: string): string => `/dev/dm-${run("dmsetup", "info", "-c", "--noheadings", "-o", "minor", name).trim()}`;

/** A fresh pool by dmsetup, as the driver's table has it: what is measured here is the kernel's path, not the driver. */
export class ThinPool implements Disposable {
  readonly #options: PoolOptions;
  readonly #thins: string[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
    const { data, metadata, dataBytes, chunkBytes, zeroing } = options;
    run("dd", "if=/dev/zero", `of=${metadata}`, "bs=64k", "count=1", "conv=fsync");
    const features = zeroing ? "1 no_discard_passdown" : "2 skip_block_zeroing no_discard_passdown";
    run("dmsetup", "create", NAME, "--table", `0 ${dataBytes / SECTOR} thin-pool ${numbers(metadata)} ${numbers(data)} ${chunkBytes / SECTOR} 0 ${features}`);
  }

  /** @returns the path of a new thin device that nothing was written to */
  create(id: number, bytes: number): string {
    run("dmsetup", "message", NAME, "0", `create_thin ${id}`);
    return this.#activate(id, bytes);
  }

  snapshot(id: number, origin: number): void {
    run("dmsetup", "suspend", thinName(origin));
    run("dmsetup", "message", NAME, "0", `create_snap ${id} ${origin}`);
    run("dmsetup", "resume", thinName(origin));
  }

  #activate(id: number, bytes: number): string {
    run("dmsetup", "create", thinName(id), "--table", `0 ${bytes / SECTOR} thin ${numbers(minorOf(NAME))} ${id}`);
    this.#thins.unshift(thinName(id));
    return minorOf(thinName(id));
  }

  /** `0 <length> thin-pool <transaction id> <used>/<total metadata blocks> <used>/<total chunks> …` */
  used(): { readonly dataBytes: number; readonly metadataBytes: number } {
    const fields = run("dmsetup", "status", NAME).trim().split(/\s+/);
    const [metadata, data] = [fields[4], fields[5]].map((pair) => Number(pair?.split("/")[0]));
    if (metadata === undefined || data === undefined || !fields.includes("rw")) throw new Error(`the pool is not well: ${fields.join(" ")}`);
    return { dataBytes: data * this.#options.chunkBytes, metadataBytes: metadata * METADATA_BLOCK };
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#thins, NAME]) run("dmsetup", "remove", "--retry", name);
  }
}
