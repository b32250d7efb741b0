import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { checkout } from "../../lab/checkout.ts";
import { askedFor, seriesOf } from "../../alerts/exposition.ts";
import { BLOCK, VolumeUser } from "../../demo/volume-user.ts";
import { BUNDLE, Driver } from "../../harness/driver.ts";
import { freeMachine } from "../../harness/clean-machine.ts";
import { ended } from "../../harness/program.ts";
import { labDisks } from "../../harness/standing.ts";

/** What an operator and Prometheus see of a driver with many volumes, on a real kernel. */
jest.setTimeout(120_000);
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const FOLDER = "/run/seeing";
const DISK = "/tmp/dmthin-seeing-disk";
const MANY = 200;
const ADDRESS = "127.0.0.1:9808";
let driver: Driver;
let user: VolumeUser;

const [, data = ""] = labDisks;

/** Other tests have the first disk; what little is written here is in memory. */
beforeAll(async () => {
  mkdirSync(DISK, { recursive: true });
  const plain = { name: "plain", backing: { devices: { data, metadata: loopDevice(join(DISK, "metadata"), 32 * MiB) } } };
  const loop = { directory: join(DISK, "pool"), dataSize: "2Gi", metadataSize: "16Mi", hostReserve: "1Mi" };
  const seen = { name: "seen", default: true, backing: { loop }, overcommitRatio: 1000 };
  driver = await Driver.start(FOLDER, { nodeName: "lab", stateDirectory: join(DISK, "state"), pools: [seen, plain], metrics: { listen: ADDRESS } });
  user = new VolumeUser(driver.client, FOLDER, BLOCK);
});
afterAll(async () => {
  await driver.stop();
  freeMachine();
  rmSync(DISK, { recursive: true });
});

function loopDevice(file: string, bytes: number): string {
  closeSync(openSync(file, "wx"));
  truncateSync(file, bytes);
  const { stdout, status } = ended("losetup", ["--find", "--show", file]);
  expect(status).toBe(0);
  return stdout.trim();
}

/** What a disk takes in one discard; the guest's take less than a chunk, a loop device takes any. */
const discardMaximum = (path: string): number => Number(readFileSync(`/sys/block/${basename(path)}/queue/discard_max_bytes`, "utf8"));

