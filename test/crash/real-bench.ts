import { readFileSync, statSync, truncateSync } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { run } from "../../src/exec/run.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { MiB } from "../../src/units.ts";
import { VolumeGroup } from "../contract/volume-group.ts";
import { output } from "../harness/program.ts";
import type { Bench } from "./bench.ts";
import { POOL, type Place } from "./real-driver.ts";

const CONTENT_BYTES = 256 * 1024;

/** What users do, with the distribution's own programs. */
export function realBench(pool: Pool, name: string, place: Place): Bench {
  return {
    ...(place.backing === undefined ? metadataOnDevice(place.metadata) : metadataInGroup(place.data)),
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

type Metadata = Pick<Bench, "enlargeMetadata" | "mostMetadataBytes">;

const metadataOnDevice = (device: string): Metadata => ({
  enlargeMetadata: () => {
    const file = output("losetup", ["--noheadings", "--output", "BACK-FILE", device]).trim();
    truncateSync(file, statSync(file).size + MiB);
    output("losetup", ["--set-capacity", device]);
  },
  mostMetadataBytes: () => Number(readFileSync(`/sys/class/block/${basename(device)}/size`, "utf8")) * 512,
});

function metadataInGroup(disk: string): Metadata {
  const group = new VolumeGroup(`dmthin-${POOL}`, disk);
  return { enlargeMetadata: () => group.makeRoomForMetadata(), mostMetadataBytes: () => group.mostMetadataBytes() };
}
