import type { Command } from "commander";
import { begin, type End } from "./command.ts";
import { checkPool, importPool, removePool, repairPool, type OfflineParts } from "./offline.ts";

const DEFAULT_CONFIG = "/etc/dmthin/dmthin.yaml";
const WITHOUT_DRIVER = "\nNo driver may run with the pool, and nothing may use its volumes. Needs root.";

interface Options {
  readonly config: string;
  readonly yes: boolean;
}

const whichOf = (name: string, { config }: Options) => ({ configFile: config, pool: name });

/** `dmthin pool …`: what is done to a pool while no driver has it. */
export function addOfflineCommands(pool: Command, parts: OfflineParts, end: End): void {
  addCheckAndRepair(pool, parts, end);

  common(pool, parts, "import", ["dmthin pool import fast", "dmthin pool import fast --catalogue /mnt/backup/catalog.db"])
    .description("Bring up a pool whose catalogue this machine has lost: from the one on its disks, from a copy, or from its metadata alone.")
    .option("--catalogue <file>", "a copy of its catalogue; by default the one that the driver keeps")
    .option("-y, --yes", "do it without asking", false)
    .addHelpText("after", `${WITHOUT_DRIVER}\nWithout a catalogue every thin device is an orphan: "dmthin pool orphans" gives\nthem names.`)
    .action(async (name: string, options: Options & { readonly catalogue?: string }) =>
      end(importPool(parts, whichOf(name, options), { yes: options.yes, copy: options.catalogue })),
    );

  common(pool, parts, "remove", ["dmthin pool remove fast", "dmthin pool remove fast --wipe --yes"])
    .description("Take a pool off this machine. One that holds volumes, snapshots or orphans is refused.")
    .option("--wipe", "give its disks back clean; without it they stay, and it can be imported", false)
    .option("-y, --yes", "do it without asking", false)
    .addHelpText("after", WITHOUT_DRIVER)
    .action(async (name: string, options: Options & { readonly wipe: boolean }) =>
      end(removePool(parts, whichOf(name, options), { yes: options.yes, wipe: options.wipe })),
    );
}

function addCheckAndRepair(pool: Command, parts: OfflineParts, end: End): void {
  common(pool, parts, "check", ["dmthin pool check fast", "dmthin pool check fast --json"])
    .description("Look all of a pool's metadata through, and compare it with the catalogue. Changes nothing; exit code 1 if anything is wrong.")
    .option("--json", "print JSON", false)
    .addHelpText("after", WITHOUT_DRIVER)
    .action(async (name: string, { config, json }: Options & { readonly json: boolean }) => end(checkPool(parts, { configFile: config, pool: name }, json)));

  common(pool, parts, "repair", ["dmthin pool repair fast", "dmthin pool repair fast --onto /dev/sdd1 --yes"])
    .description("Repair a pool's metadata, keep the old, check every filesystem, and say what was lost, volume by volume.")
    .option("--onto <device>", "where the new metadata goes, for a pool on devices")
    .option("-y, --yes", "do it without asking", false)
    .addHelpText("after", `${WITHOUT_DRIVER}\nSays first what it will do. Exit code 1 if anything was lost.`)
    .action(async (name: string, { config, yes, onto }: Options & { readonly onto?: string }) =>
      end(repairPool(parts, { configFile: config, pool: name }, { yes, onto })),
    );
}

const common = (pool: Command, { terminal }: OfflineParts, name: string, examples: readonly string[]): Command =>
  begin(pool.command(name), terminal, examples)
    .argument("<name>", "the pool")
    .option("-c, --config <file>", "the configuration that describes it", DEFAULT_CONFIG);
