import { expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "./cache.ts";
import { checkout } from "./checkout.ts";
import { startGuest } from "./start.ts";

const PATIENCE_MS = 180_000;

const pids = async (): Promise<readonly number[]> => (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);

async function parentOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const parent = /\) \S (\d+)/.exec(status)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

async function descendants(root: number): Promise<readonly number[]> {
  const family = new Set([root]);
  for (const pid of [...(await pids())].toSorted((a, b) => a - b)) {
    const parent = await parentOf(pid);
    if (parent !== undefined && family.has(parent)) family.add(pid);
  }
  return [...family];
}

/** The mount namespaces of these processes; mounts in them live as long as somebody is in there. */
async function mountNamespaces(of: readonly number[]): Promise<ReadonlySet<string>> {
  const links = await Promise.all(of.map((pid) => readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined)));
  return new Set(links.filter((link) => link !== undefined));
}

/** A running lab: its processes, the mount namespace of its guest, and who else was there, since namespaces' ids are used again. */
interface Family {
  readonly members: readonly number[];
  readonly namespaces: ReadonlySet<string>;
  readonly everybody: ReadonlySet<number>;
}

async function familyOf(root: number): Promise<Family> {
  const members = await descendants(root);
  const ours = await mountNamespaces([process.pid]);
  const namespaces = new Set([...(await mountNamespaces(members))].filter((namespace) => !ours.has(namespace)));
  return { members, namespaces, everybody: new Set(await pids()) };
}

/** Those alive, and the namespaces that somebody is in. */
async function remains({ members, namespaces, everybody }: Family): Promise<readonly (number | string)[]> {
  const alive = (await pids()).filter((pid) => everybody.has(pid));
  const inhabited = await mountNamespaces(alive);
  return [...members.filter((pid) => alive.includes(pid)), ...[...namespaces].filter((namespace) => inhabited.has(namespace))];
}

/** What is left once it has had time to go. */
async function leftOf(family: Family): Promise<readonly (number | string)[]> {
  for (let tries = 0; tries < 100 && (await remains(family)).length > 0; tries += 1) await sleep(100);
  return remains(family);
}

/** Starts the lab as a user does, and waits until the command in the guest runs. */
async function startedLab(): Promise<ChildProcess & { readonly pid: number }> {
  const npm = spawn("npm", ["run", "-s", "lab", "--", "--disk", "16M", "sh", "-c", "echo started; sleep 1000"], {
    cwd: checkout,
    detached: true, // a group of its own, as a terminal gives it
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(npm.stdout, "data");
  if (npm.pid === undefined) throw new Error("npm did not start");
  return Object.assign(npm, { pid: npm.pid });
}

const ends: readonly (readonly [string, (npm: number, family: readonly number[]) => void])[] = [
  ["Ctrl-C", (npm) => process.kill(-npm, "SIGINT")],
  ["SIGTERM to npm", (npm) => process.kill(npm, "SIGTERM")],
  ["SIGKILL to npm", (npm) => process.kill(npm, "SIGKILL")],
  ["SIGKILL to the task", (_npm, family) => family.filter((_, depth) => depth === 2).forEach((pid) => process.kill(pid, "SIGKILL"))],
];

test.each(ends)(
  "%s while a guest runs leaves no process, no mount and no disk image behind",
  async (_name, end) => {
    const npm = await startedLab();
    const family = await familyOf(npm.pid);
    expect(family.namespaces.size).toBe(1); // the guest's
    end(npm.pid, family.members);
    expect(await leftOf(family)).toEqual([]);
    const cache = await cacheFolder();
    expect(await readFile("/proc/mounts", "utf8")).not.toContain(cache);
    expect((await readdir(cache)).filter((name) => name.startsWith("disk-"))).toEqual([]);
    expect(await readdir(join(cache, "mount"))).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  "a guest whose kernel dies is told from a command that failed",
  async () => {
    await using guest = await startGuest({ command: ["sh", "-c", "echo before; sleep 0.5; echo c > /proc/sysrq-trigger; sleep 1000"] });
    expect(await guest.exit).toBe(125);
    expect(guest.crashed).toBe(true);
    expect(guest.output).toBe("before\n");
    expect(guest.kernelLog).toContain("panic");
  },
  PATIENCE_MS,
);
