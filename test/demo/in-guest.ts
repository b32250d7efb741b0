import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statfsSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BUNDLE, Driver } from "../harness/driver.ts";
import { output as outputOf } from "../harness/program.ts";
import { Steps } from "./steps.ts";
import { VolumeUser } from "./volume-user.ts";

/** Runs in the guest: the main job on a loop pool, step by step, with what a user would look at. */
const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
/** The defaults of sockets, so that `dmthin info` needs no options. */
const FOLDER = "/run/dmthin";
const DISK = "/mnt/demo-disk";
const keep = process.argv.includes("--keep");
const steps = new Steps(process.stdout);

const output = (argv: readonly string[]): string => {
  const [file = "", ...args] = argv;
  return outputOf(file, args);
};
const info = (): string => output([...BUNDLE, "info"]);

/** Loop files need a filesystem that lasts; the guest's root does not. */
function prepareDisk(): void {
  output(["mkfs.ext4", "-q", "/dev/ubdb"]);
  mkdirSync(DISK, { recursive: true });
  output(["mount", "/dev/ubdb", DISK]);
}

function write(file: string, text: string): void {
  const fd = openSync(file, "w");
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
}

/** Writes until the driver refuses new volumes, or the disk is full. @returns the refusal */
async function fillUntilRefused(user: VolumeUser, target: string): Promise<string> {
  const block = Buffer.alloc(16 * MiB, "dmthin ");
  for (let number = 0; number < 200; number++) {
    if (number > 0 && number % 16 === 0) steps.progress(`${(number * block.length) / MiB} MiB written`);
    writeFileSync(join(target, `fill-${number}`), block, { flush: true });
    const refusal = await user.create("one-more", 16 * MiB).then(
      (id) => user.delete(id),
      (error: unknown) => String((error as { readonly details?: string }).details),
    );
    if (refusal?.includes("minimum") === true) return refusal;
  }
  throw new Error("the pool was filled, and still took volumes");
}

/** Ids of what is there when the pool has been filled and emptied again. */
interface Made {
  readonly database: string;
  readonly snapshot: string;
  readonly restored: string;
  readonly clone: string;
}

async function run(user: VolumeUser): Promise<Made> {
  steps.heading("A volume's life");
  const database = await steps.step("create a volume of 1 GiB", () => user.create("database", GiB));
  await steps.step("stage it: format (ext4) and mount", () => user.stage(database));
  const target = await steps.step("publish it to a pod", () => user.publish(database));
  const file = join(target, "accounts");
  await steps.step("write a file and sync it", async () => write(file, "balance: 100\n"));
  const snapshot = await steps.step("snapshot the volume in use", () => user.snapshot("before-the-accident", database));
  await steps.step("spoil the file", async () => write(file, "balance: oops\n"));

  steps.heading("Restore, clone, expand");
  const restored = await steps.step("restore the snapshot as a new volume", () => user.create("restored", GiB, { snapshot }));
  await steps.step(
    "stage and publish it: the file is as it was",
    async () => (await user.stage(restored), await user.publish(restored)),
    () => show(user, restored),
  );
  const clone = await steps.step("clone the volume while it is in use", () => user.create("clone", GiB, { volume: database }));
  await steps.step(
    "stage and publish it: the file is as it is now",
    async () => (await user.stage(clone), await user.publish(clone)),
    () => show(user, clone),
  );
  await steps.step(
    "expand the volume to 2 GiB, mounted",
    () => user.expand(database, 2 * GiB),
    () => `its filesystem now has ${sizeOf(target)}`,
  );

  steps.heading("A pool that fills up");
  const scratch = await steps.step("create a volume of 4 GiB in this pool of 1 GiB", () => user.create("scratch", 4 * GiB));
  await steps.step("stage and publish it", async () => (await user.stage(scratch), await user.publish(scratch)));
  await steps.step(
    "fill it until the pool refuses new volumes",
    () => fillUntilRefused(user, user.target(scratch)),
    (refusal) => `refused: ${refusal}`,
  );
  await steps.step("release and delete it: the pool has room again", async () => (await user.release(scratch), await user.delete(scratch)));
  await steps.step("create a volume again", async () => user.delete(await user.create("one-more", GiB)));
  return { database, snapshot, restored, clone };
}

async function cleanUp(user: VolumeUser, { database, snapshot, restored, clone }: Made): Promise<void> {
  steps.heading("Away with it");
  for (const id of [database, restored, clone]) await user.release(id);
  await steps.step("delete the origin before its snapshot", () => user.delete(database));
  await steps.step("delete the snapshot, the restored volume and the clone", async () => {
    await user.deleteSnapshot(snapshot);
    await user.delete(restored);
    await user.delete(clone);
  });
}

const show = (user: VolumeUser, id: string): string =>
  `${join(user.target(id), "accounts")}: ${readFileSync(join(user.target(id), "accounts"), "utf8").trim()}`;
const sizeOf = (path: string): string => {
  const { blocks, bsize } = statfsSync(path);
  return `${((blocks * bsize) / GiB).toFixed(2)} GiB`;
};

async function shell(): Promise<void> {
  const config = Driver.paths(FOLDER);
  process.stdout.write(
    `\nThe driver goes on running. Its CSI socket is ${config.socket}; its log ${config.log}.\nTry: dmthin info, dmsetup ls, df -h. "exit" ends it all.\n`,
  );
  symlinkSync(BUNDLE[0] ?? "", "/usr/local/bin/dmthin");
  await once(spawn("bash", ["-i"], { stdio: "inherit" }), "exit");
}

prepareDisk();
const pool = { name: "demo", backing: { loop: { directory: join(DISK, "pool"), dataSize: "1Gi", metadataSize: "16Mi" } } };
process.stdout.write("\nStarting the driver on a loop pool of 1 GiB, on this guest's kernel\n");
const driver = await steps.step("start the driver, which makes the pool", () =>
  Driver.start(FOLDER, { nodeName: "demo", stateDirectory: join(DISK, "state"), pools: [pool] }),
);
const user = new VolumeUser(driver.client, FOLDER);
const volumes = await run(user);
const figures = info();
if (keep) {
  process.stdout.write(`\n${figures}`);
  await shell();
} else await cleanUp(user, volumes);
await steps.step("stop the driver", () => driver.stop());
steps.summary();
if (!keep) process.stdout.write(`\nThe pool before all was deleted\n${figures}`);
