import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import { Disk } from "./disk.ts";

/** How the uuid of each device of the driver begins. */
const OURS = "DMTHIN-";

/**
 * Runs a command on this machine's own kernel, where one asks for that: the scratch disks are loop devices here.
 * @returns its exit code
 * @throws Error when the machine has devices of dmthin: tests are made for one that has none
 */
export async function runNatively(command: readonly string[], sizes: readonly string[]): Promise<number> {
  const inUse = devicesOfDmthin();
  if (inUse.length > 0)
    throw new Error(
      `this machine has devices of dmthin (${inUse.join(", ")}). If a driver uses them, leave out --native: tests run in a guest, where they ` +
        "cannot harm its volumes. If tests have left them, take them down with dmsetup remove.",
    );
  const devices: string[] = [];
  try {
    for (const size of sizes) {
      using disk = await Disk.create(size);
      devices.push((await run(["losetup", "--find", "--show", `/proc/${process.pid}/fd/${disk.fd}`])).trim());
    }
    const environment = { ...process.env, LAB_KERNEL: "real", LAB_DISKS: devices.join(" ") };
    const child = spawn("setpriv", ["--pdeathsig", "TERM", ...command], { stdio: "inherit", env: environment });
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill("SIGTERM")); // then the devices are let go
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } finally {
    for (const device of devices) await run(["losetup", "--detach", device]);
  }
}

/** Their names. */
function devicesOfDmthin(): readonly string[] {
  const devices = readdirSync("/sys/block").filter((block) => block.startsWith("dm-"));
  return devices.filter((block) => told(block, "uuid").startsWith(OURS)).map((block) => told(block, "name"));
}

const told = (block: string, what: string): string => readFileSync(join("/sys/block", block, "dm", what), "utf8").trim();
