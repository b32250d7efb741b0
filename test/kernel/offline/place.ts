import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { VolumeUser } from "../../demo/volume-user.ts";
import { BUNDLE, Driver } from "../../harness/driver.ts";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { isPoolDevice } from "../../../src/pool/names.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { ended, output } from "../../harness/program.ts";
import { labDisks } from "../../harness/standing.ts";

export const GiB = 1024 ** 3;
export const POOL = "hand";

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly error: string;
}

/** Runs a program of the distribution; it has to succeed. */
export function sh(...argv: readonly string[]): string {
  const [program = "", ...args] = argv;
  return output(program, args);
}

const capability = (type: string) => ({ mount: { fs_type: type }, access_mode: { mode: "SINGLE_NODE_WRITER" } });

/** A filesystem of the guest's own, on its first disk, with what a driver keeps and with a loop pool's files; the second disk is for pools. */
export class Place {
  readonly folder: string;
  readonly disk: string;
  readonly state: string;
  readonly runDirectory: string;
  readonly loopFolder: string;
  #config: Readonly<Record<string, unknown>>;

  constructor(name: string, pool: Readonly<Record<string, unknown>>) {
    this.folder = `/run/${name}`;
    this.disk = `/mnt/${name}`;
    this.state = join(this.disk, "state");
    this.runDirectory = join(this.folder, "run");
    this.loopFolder = join(this.disk, "pool");
    sh("mkfs.ext4", "-q", "-F", "-E", "lazy_journal_init=1,lazy_itable_init=1", disks()[0]); // its zeroes are there already, and take seconds
    mkdirSync(this.disk, { recursive: true });
    sh("mount", disks()[0], this.disk);
    const described = { name: POOL, backing: { loop: { directory: this.loopFolder, dataSize: "2Gi", metadataSize: "16Mi", hostReserve: "64Mi" } }, ...pool };
    this.#config = { nodeName: "guest", stateDirectory: this.state, runDirectory: this.runDirectory, pools: [described] };
  }

  get configFile(): string {
    return Driver.paths(this.folder).config;
  }

  get socket(): string {
    return Driver.paths(this.folder).adminSocket;
  }

  /** What an administrator changes in the configuration, by its text. */
  useConfig(change: (text: string) => string): void {
    this.#config = JSON.parse(change(JSON.stringify(this.#config))) as Readonly<Record<string, unknown>>;
  }

  /** Where no driver has run, which writes it. */
  writeConfig(): void {
    const { socket, adminSocket } = Driver.paths(this.folder);
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.configFile, JSON.stringify({ socket: `unix://${socket}`, adminSocket: `unix://${adminSocket}`, ...this.#config }));
  }

  /** The driver, and a user of its volumes of each kind. */
  async start(): Promise<{ readonly driver: Driver; readonly user: (type?: string) => VolumeUser }> {
    const driver = await Driver.start(this.folder, this.#config);
    return { driver, user: (type = "ext4") => new VolumeUser(driver.client, this.folder, capability(type)) };
  }

  /** `dmthin …`, as an administrator says it. */
  dmthin(...args: readonly string[]): Ended {
    const [program = "", ...entry] = BUNDLE;
    const { status, stdout, stderr } = ended(program, [...entry, ...args]);
    return { code: status, output: stdout, error: stderr };
  }

  /** `dmthin pool VERB hand … --config`. */
  pool(verb: string, ...args: readonly string[]): Ended {
    return this.dmthin("pool", verb, POOL, "--config", this.configFile, ...args);
  }

  /** Takes the pool's devices down, as a reboot would. */
  clear(): void {
    const dm = new KernelDeviceMapper();
    const ours = dm.list().filter(({ name }) => name.startsWith(`dmthin-${POOL}-`));
    for (const { uuid } of ours.filter((device) => !isPoolDevice(device))) dm.remove(uuid);
    for (const { uuid } of ours.filter(isPoolDevice)) dm.remove(uuid);
    dm.close();
  }

  dispose(): void {
    cleanMachine();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function disks(): readonly [string, string] {
  const [first, second] = labDisks;
  if (first === undefined || second === undefined) throw new Error("this test needs a guest with two disks: npm run test:lab");
  return [first, second];
}

/** A file of some size in a mounted folder, and what tells it from any other. */
export function putFile(folder: string, sizeBytes: number): string {
  const content = Buffer.alloc(sizeBytes, `${folder} `);
  writeFileSync(join(folder, "content"), content, { flush: true });
  return digest(content);
}

export const fileIn = (folder: string): string => digest(readFileSync(join(folder, "content")));
const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

/** Changes bytes of a device or a file, durably. */
export function scribble(path: string, offset: number, bytes: Buffer): void {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, bytes.length, offset);
  fsyncSync(fd);
  closeSync(fd);
}

export function firstBlock(path: string): Buffer {
  const block = Buffer.alloc(4096);
  const fd = openSync(path, "r");
  readSync(fd, block, 0, block.length, 0);
  closeSync(fd);
  return block;
}

/** Marks metadata as the kernel does when an operation on it fails. Source: dm-thin-metadata.c, struct thin_disk_superblock. */
export function markNeedsCheck(path: string): void {
  const block = firstBlock(path);
  block.writeUInt32LE(block.readUInt32LE(4) | 1, 4);
  block.writeUInt32LE((crc32c(block.subarray(4)) ^ 160774) >>> 0, 0);
  scribble(path, 0, block);
}

/** Without the last inversion, as dm_bm_checksum has it. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return crc >>> 0;
}

/** Where the metadata of the only pool on whole disks begins. Every path of the real metadata device's blocks goes to the disk itself: LVM shows the metadata read-only. */
export function metadataOnDisk(): { readonly disk: string; readonly offset: number } {
  const [row = ""] = sh("lvs", "--all", "--noheadings", "--units", "b", "--nosuffix", "--options", "lv_name,devices,vg_extent_size")
    .split("\n")
    .filter((line) => line.includes("_tmeta"));
  const [, devices = "", extentBytes = "0"] = row.trim().split(/\s+/);
  const [, disk = "", extent = "0"] = /^(.*)\((\d+)\)$/.exec(devices) ?? [];
  const start = Number(sh("pvs", "--noheadings", "--units", "b", "--nosuffix", "--options", "pe_start", disk).trim());
  return { disk, offset: start + Number(extent) * Number(extentBytes) };
}
