import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Table from "cli-table3";
import { VolumeUser } from "../demo/volume-user.ts";
import { BUNDLE, Driver } from "../harness/driver.ts";
import { output } from "../harness/program.ts";
import { timeCommand } from "./info-times.ts";
import { LeanClient } from "./lean-client.ts";
import { summarise, type Operation } from "./statistics.ts";

/**
 * Runs in the guest: how long a driver with 200 volumes and as many snapshots takes to end and to serve again, and what
 * `dmthin info` takes beside it, on each backing. Argument: where the results go.
 */
const [resultsFile = ".results/restart.json"] = process.argv.slice(2);
const [stateDisk = "", dataDisk = "", metadataDisk = "", lvmDisk = ""] = (process.env["LAB_DISKS"] ?? "").split(/[ ,]+/);
const GiB = 1024 ** 3;
const VOLUMES = 200;
const STAGED = 20;
const RESTARTS = 10;
const INFOS = 10;
const FOLDER = "/run/restart";
const STATE = "/mnt/state";
/** What a driver does in the background after its start would be counted as its end. */
const SETTLE_MS = 2_000;
const LOOK_MS = 40;
const START_MS = 60_000;

const BACKINGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  loop: { loop: { directory: `${STATE}/loop`, dataSize: "4Gi", metadataSize: "64Mi" } },
  devices: { devices: { data: dataDisk, metadata: metadataDisk } },
  directLvm: { directLvm: { devices: [lvmDisk] } },
};

const configOf = (name: string): Readonly<Record<string, unknown>> => ({
  nodeName: "bench",
  stateDirectory: `${STATE}/dmthin`,
  pools: [{ name: name.toLowerCase(), backing: BACKINGS[name], overcommitRatio: 1000, discardOnDelete: false }],
});

async function fill(): Promise<void> {
  const client = new LeanClient(Driver.paths(FOLDER).socket);
  const user = new VolumeUser(client, FOLDER);
  const ids: string[] = [];
  for (let index = 0; index < VOLUMES; index++) ids.push(await user.create(`volume-${index}`, GiB));
  for (const id of ids.slice(0, STAGED)) await user.stage(id);
  for (const [index, id] of ids.entries()) await user.snapshot(`snapshot-${index}`, id);
  await client.close();
}

interface Started {
  readonly child: ChildProcess;
  /** Until its first line: Node and the program are loaded by then. */
  readonly loadMs: number;
  /** From then until it serves. */
  readonly ownMs: number;
}

/** By its log alone: who asked it meanwhile would take the guest's one CPU from it. */
async function start(): Promise<Started> {
  const { config, log } = Driver.paths(FOLDER);
  writeFileSync(log, "");
  const output = openSync(log, "a");
  const [program = "", ...entry] = BUNDLE;
  const begun = Date.now();
  const child = spawn(program, [...entry, "standalone", "--config", config], { stdio: ["ignore", output, output] });
  closeSync(output);
  for (;;) {
    await sleep(LOOK_MS);
    const text = readFileSync(log, "utf8");
    const [first, last] = ["starting", "serving"].map((message) => saidAt(text, message));
    if (first !== undefined && last !== undefined) return { child, loadMs: first - begun, ownMs: last - first };
    if (child.exitCode !== null || Date.now() - begun > START_MS) throw new Error(`the driver does not serve:\n${text}`);
  }
}

function saidAt(log: string, message: string): number | undefined {
  const lines = log.split("\n").slice(0, -1); // the last one may not be whole
  const line = lines.find((each) => each.includes(`"message":"${message}"`));
  return line === undefined ? undefined : Date.parse((JSON.parse(line) as { readonly timestamp: string }).timestamp);
}

async function measure(backing: string): Promise<readonly Operation[]> {
  process.stderr.write(`bench: ${backing}: ${VOLUMES} volumes and as many snapshots\n`);
  const first = await Driver.start(FOLDER, configOf(backing));
  await fill();
  await first.stop();
  const times: { readonly load: number[]; readonly own: number[]; readonly end: number[] } = { load: [], own: [], end: [] };
  const infos: number[] = [];
  for (let index = 0; index < RESTARTS; index++) {
    const { child, loadMs, ownMs } = await start();
    times.load.push(loadMs);
    times.own.push(ownMs);
    await sleep(SETTLE_MS);
    if (index === RESTARTS - 1) infos.push(...(await timeCommand(FOLDER, ["info"], INFOS)));
    const begun = performance.now();
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
    times.end.push(performance.now() - begun);
  }
  return [
    summarise(`${backing}: from SIGTERM to its end`, times.end),
    summarise(`${backing}: from its start to its first line`, times.load),
    summarise(`${backing}: from there until it serves`, times.own),
    summarise(`${backing}: dmthin info`, infos),
  ];
}

output("mkfs.ext4", ["-q", stateDisk]);
mkdirSync(STATE, { recursive: true });
output("mount", [stateDisk, STATE]);
mkdirSync(`${STATE}/loop`, { recursive: true });
const operations: Operation[] = [];
for (const backing of Object.keys(BACKINGS)) operations.push(...(await measure(backing)));
mkdirSync(dirname(resultsFile), { recursive: true });
writeFileSync(resultsFile, `${JSON.stringify({ operations }, undefined, 2)}\n`);
const table = new Table({ head: ["what", "n", "p50 ms", "p99 ms"], colAligns: ["left", "right", "right", "right"], style: { head: [], border: [] } });
for (const { name, n, p50Ms, p99Ms } of operations) table.push([name, n, p50Ms.toFixed(0), p99Ms.toFixed(0)]);
process.stdout.write(`${table.toString()}\n`);
