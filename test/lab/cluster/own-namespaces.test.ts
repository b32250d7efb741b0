import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../command.ts";
import { inOwnNamespaces } from "./own-namespaces.ts";

/** Processes in one of the namespaces. */
async function inhabitants(namespaces: readonly string[]): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const links = await Promise.all(
    pids.flatMap((pid) => ["pid", "net"].map(async (kind) => [pid, await readlink(`/proc/${pid}/ns/${kind}`).catch(() => "")] as const)),
  );
  return links.filter(([, link]) => namespaces.includes(link)).map(([pid]) => pid);
}

async function started(): Promise<{ readonly namespaces: readonly string[]; readonly kill: (signal: NodeJS.Signals) => void }> {
  const [file = "", ...args] = inOwnNamespaces(join(import.meta.dirname, "lingering.ts"), []);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { namespaces: said.toString().trim().split(" "), kill: (signal) => child.kill(signal) };
}

test("two clusters' networks are laid beside each other; killed, they leave no process, no interface and no mount", async () => {
  const runs = await Promise.all([started(), started()]);
  for (const { namespaces, kill } of runs) {
    expect((await inhabitants(namespaces)).length).toBeGreaterThan(1);
    kill("SIGKILL");
    for (let tries = 0; tries < 100 && (await inhabitants(namespaces)).length > 0; tries += 1) await sleep(100);
    expect(await inhabitants(namespaces)).toEqual([]);
  }
  expect(await run(["ip", "link"])).not.toMatch(/tap1|cluster/);
  expect(await readFile("/proc/mounts", "utf8")).not.toContain("lingering");
}, 60_000);
