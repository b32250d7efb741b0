import { join } from "node:path";
import { finished } from "node:stream/promises";
import { VERSION as PROMTOOL } from "../alerts/promtool.ts";
import { alerts } from "../alerts/run.ts";
import { runProgram, TallyStream } from "../harness/part.ts";
import type { Tally } from "../harness/tally.ts";
import { testCommand } from "../harness/test-command.ts";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { Disk } from "../lab/disk.ts";
import { startGuest } from "../lab/start.ts";
import { csiSanity, VERSION } from "./csi-sanity.ts";
import { publishedInterface } from "./published-interface.ts";

/** `npm run test:conformance` */
export const main = (): Promise<void> =>
  testCommand(
    [
      { name: "proto/csi.proto and the published interface", run: publishedInterface },
      { name: `metrics and alert rules, judged by promtool ${PROMTOOL}`, run: alerts },
      { name: `csi-sanity ${VERSION} on a real kernel, mount and block, on files`, run: () => sanityInGuest("loop") },
      { name: `csi-sanity ${VERSION} on a real kernel, mount and block, on a whole disk`, run: () => sanityInGuest("directLvm") },
    ],
    { root: true },
  );

async function sanityInGuest(backing: "loop" | "directLvm"): Promise<Tally> {
  const binary = await csiSanity();
  const { failed } = await runProgram([nodeBinary, join(checkout, "test/tasks/build.ts")]);
  if (failed > 0) throw new Error("the driver cannot be built");
  using state = await Disk.create("8G");
  using whole = await Disk.create("8G");
  const stdout = new TallyStream(process.stdout);
  await using guest = await startGuest({
    command: [nodeBinary, "test/conformance/in-guest.ts", binary, backing],
    disks: [state, whole],
    streams: { stdout, stderr: process.stderr },
  });
  const code = await guest.exit;
  await finished(stdout.end());
  if (guest.crashed) process.stderr.write(`the guest died. Its kernel's last messages:\n${guest.kernelLog}\n`);
  return stdout.tally(code);
}
