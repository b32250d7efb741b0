import { mkdir, readFile, readdir, realpath, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolDescription } from "../../config/pool-description.ts";
import { writeLasting } from "../../files.ts";
import type { Logger } from "../../logger.ts";
import { tenantsDevices, udevRules, type DeviceMatch } from "./udev-rules.ts";

/** The host's own, in the image as well: /run/udev is shared with it. */
const RUN_UDEV = "/run/udev";
export const HOST_RULES = join(RUN_UDEV, "rules.d/12-dmthin.rules");
const SYS_BLOCK = "/sys/class/block";
/**
 * udevd looks for changed rules when an event comes, at most once in three seconds, so no program has to tell it. What it
 * saw with the old rules meanwhile is shown to it again after that.
 * Source: manager_reload in systemd's src/udev/udev-manager.c.
 */
const NOTICED_MS = 4_000;
const NEW_MS = 60_000;

/**
 * Writes the rules for these pools where the host's udevd reads them, before any device is activated. Without a udevd
 * there is nothing to do; where the rules cannot be written, pools serve all the same, and the log says what is missing.
 */
export async function installUdevRules(pools: readonly PoolDescription[], logger: Logger, ending: AbortSignal): Promise<void> {
  if ((await stat(join(RUN_UDEV, "control")).catch(() => undefined)) === undefined) return;
  try {
    const matches = tenantsDevices(pools, await kernelNames(pools));
    await write(udevRules(matches));
    // Also those of a driver that ended before it came to that.
    const { mtimeMs } = await stat(HOST_RULES);
    if (Date.now() - mtimeMs < NEW_MS) void showAgain(matches, ending);
  } catch (error) {
    const remedy = `let the driver write to ${RUN_UDEV}/rules.d of the host`;
    logger.warn("the host's udev looks into what volumes hold: its rules for them cannot be written", { error, remedy });
  }
}

/** Whole or not at all: udevd may read it at any moment. */
async function write(rules: string): Promise<void> {
  if ((await readFile(HOST_RULES, "utf8").catch(() => undefined)) === rules) return;
  await mkdir(join(RUN_UDEV, "rules.d"), { recursive: true });
  await writeLasting(HOST_RULES, rules, 0o644);
}

async function kernelNames(pools: readonly PoolDescription[]): Promise<(path: string) => string | undefined> {
  const names = new Map<string, string>();
  for (const { backing } of pools) {
    if (backing.kind !== "devices") continue;
    const path = await realpath(backing.data).catch(() => undefined);
    if (path !== undefined) names.set(backing.data, basename(path));
  }
  return (path) => names.get(path);
}

async function showAgain(matches: readonly DeviceMatch[], ending: AbortSignal): Promise<void> {
  await sleep(NOTICED_MS, undefined, { signal: ending, ref: false }).catch(() => undefined);
  if (ending.aborted) return;
  for (const name of await readdir(SYS_BLOCK).catch(() => [])) {
    // A device may have gone meanwhile.
    if (await isOneOf(matches, name)) await writeFile(join(SYS_BLOCK, name, "uevent"), "change").catch(() => undefined);
  }
}

async function isOneOf(matches: readonly DeviceMatch[], name: string): Promise<boolean> {
  for (const { attribute, pattern } of matches) {
    const value = attribute === "kernel-name" ? name : await readFile(join(SYS_BLOCK, name, attribute), "utf8").catch(() => "");
    if (globExpression(pattern).test(value.trim())) return true;
  }
  return false;
}

const globExpression = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+]/g, String.raw`\$&`)
      .replaceAll("?", ".")
      .replaceAll("*", ".*")
      .replaceAll("[!", "[^")}$`,
  );
