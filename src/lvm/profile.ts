import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeLasting } from "../files.ts";

/** Where LVM looks for profiles, the administrator's too. Source: lvm.conf(5), config/profile_dir. */
export const PROFILE_DIRECTORY = "/etc/lvm/profile";

/** As Docker wrote it. LVM refuses a percentage of 0, and takes a threshold of 100 for "never". Source: lvmthin(7), "Automatically extend thin pool LV". */
export const profileText = ({ thresholdPercent, percent }: { readonly thresholdPercent: number; readonly percent: number }): string =>
  `activation {\n\tthin_pool_autoextend_threshold=${Math.round(thresholdPercent)}\n\tthin_pool_autoextend_percent=${Math.max(1, Math.round(percent))}\n}\n`;

/** Writes a profile, whole or not at all. One that is right stays as it is. */
export async function writeProfile(directory: string, name: string, text: string): Promise<void> {
  const path = join(directory, `${name}.profile`);
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await writeLasting(path, text, 0o644);
}