function command(...args: readonly string[]): string {
  const [program = "", ...before] = BUNDLE;
  const argv = [...before, ...args, "--socket", Driver.paths(FOLDER).adminSocket];
  const { status, stdout, stderr } = ended(program, argv);
  expect({ status, stderr: stderr.replaceAll(/^.*ExperimentalWarning.*$|^\(Use .*$/gm, "").trim() }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

interface Seen {
  readonly id: string;
  readonly mappedBytes: number;
  readonly exclusiveBytes: number;
  readonly origin: string;
  readonly stagedPath: string;
}

const volumes = (): ReadonlyMap<string, Seen> => new Map((JSON.parse(command("volume", "ls", "--json")) as readonly Seen[]).map((seen) => [seen.id, seen]));

function write(file: string, bytes: number): void {
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.alloc(bytes, "x"));
  fsyncSync(fd);
  closeSync(fd);
}

/** On a connection of its own: the server closes idle ones after 5 s, which nobody here sees while a command runs. */
const get = async (path: string): Promise<Response> => fetch(`http://${ADDRESS}${path}`, { headers: { connection: "close" } });

test("a volume and its snapshot share what was written before, and have alone what was written after", async () => {
  const id = await user.create("block", GiB);
  await user.stage(id);
  const device = await user.publish(id);
  write(device, 16 * MiB);
  const snapshot = await user.snapshot("before", id);
  write(device, 4 * MiB);
  const seen = volumes();
  expect(seen.get(id)).toMatchObject({ mappedBytes: 16 * MiB, exclusiveBytes: 4 * MiB, origin: "" });
  expect(seen.get(id)?.stagedPath).not.toBe("");
  expect(seen.get(snapshot)).toMatchObject({ mappedBytes: 16 * MiB, exclusiveBytes: 4 * MiB, origin: id, stagedPath: "" });
  expect(command("volume", "show", "before")).toMatch(/exclusive +4 MiB/);
  const metrics = await (await get("/metrics")).text();
  expect(metrics).toContain(`dmthin_volume_exclusive_bytes{pool="seen",id="${id}",name="block",kind="volume"} ${4 * MiB}\n`);
});

test(`info and metrics tell of ${MANY} volumes and ${MANY} snapshots`, async () => {
  for (let index = 0; index < MANY; index++) await user.snapshot(`snapshot-${index}`, await user.create(`volume-${index}`, GiB));
  const { pools } = JSON.parse(command("info", "--json")) as { readonly pools: readonly unknown[] };
  expect(pools).toMatchObject([
    {
      status: "READY",
      volumes: MANY + 1,
      snapshots: MANY + 1,
      provisionedBytes: (MANY + 1) * GiB,
      figures: { state: "rw", data: { used: 20 * MiB, total: 2 * GiB }, discardPassdown: true },
      setup: { data: { file: join(DISK, "pool", "data.img") }, thinPoolVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    },
    { name: "plain", volumes: 0 },
  ]);
  const text = command("info");
  for (const part of [/volumes +201, snapshots 201/, /data on +\/dev\/loop\d+, .*data\.img/, /discards +passed down to the disk/]) expect(text).toMatch(part);
  expect([...volumes().values()]).toHaveLength(2 * (MANY + 1));
  expect(await (await get("/metrics")).text()).toContain(`dmthin_pool_volumes{pool="seen",kind="snapshot"} ${MANY + 1}\n`);
});

test("where the disk below cannot take a pool's discards, info says why they stay in the pool", () => {
  const { pools } = JSON.parse(command("info", "--json")) as { readonly pools: readonly { readonly figures: object }[] };
  const maximum = discardMaximum(data);
  expect(maximum).toBeLessThan(64 * 1024);
  const discardHindrance =
    maximum === 0 ? `${data} takes no discards` : `${data} takes discards of at most ${maximum / 1024} KiB at once, less than a chunk of 64 KiB`;
  expect(pools[1]?.figures).toMatchObject({ discardPassdown: false, discardHindrance });
  expect(pools[0]?.figures).toMatchObject({ discardPassdown: true, discardHindrance: "" });
});

test("every alert asks for what is really exported", async () => {
  const exported = seriesOf(await (await get("/metrics")).text());
  for (const { name, labels } of askedFor(readFileSync(join(checkout, "alerts/dmthin.rules.yaml"), "utf8"))) {
    expect([...exported.keys()]).toContain(name);
    for (const label of labels) expect([...(exported.get(name) ?? [])]).toContain(label);
  }
});

test("calls are counted as they were answered, refusals too", async () => {
  await expect(user.create("too-large", 1e15)).rejects.toMatchObject({ details: expect.any(String) });
  const text = await (await get("/metrics")).text();
  expect(text).toMatch(/dmthin_operations_total\{method="CreateVolume",code="OK"\} 201\n/);
  expect(text).toMatch(/dmthin_operations_total\{method="CreateVolume",code="(OUT_OF_RANGE|RESOURCE_EXHAUSTED)"\} 1\n/);
  expect([(await get("/healthz")).status, (await get("/readyz")).status]).toEqual([200, 200]);
});

test("volume trim has a filesystem in use give back what was deleted in it; block volumes are their users' affair", async () => {
  const mounted = new VolumeUser(driver.client, FOLDER);
  const id = await mounted.create("mounted", GiB);
  await mounted.stage(id);
  const file = join(await mounted.publish(id), "file");
  closeSync(openSync(file, "w"));
  write(file, 64 * MiB);
  const before = volumes().get(id)?.mappedBytes ?? 0;
  expect(before).toBeGreaterThan(64 * MiB);
  rmSync(file);
  expect(ended("sync", ["--file-system", dirname(file)]).status).toBe(0); // ext4 frees blocks when its journal is written, every five seconds
  const [program = "", ...words] = BUNDLE;
  const { status, stdout, stderr } = ended(program, [...words, "volume", "trim", "--json", "--socket", Driver.paths(FOLDER).adminSocket]);
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringMatching(/^Trimming .*, 2 of 2; it stays in use\.$/m) });
  expect(volumes().get(id)?.mappedBytes).toBeLessThan(before - 60 * MiB);
  const [block, trimmed] = (JSON.parse(stdout) as readonly { readonly name: string; readonly givenBackBytes: number }[]).toSorted((left, right) =>
    left.name.localeCompare(right.name),
  );
  expect(block).toMatchObject({ name: "block", givenBackBytes: 0, leftAlone: expect.stringContaining("block volume"), failure: "" });
  expect(trimmed).toMatchObject({ id, leftAlone: "", failure: "" });
  expect(trimmed?.givenBackBytes).toBeGreaterThan(60 * MiB);
});
