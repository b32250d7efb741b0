import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { Disk } from "../lab/disk.ts";
import { asRoot } from "../lab/root.ts";
import { startGuest } from "../lab/start.ts";

const USAGE = `npm run bench                  the driver's calls beside LVM's programs
npm run bench -- --data-path   what a thin pool costs the data that goes through it, by chunk size and zeroing
Results are printed, and kept in .results as JSON.`;

/** Data with room behind the pool for the comparison, and metadata. */
const DATA_PATH_DISKS = ["5G", "512M"];
/** The state's disk, data and metadata of the driver's pool, and LVM's disk. */
const DISKS = ["1G", "10G", "512M", "8G"];

async function inGuest(script: string, results: string, disks: readonly string[]): Promise<number> {
  const { stdout, stderr } = process;
  await using guest = await startGuest({
    command: [nodeBinary, join("test/bench", script), join(checkout, ".results", results)],
    disks: await Promise.all(disks.map((size) => Disk.create(size))),
    memory: "3G",
    streams: { stdout, stderr },
  });
  return await guest.exit;
}

async function bench(dataPath: boolean): Promise<number> {
  if (dataPath) return inGuest("data-path/in-guest.ts", "data-path.json", DATA_PATH_DISKS);
  const { failed } = await runProgram([nodeBinary, join(import.meta.dirname, "build.ts")]);
  return failed > 0 ? 1 : inGuest("in-guest.ts", "bench.json", DISKS);
}

async function main(args: readonly string[]): Promise<number> {
  const known = args.every((arg) => arg === "--data-path");
  if (!known) {
    const asked = args.every((arg) => arg === "--help" || arg === "-h");
    process[asked ? "stdout" : "stderr"].write(`${USAGE}\n`);
    return asked ? 0 : 2;
  }
  return (await asRoot()) ?? (await bench(args.length > 0));
}

process.exitCode = await main(process.argv.slice(2));
