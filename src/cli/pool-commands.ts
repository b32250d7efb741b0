import { InvalidArgumentError, type Command } from "commander";
import { DEFAULT_ADMIN_SOCKET } from "../config/admin-socket.ts";
import { ambiguousSize, parseSize } from "../units.ts";
import { begin, EXIT_USAGE, type End } from "./command.ts";
import { asking, type UpkeepParts, type ExtendTo } from "./driver-upkeep.ts";
import { extendPool, type Extensions } from "./extend.ts";
import { adoptOrphan, deleteOrphan, listOrphans } from "./orphans.ts";

/** `dmthin pool …`: what is done to a pool by hand, through the driver that runs. */
export function addPoolCommands(pool: Command, parts: UpkeepParts, end: End): void {
  addExtend(pool, parts, end);
  addOrphans(pool, parts, end);
}

function addExtend(pool: Command, parts: UpkeepParts, end: End): void {
  const extend = begin(pool.command("extend"), parts.terminal, [
    "dmthin pool extend fast --data +100Gi",
    "dmthin pool extend fast --metadata 2Gi --data max",
    "dmthin pool extend fast --add-device /dev/disk/by-id/nvme-2 --data max",
  ]);
  extend
    .argument("<name>", "the pool")
    .description("Make a pool larger while its volumes are in use.")
    .option("--data <size>", "how large its data is to be: 500Gi, by how much more: +100Gi, or max", parseTarget)
    .option("--metadata <size>", "the same for its metadata", parseTarget)
    .option("--add-device <path...>", "more disks, for a pool on whole disks (directLvm)")
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .addHelpText(
      "after",
      '\nA loop pool\'s files grow, as far as the filesystem below has room; a pool on\nvolumes grows into its volume group; a pool on devices takes what those have\ngrown by: "max" is then all of it. Nothing is ever made smaller.',
    )
    .action(async (name: string, options: Extensions & { readonly socket: string }) => {
      if (options.data === undefined && options.metadata === undefined && options.addDevice === undefined)
        return end(extend.error("say what is to grow, with --data, --metadata or both, or add a disk with --add-device", { exitCode: EXIT_USAGE }));
      return end(asking(parts, options.socket, async (driver) => extendPool(driver, name, options, parts.terminal)));
    });
}

interface OrphanOptions {
  readonly adopt?: number;
  readonly delete?: number;
  readonly name?: string;
  readonly size?: number;
  readonly json: boolean;
  readonly socket: string;
}

function addOrphans(pool: Command, parts: UpkeepParts, end: End): void {
  const orphans = begin(pool.command("orphans"), parts.terminal, [
    "dmthin pool orphans fast",
    "dmthin pool orphans fast --adopt 17 --name pvc-1d0f",
    "dmthin pool orphans fast --delete 18",
  ]);
  orphans
    .argument("<name>", "the pool")
    .description("List the thin devices in a pool that no record knows, or say what becomes of one.")
    .option("--adopt <number>", "make a volume of this one", parseNumber)
    .option("--name <name>", "the name of that volume, as CSI's CreateVolume would give it")
    .option("--size <size>", "its size, where that is more than what it holds", parseBytes)
    .option("--delete <number>", "delete this one, with what it holds", parseNumber)
    .option("--json", "print JSON, sizes in bytes", false)
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .action(async (pool: string, options: OrphanOptions) => {
      const { adopt, delete: remove, name, size, json, socket } = options;
      const problem = orphanProblem(options);
      if (problem !== undefined) return end(orphans.error(problem, { exitCode: EXIT_USAGE }));
      return end(
        asking(parts, socket, async (driver) => {
          if (adopt !== undefined && name !== undefined) return adoptOrphan(driver, pool, { number: adopt, name, sizeBytes: size }, parts.terminal);
          return remove === undefined ? listOrphans(driver, pool, json, parts.terminal) : deleteOrphan(driver, pool, remove, parts.terminal);
        }),
      );
    });
}

function orphanProblem({ adopt, delete: remove, name, size }: OrphanOptions): string | undefined {
  if (adopt !== undefined && remove !== undefined) return "an orphan is either adopted or deleted, not both";
  if (adopt !== undefined && name === undefined) return "an adopted orphan needs a name: add --name";
  return adopt === undefined && (name !== undefined || size !== undefined) ? "--name and --size belong to --adopt" : undefined;
}

function parseTarget(text: string): ExtendTo {
  if (text === "max") return "max";
  return text.startsWith("+") ? { by: parseBytes(text.slice(1)) } : { to: parseBytes(text) };
}

function parseBytes(text: string): number {
  const size = parseSize(text);
  if (size !== undefined && size > 0) return size;
  throw new InvalidArgumentError(ambiguousSize(text) ?? "It is not a size: use bytes, or a number with Ki, Mi, Gi, Ti.");
}

function parseNumber(text: string): number {
  if (/^\d{1,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is not a thin device's number.");
}
