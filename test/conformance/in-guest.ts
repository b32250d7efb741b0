import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Driver } from "../harness/driver.ts";
import { ended, output } from "../harness/program.ts";
import { succeeded, sum, tallyLine, type Tally } from "../harness/tally.ts";
import { judge, parseReport } from "./report.ts";

/** Runs in the guest: the driver on a pool on files or on a whole disk, and all of csi-sanity against it, in mount mode and then in block mode. */
const [, , csiSanity = "", backing = ""] = process.argv;
const DISK = "/mnt/conformance";
const FOLDER = "/run/dmthin";
const GiB = 1024 ** 3;
const ATTACH_LIMIT = 8;
/** Then it ends itself, and tells where it was. */
const GINKGO_MINUTES = 10;

/** The pool's files need a filesystem that the guest's root does not have. */
function prepareDisk(): void {
  output("mkfs.ext4", ["-q", "/dev/ubdb"]);
  mkdirSync(DISK, { recursive: true });
  output("mount", ["/dev/ubdb", DISK]);
}

function pass(accessType: "mount" | "block", folder: string): Tally {
  const [report, parameters] = [join(folder, `${accessType}.xml`), join(folder, "mutable.yaml")];
  writeFileSync(parameters, 'discardOnDelete: "true"\nxfsNospaceMaxRetries: "5"\n');
  const start = performance.now();
  const { stdout, stderr } = ended(
    csiSanity,
    [
      `--csi.endpoint=unix://${Driver.paths(FOLDER).socket}`,
      `--csi.testvolumeaccesstype=${accessType}`,
      `--csi.mountdir=${join(folder, "mount")}`,
      `--csi.stagingdir=${join(folder, "staging")}`,
      `--csi.testvolumesize=${GiB}`,
      `--csi.testvolumeexpandsize=${2 * GiB}`,
      `--csi.testvolumemutableparameters=${parameters}`,
      "--csi.testnodevolumeattachlimit",
      `--ginkgo.junit-report=${report}`,
      "--ginkgo.no-color",
      `--ginkgo.timeout=${GINKGO_MINUTES}m`,
    ],
    { limitMs: 2 * GINKGO_MINUTES * 60_000 },
  );
  const specs = parseReport(readFileSync(report, "utf8"));
  const { tally, lines } = judge(specs);
  if (!succeeded(tally)) process.stdout.write(`${stdout}${stderr}`);
  process.stdout.write(`csi-sanity, ${accessType} mode: ${specs.length} specs in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  for (const line of lines) process.stdout.write(`  ${line}\n`);
  return tally;
}

/** csi-sanity deletes what it makes: what is still there afterwards the driver did not delete. */
async function nothingLeft(driver: Driver): Promise<Tally> {
  const { entries: volumes } = await driver.client.call("ListVolumes", {});
  const { entries: snapshots } = await driver.client.call("ListSnapshots", {});
  const devices = output("dmsetup", ["ls"])
    .split("\n")
    .filter((line) => /^dmthin-.*-(vol|snap)-/.test(line));
  const left = [volumes, snapshots, devices].flatMap((list) => list as unknown[]);
  if (left.length > 0) process.stdout.write(`left behind: ${JSON.stringify(left)}\n`);
  return { passed: left.length === 0 ? 1 : 0, failed: left.length === 0 ? 0 : 1, skipped: 0 };
}

prepareDisk();
const folder = "/run/csi-sanity";
mkdirSync(folder, { recursive: true });
const BACKINGS: Readonly<Record<string, object>> = {
  loop: { loop: { directory: join(DISK, "pool"), dataSize: "6Gi", metadataSize: "64Mi" } },
  directLvm: { directLvm: { devices: ["/dev/ubdc"] } },
};
const pool = { name: "conformance", backing: BACKINGS[backing] };
const testing = { enableAttach: true, attachLimit: ATTACH_LIMIT };
const driver = await Driver.start(FOLDER, { nodeName: "guest", stateDirectory: join(DISK, "state"), alphaCapabilities: true, pools: [pool], testing });
const tallies: Tally[] = [];
for (const accessType of ["mount", "block"] as const) {
  tallies.push(pass(accessType, folder), await nothingLeft(driver));
}
const code = await driver.stop();
if (code !== 0) process.stdout.write(`the driver ended with ${code}\n`);
const total = sum([...tallies, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }]);
if (!succeeded(total)) process.stdout.write(readFileSync(Driver.paths(FOLDER).log, "utf8").split("\n").slice(-200).join("\n"));
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${tallyLine(total)}\n`);
process.exitCode = succeeded(total) ? 0 : 1;
