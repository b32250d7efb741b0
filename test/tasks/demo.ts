import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { nodeBinary } from "../lab/checkout.ts";
import { Disk } from "../lab/disk.ts";
import { asRoot } from "../lab/root.ts";
import { startGuest } from "../lab/start.ts";

const USAGE = `npm run demo [-- --keep]

Starts the driver on a loop pool, on a real kernel in a guest, and takes volumes through their life over its CSI socket.

  --keep   ends with a shell in the guest, with the driver running`;

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

const options = process.argv.slice(2);
const unknown = options.find((option) => option !== "--keep");
if (unknown === undefined) process.exitCode = (await asRoot()) ?? (await demo(options.includes("--keep")));
else {
  const asked = unknown === "--help";
  (asked ? process.stdout : process.stderr).write(asked ? `${USAGE}\n` : `"${unknown}" is no option of the demo.\n\n${USAGE}\n`);
  process.exitCode = asked ? 0 : 2;
}
