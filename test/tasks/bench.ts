import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { prepareCluster } from "../lab/cluster/cluster.ts";
import { inOwnNamespaces } from "../lab/cluster/own-namespaces.ts";
import { productImage } from "../lab/cluster/product-image.ts";
import { Disk } from "../lab/disk.ts";
import { asRoot } from "../lab/root.ts";
import { startGuest } from "../lab/start.ts";

const USAGE = `npm run bench                  the driver's calls beside LVM's programs
npm run bench -- --data-path   what a thin pool costs the data that goes through it, by chunk size and zeroing
npm run bench -- --restart     a driver with 200 volumes ends and starts, on each backing
npm run bench -- --cluster     a real Kubernetes: claims until their pods run, what the API server is asked, a restart, many volumes
Results are printed, and kept in .results as JSON.`;

/** Data with room behind the pool for the comparison, and metadata. */
const DATA_PATH_DISKS = ["5G", "512M"];
/** The state's disk, data and metadata of the driver's pool, and LVM's disk. */
const DISKS = ["1G", "10G", "512M", "8G"];
/** The state's disk with a loop pool on it, data and metadata of a pool on devices, and a disk for a volume group. */
const RESTART_DISKS = ["6G", "5G", "512M", "5G"];

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

async function onCluster(): Promise<number> {
  const image = await productImage();
  await prepareCluster([image]);
  const { failed } = await runProgram(inOwnNamespaces(join(import.meta.dirname, "../bench/cluster/run.ts"), [image]));
  return failed > 0 ? 1 : 0;
}

async function bench(what: string | undefined): Promise<number> {
  if (what === "--data-path") return inGuest("data-path/in-guest.ts", "data-path.json", DATA_PATH_DISKS);
  const { failed } = await runProgram([nodeBinary, join(import.meta.dirname, "build.ts")]);
  if (failed > 0) return 1;
  if (what === "--restart") return inGuest("restart.ts", "restart.json", RESTART_DISKS);
  return what === "--cluster" ? onCluster() : inGuest("in-guest.ts", "bench.json", DISKS);
}

async function main(args: readonly string[]): Promise<number> {
  const [what] = args;
  const isKnown = args.length === 0 || (args.length === 1 && ["--data-path", "--restart", "--cluster"].includes(what ?? ""));
  if (!isKnown) {
    const asked = args.every((arg) => arg === "--help" || arg === "-h");
    process[asked ? "stdout" : "stderr"].write(`${USAGE}\n`);
    return asked ? 0 : 2;
  }
  return (await asRoot()) ?? (await bench(what));
}

process.exitCode = await main(process.argv.slice(2));
