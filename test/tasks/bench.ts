import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { Disk } from "../lab/disk.ts";
import { asRoot } from "../lab/root.ts";
import { startGuest } from "../lab/start.ts";

/** The state's disk, data and metadata of the driver's pool, and LVM's disk. */
const DISKS = ["1G", "10G", "512M", "8G"];

async function bench(): Promise<number> {
  const { failed } = await runProgram([nodeBinary, join(import.meta.dirname, "build.ts")]);
  if (failed > 0) return 1;
  const { stdout, stderr } = process;
  await using guest = await startGuest({
    command: [nodeBinary, "test/bench/in-guest.ts", join(checkout, ".results/bench.json")],
    disks: await Promise.all(DISKS.map((size) => Disk.create(size))),
    memory: "3G",
    streams: { stdout, stderr },
  });
  return await guest.exit;
}

process.exitCode = (await asRoot()) ?? (await bench());
