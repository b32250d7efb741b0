import { mkdir } from "node:fs/promises";
import type { Run } from "../exec/run.ts";
import type { Logger } from "../logger.ts";
import type { DeviceNumber } from "./device-number.ts";
import { ext4 } from "./ext4.ts";
import { mountDevice, PLAIN } from "./mount.ts";
import { mountsAt } from "./mounts.ts";
import { canonicalTarget } from "./targets.ts";
import { unmount } from "./unmount.ts";

/** A small ext4 of the driver's own, that nobody else has to do with. */
export interface PrivateVolume extends DeviceNumber {
  /** /dev/dm-N */
  readonly device: string;
  readonly target: string;
}

const OPTIONS = ["nosuid", "nodev", "noexec", "noatime"];
const BIND_DEADLINE_MS = 30_000;
const MAKE_DEADLINE_MS = 300_000;

/** Overwrites what is there. Everything is written now: what lies on it is worth more than the second that this takes. A damaged one turns read-only. */
export async function makePrivateFilesystem(run: Run, device: string): Promise<void> {
  const whole = ["-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"];
  await run(["mkfs.ext4", "-q", "-F", "-L", "dmthin-catalog", "-e", "remount-ro", "-m", "0", ...whole, device], { deadlineMs: MAKE_DEADLINE_MS });
}

/**
 * Mounts it where no other mount namespace sees it, and so cannot keep it busy; or finds it mounted. The folder is bound
 * to itself first, since what is mounted inherits how its parent spreads. Checked as at boot before.
 */
export async function mountPrivately(run: Run, logger: Logger, volume: PrivateVolume): Promise<void> {
  await mkdir(volume.target, { recursive: true, mode: 0o700 });
  const target = await canonicalTarget(volume.target);
  const there = await mountsAt(target);
  if (there.at(-1)?.major === volume.major && there.at(-1)?.minor === volume.minor) return;
  if (there.length > 0) await unmount(run, logger, target, undefined);
  await ext4.check?.(volume.device, run, undefined);
  await run(["mount", ...PLAIN, "--bind", "--make-private", target, target], { deadlineMs: BIND_DEADLINE_MS });
  await mountDevice(run, "/sys", { device: volume.device, target, type: "ext4", readOnly: false, options: OPTIONS }, undefined);
}

/** Not mounted is success. */
export async function unmountPrivate(run: Run, logger: Logger, target: string): Promise<void> {
  await unmount(run, logger, target, undefined);
}
