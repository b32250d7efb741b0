import type { Command } from "commander";
import { DEFAULT_ADMIN_SOCKET } from "../config/admin-socket.ts";
import { socketIn } from "../config/path-rules.ts";
import { begin, EXIT_USAGE, type End } from "./command.ts";
import { asking, type UpkeepParts } from "./driver-upkeep.ts";
import { printToCluster } from "./to-cluster.ts";
import { trimVolumes } from "./trim.ts";
import { listVolumes, showVolume, type Asking } from "./volumes.ts";

interface Given {
  readonly socket: string;
  readonly json: boolean;
  readonly pool: string;
  readonly measure: boolean;
}

/** What each volume maps alone takes a walk through the pool's metadata. */
const MEASURE_MS = 10_000;

const asked = ({ socket, json, pool, measure }: Given) => ({ socket: socketIn(socket), json, pool, measureMs: measure ? MEASURE_MS : 0 });

const common = (command: Command): Command =>
  command
    .option("-p, --pool <name>", "only of this pool", "")
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .option("--no-measure", "as last measured: measuring what each has alone takes\na walk through the metadata, at most 10 s here")
    .option("--json", "print JSON, sizes in bytes", false);

export function addVolumeCommands(dmthin: Command, parts: Asking & UpkeepParts, end: End): void {
  const { terminal } = parts;
  const volume = begin(dmthin.command("volume"), terminal, ["dmthin volume ls", "dmthin volume show pvc-1"]).description(
    "Look at volumes and snapshots, and trim volumes.",
  );
  common(begin(volume.command("ls"), terminal, ["dmthin volume ls", "dmthin volume ls --pool fast --json"]))
    .description("List volumes and snapshots, and what each takes in its pool.")
    .action(async (given: Given) => end(listVolumes(asked(given), parts, terminal)));
  addShow(volume, parts, end);
  addTrim(volume, parts, end);
}

function addShow(volume: Command, parts: Asking & UpkeepParts, end: End): void {
  const { terminal } = parts;
  const show = begin(volume.command("show"), terminal, [
    "dmthin volume show pvc-1",
    "dmthin volume show vol-aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "dmthin volume show pvc-1 --manifest | kubectl apply --namespace shop -f -",
  ]);
  common(show)
    .argument("<volume>", "its id, or the name it was created with")
    .description("Show one volume or snapshot: size, space, origin, and where it is in use.")
    .option("--manifest", "print what makes a volume known to its cluster, which\nhas no object of it: YAML for kubectl", false)
    .action(async (which: string, { manifest, ...given }: Given & { readonly manifest: boolean }) => {
      if (!manifest) return end(showVolume({ ...asked(given), which }, parts, terminal));
      if (given.json) return end(show.error("a manifest is YAML: leave out --json", { exitCode: EXIT_USAGE }));
      return end(asking(parts, given.socket, async (driver) => printToCluster(await driver.makeKnown(which, given.pool), terminal)));
    });
}

function addTrim(volume: Command, parts: UpkeepParts, end: End): void {
  begin(volume.command("trim"), parts.terminal, ["dmthin volume trim", "dmthin volume trim pvc-1 pvc-2", "dmthin volume trim --pool fast"])
    .argument("[volume...]", "their ids, or the names they were created with;\nwithout any, all that are staged on this machine")
    .description("Let mounted filesystems give their pool back what they do not use, now.")
    .option("-p, --pool <name>", "only of this pool", "")
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .option("--json", "print JSON, sizes in bytes, when all is done", false)
    .addHelpText(
      "after",
      "\nThe driver does by itself what this does, as often as its pool's trim.interval\nsays. Volumes stay in use. One is done after the other, each when its pool has a\nplace (trim.atOnce). Ctrl-C asks for no more of them; the one that is being done\nis done to its end. What snapshots share with a volume stays in the pool.",
    )
    .action(async (which: readonly string[], { socket, pool, json }: Pick<Given, "socket" | "pool" | "json">) =>
      end(asking(parts, socket, async (driver) => trimVolumes(driver, { pool, which, json }, parts.terminal))),
    );
}
