import { nodeBinary } from "./checkout.ts";
import { Guest } from "./guest.ts";
import { machineWith } from "./machine.ts";

const LIMIT_MS = 60_000;

/** What every user of the lab needs: the thin-pool target, and Node. */
const PROGRAM = "dmsetup targets | grep -q '^thin-pool ' && \"$0\" -e 'console.log(process.version)'";

/**
 * Boots a kernel and tries what the lab is for.
 * @throws Error with the guest's output and its kernel's last messages
 */
export async function smokeTest(userland: string, kernel: string): Promise<void> {
  await using guest = new Guest(await machineWith(userland, kernel), { command: ["sh", "-c", PROGRAM, nodeBinary] });
  const timer = setTimeout(() => void guest.kill(), LIMIT_MS);
  const code = await guest.exit;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`its smoke test ends with ${code}: ${guest.output}\n${guest.kernelLog.slice(-2000)}`);
}
