import type { Command } from "commander";
import { DEFAULT_ADMIN_SOCKET } from "../config/admin-socket.ts";
import { socketIn } from "../config/path-rules.ts";
import { begin, type End } from "./command.ts";
import type { Terminal } from "./terminal.ts";
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

export function addVolumeCommands(dmthin: Command, { terminal, ...asking }: Asking & { readonly terminal: Terminal }, end: End): void {
  const volume = begin(dmthin.command("volume"), terminal, ["dmthin volume ls", "dmthin volume show pvc-1"]).description("Look at volumes and snapshots.");
  common(begin(volume.command("ls"), terminal, ["dmthin volume ls", "dmthin volume ls --pool fast --json"]))
    .description("List volumes and snapshots, and what each takes in its pool.")
    .action(async (given: Given) => end(listVolumes(asked(given), asking, terminal)));
  common(begin(volume.command("show"), terminal, ["dmthin volume show pvc-1", "dmthin volume show vol-aaaaaaaaaaaaaaaaaaaaaaaaaa"]))
    .argument("<volume>", "its id, or the name it was created with")
    .description("Show one volume or snapshot: size, space, origin, and where it is in use.")
    .action(async (which: string, given: Given) => end(showVolume({ ...asked(given), which }, asking, terminal)));
}
