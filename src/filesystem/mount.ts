import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DmthinError } from "../errors.ts";
import type { Run } from "../exec/run.ts";
import { deviceOf } from "./device-number.ts";
import type { MountRequest } from "./filesystems.ts";
import { mountsAt } from "./mounts.ts";
import { canonicalTarget } from "./targets.ts";
import { TYPES } from "./types.ts";

/** Long, since the journal of a large filesystem is replayed in it. */
const DEADLINE_MS = 300_000;
/** Neither helper programs, nor fstab, nor a record beside the kernel's; nor a /dev/mapper name in place of /dev/dm-N. */
export const PLAIN = ["--internal-only", "--no-mtab", "--no-canonicalize"];

export async function mountDevice(run: Run, sysRoot: string, request: MountRequest, signal: AbortSignal | undefined): Promise<void> {
  const { device, type, readOnly } = request;
  requireDevice(device);
  const target = await canonicalTarget(request.target);
  const needs = { readOnly, deviceReadOnly: await isReadOnly(sysRoot, device) };
  const options = [...request.options, ...TYPES[type].mountOptions(needs), ...(readOnly ? ["ro"] : [])];
  // Else a device that refuses writes is mounted read-only, and nobody is told. A user's "ro" comes later, and wins.
  const writable = readOnly ? [] : ["--read-write"];
  await run(["mount", ...PLAIN, ...writable, "-t", type, ...optionList(options), device, target], { signal, deadlineMs: DEADLINE_MS });
}

/**
 * One `mount` makes the bind and its flags. Where the kernel takes two steps for it and refuses the second, the first is
 * undone, so that nothing writable stays where read-only was asked for.
 */
export async function bindMount(
  run: Run,
  source: string,
  path: string,
  { readOnly, mountOptions = [] }: { readonly readOnly: boolean; readonly mountOptions?: readonly string[] },
  signal: AbortSignal | undefined,
): Promise<void> {
  const [from, target] = await Promise.all([canonicalTarget(source), canonicalTarget(path)]);
  const options = [...mountOptions, ...(readOnly ? ["ro"] : [])];
  const before = (await mountsAt(target)).length;
  try {
    await run(["mount", ...PLAIN, "--bind", ...optionList(options), from, target], { signal, deadlineMs: DEADLINE_MS });
  } catch (error) {
    if ((await mountsAt(target)).length > before) await run(["umount", ...PLAIN, "--lazy", target]);
    throw error;
  }
}

/** As one argument of `-o`: commas are the user's own to use, what would break mountinfo's lines is refused. */
export function optionList(options: readonly string[]): readonly string[] {
  const problems = options
    .filter((option) => option === "" || /[\p{Cc}]/u.test(option))
    .map((option) => `mount option ${JSON.stringify(option)} is empty or has a control character in it`);
  if (problems.length > 0) throw new DmthinError({ code: "invalid-argument", problems });
  return options.length === 0 ? [] : ["-o", options.join(",")];
}

export function requireDevice(device: string): void {
  if (/^\/dev\/[\w.-]+$/.test(device)) return;
  throw new DmthinError({ code: "path-unusable", path: device, reason: "it is not a device right below /dev" });
}

async function isReadOnly(sysRoot: string, device: string): Promise<boolean> {
  const { major, minor } = await numberOf(device);
  const text = await readFile(join(sysRoot, "dev/block", `${major}:${minor}`, "ro"), "utf8").catch(() => "0");
  return text.trim() === "1";
}

async function numberOf(device: string): Promise<{ readonly major: number; readonly minor: number }> {
  const found = await stat(device).catch((cause: unknown) => {
    throw new DmthinError({ code: "path-unusable", path: device, reason: "there is no such device" }, { cause });
  });
  if (!found.isBlockDevice()) throw new DmthinError({ code: "path-unusable", path: device, reason: "it is not a block device" });
  return deviceOf(found.rdev);
}
