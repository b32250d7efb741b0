import { spawn } from "node:child_process";
import { once } from "node:events";
import { run } from "./command.ts";
import { Disk } from "./disk.ts";

/**
 * Runs a command on this machine's own kernel, where one asks for that: the scratch disks are loop devices here.
 * @returns its exit code
 */
export async function runNatively(command: readonly string[], sizes: readonly string[]): Promise<number> {
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
