import { expect, test } from "@jest/globals";
import { join } from "node:path";
import { startGuest } from "./start.ts";

const PATIENCE_MS = 180_000;
const NATIVELY = `node --disable-warning=ExperimentalWarning ${join(import.meta.dirname, "../tasks/lab.ts")} --native --disk 64M`;

/** The guest is the machine whose own kernel it is. */
const SCRIPT = `export XDG_CACHE_HOME=/tmp
dmsetup create volume --uuid DMTHIN-volume --table '0 8 zero'
dmsetup create other --uuid LVM-other --table '0 8 zero'
${NATIVELY} echo 'not run' 2>&1
echo "exit code $?"
dmsetup remove volume
${NATIVELY} sh -c 'blockdev --getsize64 $LAB_DISKS; exit 42' 2>&1
echo "exit code $?"
losetup --all`;

test(
  "a command for the machine's own kernel is not run beside a driver's devices",
  async () => {
    await using guest = await startGuest({ command: ["sh", "-c", SCRIPT] });
    await guest.exit;
    const [refusal, refused, ...rest] = guest.output.split("\n");
    expect(refusal).toMatch(/^lab: this machine has devices of dmthin \(volume\)\. If a driver uses them, leave out --native: /);
    expect([refused, ...rest]).toEqual(["exit code 2", "67108864", "exit code 42", ""]);
  },
  PATIENCE_MS,
);
