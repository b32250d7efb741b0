import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { run } from "../../src/exec/run.ts";
import type { Pool } from "../../src/pool/pool.ts";
import type { Bench } from "./bench.ts";

const CONTENT_BYTES = 256 * 1024;

/** What users do, with the distribution's own programs. */
export function realBench(pool: Pool, name: string): Bench {
  return {
    pool,
    run: name,
    unsyncedLost: false,
    write: async (path, byte) => {
      const file = await open(path, "r+");
      await file.write(Buffer.alloc(CONTENT_BYTES, byte), 0, CONTENT_BYTES, 0);
      await file.sync();
      await file.close();
    },
    read: async (path) => {
      const file = await open(path, "r");
      const { buffer } = await file.read(Buffer.alloc(CONTENT_BYTES), 0, CONTENT_BYTES, 0);
      await file.close();
      return buffer.every((byte) => byte === buffer[0]) ? (buffer[0] ?? "mixed") : "mixed";
    },
    format: async (path) => void (await run(["mkfs.ext4", "-q", "-F", path])),
    mount: async (path, mountPoint) => {
      await mkdir(mountPoint, { recursive: true });
      await run(["mount", path, mountPoint]);
    },
    unmount: async (mountPoint) => void (await run(["umount", mountPoint])),
    writeFile: async (mountPoint, text) => writeFile(`${mountPoint}/file`, text),
    readFile: async (mountPoint) => readFile(`${mountPoint}/file`, "utf8").catch(() => undefined),
  };
}
