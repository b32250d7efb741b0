import { existsSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { Disk } from "../lab/disk.ts";
import type { Guest } from "../lab/guest.ts";
import { startGuest } from "../lab/start.ts";
import { runProgram, TallyStream } from "./part.ts";
import { sum, type Tally } from "./tally.ts";

/** `--forceExit`: what a failed test leaves open must not hold the others' results back. */
const JEST = [nodeBinary, "--experimental-vm-modules", "--disable-warning=ExperimentalWarning", join(checkout, "node_modules/jest/bin/jest.js"), "--forceExit"];

/** Unit tests commit catalogues by the thousand, each commit synced: what must survive nothing need not wait for a disk. */
const IN_MEMORY = existsSync("/dev/shm") ? ["TMPDIR=/dev/shm"] : [];

/** A guest has one CPU, and shares this machine's: time for what takes milliseconds elsewhere. */
const IN_GUEST = ["--runInBand", "--testTimeout=120000"];

/** Runs jest projects on this machine; `args` are the caller's: a path, or jest's own options. */
export function runJest(
  projects: readonly string[],
  args: readonly string[] = [],
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Tally> {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return runProgram(["env", ...IN_MEMORY, ...settings, ...JEST, ...options, "--selectProjects", ...projects, ...separated(args)]);
}

/** Far above what any test takes: they have four minutes at most. */
const SILENCE_SECONDS = 600;
/** Then the guest's own watch has hung as well. */
const LAST_RESORT_MS = (SILENCE_SECONDS + 120) * 1000;

export interface GuestJestOptions {
  /** Sizes of the scratch disks, such as `8G`. */
  readonly disks?: readonly string[];
  readonly memory?: string;
  readonly udev?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Among how many guests, one after another, its files are shared out when all of them run. Default 1. */
  readonly guests?: number;
}

/**
 * Runs a jest project in a guest, on a real kernel, with the same checkout. Of many files not all in one: nearly each page of
 * a guest's process is a mapping of its own to this machine, which allows a process 65,530 of them (vm.max_map_count). Jest
 * takes more memory with each file; beyond 256 MiB or so it stands still, for its kernel's "stub syscall" failed with ENOMEM.
 */
export async function runJestInGuest(project: string, args: readonly string[] = [], { guests = 1, ...options }: GuestJestOptions = {}): Promise<Tally> {
  if (args.length > 0 || guests === 1) return runInOneGuest(project, separated(args), options);
  const tallies: Tally[] = [];
  for (let number = 1; number <= guests; number += 1) tallies.push(await runInOneGuest(project, [`--shard=${number}/${guests}`], options));
  return sum(tallies);
}

async function runInOneGuest(project: string, args: readonly string[], options: Omit<GuestJestOptions, "guests">): Promise<Tally> {
  const disks = await Promise.all((options.disks ?? []).map((size) => Disk.create(size)));
  const stdout = new TallyStream(process.stdout);
  await using guest = await startGuest({
    ...options,
    disks,
    silenceSeconds: SILENCE_SECONDS,
    command: [...JEST, ...IN_GUEST, "--selectProjects", project, ...args],
    streams: { stdout, stderr: process.stderr },
  });
  const code = await untilSilent(guest, stdout);
  await finished(stdout.end());
  if (guest.crashed) process.stderr.write(`the guest died. Its kernel's last messages:\n${guest.kernelLog}\n`);
  for (const disk of disks) disk[Symbol.dispose]();
  return stdout.tally(code);
}

/** The guest's exit code; a guest that says nothing any more is ended. */
async function untilSilent(guest: Guest, stdout: TallyStream): Promise<number> {
  const silence = setTimeout(() => {
    process.stderr.write(`the guest has said nothing for ${LAST_RESORT_MS / 1000} s. Its kernel's last messages:\n${guest.kernelLog}\n`);
    void guest.kill();
  }, LAST_RESORT_MS);
  stdout.onOutput = () => silence.refresh();
  try {
    return await guest.exit;
  } finally {
    clearTimeout(silence);
  }
}

/** `--selectProjects` takes all words up to the next option; a path given to a command of several parts is found in one of them only. */
const separated = (args: readonly string[]): readonly string[] => (args.length === 0 ? [] : ["--passWithNoTests", ...args]);
