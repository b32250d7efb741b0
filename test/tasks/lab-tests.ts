import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundleInto } from "../harness/bundle.ts";
import { runJest, runJestInGuest } from "../harness/jest.ts";
import type { Tally } from "../harness/tally.ts";
import { JEST_WORDS, testCommand } from "../harness/test-command.ts";
import { checkout } from "../lab/checkout.ts";
import { prepareLab } from "../lab/start.ts";

const args = process.argv.slice(2);

/** The driver's bundle lies in the checkout, where guests see it. */
async function onRealKernel(): Promise<Tally> {
  mkdirSync(join(checkout, ".results"), { recursive: true });
  const folder = mkdtempSync(join(checkout, ".results/bundle-"));
  try {
    const environment = { DMTHIN_BUNDLE: bundleInto(folder) };
    return await runJestInGuest("kernel", args, { disks: ["4G", "4G", "2G"], guests: 6, environment });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await testCommand(
  [
    {
      name: "the lab itself",
      run: async () => {
        await prepareLab();
        return runJest(["lab"], args, ["--runInBand"]);
      },
    },
    { name: "reboots, and udev as hosts have it", run: () => runJest(["reboot"], args, ["--runInBand"]) },
    { name: "the layers on a real kernel", run: onRealKernel },
  ],
  { root: true, words: JEST_WORDS },
);
