import { chmod } from "node:fs/promises";
import { aptAccess, aptReason, debianMirror, ensureProgram } from "./apt.ts";
import { cached, recipeHash } from "./cache.ts";
import { run } from "./command.ts";
import { step } from "./progress.ts";

const SUITE = "trixie";

/** What the container image has, and udev, which every user's host has. */
const PACKAGES = [
  "lvm2",
  "dmeventd",
  "thin-provisioning-tools",
  "xfsprogs",
  "e2fsprogs",
  "btrfs-progs",
  "kmod",
  "libatomic1",
  "iproute2",
  "util-linux",
  "mount",
  "procps",
  "psmisc",
  "strace",
  "fio",
  "udev",
  "ca-certificates",
];

/**
 * The guest's root file system: a Debian tree with the tools of the container image. Guests only read it.
 * @returns its folder in the cache; the first call builds it (25 to 50 s, 280 MB)
 */
export function userland(): Promise<string> {
  const name = `userland-${recipeHash([SUITE, PACKAGES])}`;
  return cached(name, (folder) => step(`building the guest's userland (Debian ${SUITE})`, () => build(folder)));
}

async function build(folder: string): Promise<void> {
  await ensureProgram("mount", ["mount"]);
  await ensureProgram("mmdebstrap", ["mmdebstrap", "debian-archive-keyring"]);
  const access = (await aptAccess()).flatMap((option) => ["--aptopt", option]);
  const mirror = await debianMirror();
  const argv = ["mmdebstrap", "--mode=root", "--variant=apt", `--include=${PACKAGES.join(",")}`, ...access];
  try {
    await run([...argv, SUITE, folder, ...(mirror === undefined ? [] : [mirror])]);
  } catch (cause) {
    throw new Error(`the guest's userland cannot be had from Debian ${SUITE}: ${aptReason(cause)}`, { cause });
  }
  await chmod(folder, 0o755);
}
