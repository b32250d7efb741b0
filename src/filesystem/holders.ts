import { readdir, readFile, readlink } from "node:fs/promises";
import { isError } from "../errors.ts";
import type { Run } from "../exec/run.ts";
import type { Mount } from "./filesystems.ts";
import { parseMountinfo } from "./mountinfo.ts";

const SCAN_MS = 1000;
const AT_MOST = 20;

/**
 * Who keeps a mount busy, as far as can be seen within a second or so: "1234 (postgres): fd 7 /data/wal". Nothing is
 * opened that could wait for the mount itself: links of /proc are read, and the memory maps, whose reading waits for
 * a process that hangs, by a program that can be given up.
 */
export async function holdersOf(run: Run, target: string, mount: Mount): Promise<readonly string[]> {
  const until = Date.now() + SCAN_MS;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const mapping = mappedBy(run, target, pids);
  const found: string[] = await mountedBelow(target);
  const namespaces = new Set([await linkOf("/proc/self/ns/mnt")]);
  for (const pid of pids) {
    if (Date.now() > until || found.length >= AT_MOST) break;
    found.push(...(await heldBy(pid, target, mount, namespaces)));
  }
  return [...found, ...(await mapping)].slice(0, AT_MOST);
}

async function heldBy(pid: string, target: string, mount: Mount, namespacesSeen: Set<string | undefined>): Promise<readonly string[]> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = ["cwd", "root", "exe", ...fds.map((fd) => `fd/${fd}`)];
  const paths = await Promise.all(links.map(async (link) => [link, await linkOf(`/proc/${pid}/${link}`)] as const));
  const held = paths.flatMap(([link, path]) => (path !== undefined && isWithin(path, target) ? [`${link.replace("/", " ")} ${path}`] : []));
  const namespace = await linkOf(`/proc/${pid}/ns/mnt`);
  const elsewhere = namespace === undefined || namespacesSeen.has(namespace) ? [] : await mountedIn(pid, mount);
  namespacesSeen.add(namespace);
  if (held.length + elsewhere.length === 0) return [];
  const name = await nameOf(pid);
  return [...held, ...elsewhere].map((what) => `${name}: ${what}`);
}

/** Another namespace's mounts of the same filesystem keep its device open, whatever becomes of ours. */
async function mountedIn(pid: string, { major, minor, type }: Mount): Promise<readonly string[]> {
  if (type === "btrfs") return [];
  const text = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
  return parseMountinfo(text)
    .filter((other) => other.major === major && other.minor === minor)
    .map((other) => `has it mounted on ${other.target} in its mount namespace`);
}

async function mountedBelow(target: string): Promise<string[]> {
  const entries = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  return entries.filter((entry) => entry.target !== target && isWithin(entry.target, target)).map((entry) => `a mount below it: ${entry.target}`);
}

/** grep answers 1 for none, and 2 when a process ended meanwhile. */
async function mappedBy(run: Run, target: string, pids: readonly string[]): Promise<readonly string[]> {
  const files = pids.map((pid) => `/proc/${pid}/maps`);
  try {
    const { stdout } = await run(["grep", "-lsF", "--", ` ${target}/`, ...files], { deadlineMs: SCAN_MS, okExitCodes: [0, 1, 2] });
    const mapping = stdout.split("\n").flatMap((line) => line.split("/")[2] ?? []);
    return await Promise.all(mapping.map(async (pid) => `${await nameOf(pid)}: a mapped file`));
  } catch (error) {
    if (isError(error, "program-failed") || isError(error, "program-missing")) return [];
    throw error;
  }
}

const nameOf = async (pid: string): Promise<string> => `${pid} (${(await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "gone")).trim()})`;
const linkOf = async (path: string): Promise<string | undefined> => readlink(path).catch(() => undefined);
const isWithin = (path: string, target: string): boolean => path === target || path.startsWith(`${target}/`);
