import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Table from "cli-table3";
import { Driver } from "../harness/driver.ts";
import { output } from "../harness/program.ts";
import { residentMiB, timeBigDelete, timeDriver } from "./driver-times.ts";
import { LeanClient } from "./lean-client.ts";
import { timeLvm, timeLvmInUse } from "./lvm.ts";
import { median, summarise } from "./statistics.ts";
import { whileWriting } from "./writer.ts";

/** Runs in the guest: the driver and LVM beside each other, on disks of one kind, in one run. Argument: where the results go. */
const [resultsFile = ".results/bench.json"] = process.argv.slice(2);
const [stateDisk = "", dataDisk = "", metadataDisk = "", lvmDisk = ""] = (process.env["LAB_DISKS"] ?? "").split(/[ ,]+/);
const FOLDER = "/run/bench";
const STATE = "/mnt/state";
/** As many as make LVM's metadata a text of some length, and a run no longer than it must be. */
const LVM_VOLUMES = 100;
const LVM_COUNT = 20;

const progress = (text: string): void => void process.stderr.write(`bench: ${text}\n`);

async function lvmInUse(): Promise<readonly number[]> {
  return timeLvmInUse(LVM_COUNT, async (device, work) => {
    mkdirSync("/mnt/lvm", { recursive: true });
    output("mount", [device, "/mnt/lvm"]);
    return whileWriting("/mnt/lvm", work);
  });
}

output("mkfs.ext4", ["-q", stateDisk]);
mkdirSync(STATE, { recursive: true });
output("mount", [stateDisk, STATE]);
const config = {
  nodeName: "bench",
  stateDirectory: `${STATE}/dmthin`,
  log: { level: "warn" },
  pools: [
    { name: "bench", backing: { devices: { data: dataDisk, metadata: metadataDisk } }, chunkSize: "64Ki", overcommitRatio: 1000, discardOnDelete: false },
  ],
};
const clientOf = (): LeanClient => new LeanClient(Driver.paths(FOLDER).socket);
let driver = await Driver.start(FOLDER, config);
let client = clientOf();
const { times, memoryMiB } = await timeDriver(driver, client, FOLDER, progress);
const memoryAfterUseMiB = residentMiB(driver.pid);
progress("restarting the driver with 1,050 volumes");
await client.close();
await driver.stop();
driver = await Driver.start(FOLDER, config);
client = clientOf();
const { startMs } = driver;
progress("deleting volumes with 4 GiB mapped");
const plain = await timeBigDelete(client, FOLDER, false);
const discarded = await timeBigDelete(client, FOLDER, true);
await client.close();
await driver.stop();
progress(`the same with LVM, ${LVM_VOLUMES} volumes`);
const lvm = await timeLvm(lvmDisk, { volumes: LVM_VOLUMES, n: LVM_COUNT });
const lvmBusy = await lvmInUse();

const take = (name: string): readonly number[] => times[name] ?? [];
const ratio = (theirs: readonly number[], ours: readonly number[]): number => Number((median(theirs) / median(ours)).toFixed(2));
const creates = take("CreateVolume");
const results = {
  ratios: {
    createVsLvcreate: ratio(lvm.create, creates),
    snapshotVsLvcreate: ratio(lvm.snapshot, take("CreateSnapshot, idle")),
    snapshotInUseVsLvcreate: ratio(lvmBusy, take("CreateSnapshot, in use")),
    deleteVsLvremove: ratio(lvm.remove, take("DeleteVolume")),
    create1000thVs100th: ratio(creates.slice(950, 1050), creates.slice(50, 150)),
  },
  operations: [
    ...Object.entries(times).map(([name, taken]) => summarise(name, taken)),
    summarise("DeleteVolume, 4 GiB mapped", [plain.deleteMs]),
    summarise("CreateVolume and DeleteVolume beside it", plain.others),
    summarise("DeleteVolume, 4 GiB mapped, discarded", [discarded.deleteMs]),
    summarise("CreateVolume and DeleteVolume beside that", discarded.others),
    summarise("lvcreate -V, 1st to 20th volume", lvm.create.slice(0, 20)),
    summarise(`lvcreate -V, 1st to ${LVM_VOLUMES}th volume`, lvm.create),
    summarise("lvcreate -s, idle", lvm.snapshot),
    summarise("lvcreate -s, in use", lvmBusy),
    summarise("lvremove", lvm.remove),
  ],
  memoryMiB,
  memoryAfterUseMiB,
  startSeconds: Number((startMs / 1000).toFixed(2)),
};
mkdirSync(dirname(resultsFile), { recursive: true });
writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);

const table = new Table({ head: ["operation", "n", "p50 ms", "p99 ms"], colAligns: ["left", "right", "right", "right"], style: { head: [], border: [] } });
for (const { name, n, p50Ms, p99Ms } of results.operations) table.push([name, n, p50Ms.toFixed(2), p99Ms.toFixed(2)]);
process.stdout.write(`${table.toString()}

The driver is asked over its socket by a client that does next to nothing else, since its callers are Go programs, and one
CPU does the work of both. LVM's commands run one after the other, as a driver would start them. Ratios are of medians, LVM's
divided by ours.

`);
for (const [name, value] of Object.entries(results.ratios)) process.stdout.write(`${name}: ${value}\n`);
process.stdout.write(
  `memory at 1,050 volumes: ${memoryMiB} MiB, after the other operations: ${memoryAfterUseMiB} MiB\nstart with 1,050 volumes: ${results.startSeconds} s\n`,
);
