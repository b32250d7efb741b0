import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { nodeBinary } from "../lab/checkout.ts";
import { prepareCluster } from "../lab/cluster/cluster.ts";
import { inOwnNamespaces } from "../lab/cluster/own-namespaces.ts";
import { productImage } from "../lab/cluster/product-image.ts";
import { Disk } from "../lab/disk.ts";
import { asRoot } from "../lab/root.ts";
import { startGuest } from "../lab/start.ts";

const USAGE = `npm run demo [-- [--kubernetes] [--keep]]

Starts the driver on a loop pool, on a real kernel in a guest, and takes volumes through their life over its CSI socket.

  --kubernetes  the whole thing: a real Kubernetes of two nodes, the chart, a claim, a snapshot and a restore
                (the first time it builds Kubernetes and the image: a quarter of an hour and more)
  --keep        ends with a shell: in the guest, with the driver running, or with kubectl and the cluster`;

async function demo(keep: boolean): Promise<number> {
  const { failed } = await runProgram([nodeBinary, join(import.meta.dirname, "build.ts")]);
  if (failed > 0) return 1;
  const { stdin, stdout, stderr } = process;
  const interactive = keep && stdin.isTTY && stdout.isTTY;
  await using guest = await startGuest({
    command: [nodeBinary, "test/demo/in-guest.ts", ...(keep ? ["--keep"] : [])],
    disks: [await Disk.create("8G")],
    environment: interactive ? { TERM: process.env["TERM"] ?? "linux" } : {},
    ...(interactive ? { terminal: { input: stdin, output: stdout, rows: stdout.rows, columns: stdout.columns } } : { streams: { stdout, stderr } }),
  });
  if (interactive && (await guest.ready)) stdin.setRawMode(true);
  const code = await guest.exit;
  if (interactive) stdin.setRawMode(false);
  stdin.destroy();
  return code;
}

/** Its first process takes over the terminal, and everything ends with it. */
async function kubernetesDemo(keep: boolean): Promise<number> {
  const image = await productImage();
  await prepareCluster([image]);
  const [file = "", ...args] = inOwnNamespaces(join(import.meta.dirname, "../demo/in-cluster.ts"), [image, ...(keep ? ["--keep"] : [])]);
  const [code] = (await once(spawn(file, args, { stdio: "inherit" }), "exit")) as [number | null];
  return code ?? 1;
}

const options = process.argv.slice(2);
const unknown = options.find((option) => !["--keep", "--kubernetes"].includes(option));
const chosen = options.includes("--kubernetes") ? kubernetesDemo : demo;
if (unknown === undefined) process.exitCode = (await asRoot()) ?? (await chosen(options.includes("--keep")));
else {
  const asked = unknown === "--help";
  (asked ? process.stdout : process.stderr).write(asked ? `${USAGE}\n` : `"${unknown}" is no option of the demo.\n\n${USAGE}\n`);
  process.exitCode = asked ? 0 : 2;
}
