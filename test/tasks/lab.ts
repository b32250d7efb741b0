import { parseLabArguments, USAGE, type LabArguments } from "../lab/arguments.ts";
import { Disk } from "../lab/disk.ts";
import type { GuestOptions } from "../lab/guest.ts";
import { runNatively } from "../lab/native.ts";
import { asRoot } from "../lab/root.ts";
import { startGuest } from "../lab/start.ts";

async function inGuest({ disks, memory, udev, command }: LabArguments): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const interactive = stdin.isTTY && stdout.isTTY;
  const output: Partial<GuestOptions> = interactive
    ? { terminal: { input: stdin, output: stdout, rows: stdout.rows, columns: stdout.columns } }
    : { streams: { stdout, stderr } };
  await using guest = await startGuest({
    command,
    memory,
    udev,
    disks: await Promise.all(disks.map((size) => Disk.create(size))),
    environment: interactive ? { TERM: process.env["TERM"] ?? "linux" } : {},
    ...output,
  });
  if (interactive && (await guest.ready)) stdin.setRawMode(true); // Ctrl-C is the guest's from here
  const code = await guest.exit;
  if (interactive) stdin.setRawMode(false);
  stdin.destroy();
  if (guest.crashed) stderr.write(`lab: the guest died. Its kernel's last messages:\n${guest.kernelLog}\n`);
  return code;
}

async function main(): Promise<number> {
  const parsed = parseLabArguments(process.argv.slice(2));
  if (parsed.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  return (await asRoot()) ?? (parsed.native ? runNatively(parsed.command, parsed.disks) : inGuest(parsed));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
