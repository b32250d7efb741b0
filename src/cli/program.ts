import { Command, CommanderError } from "commander";
import { ROLES, type Role } from "../config/roles.ts";
import { DmthinError } from "../errors.ts";
import { begin, EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type End } from "./command.ts";
import { addClusterCommands, type ClusterParts } from "./cluster-commands.ts";
import { addConfigCommands } from "./config-commands.ts";
import { addDoctorCommand, type DoctorParts } from "./doctor-command.ts";
import { addInfoCommand } from "./info-command.ts";
import type { AskUpkeep } from "./driver-upkeep.ts";
import type { AskDriver } from "./info.ts";
import { addOfflineCommands } from "./offline-commands.ts";
import type { OfflineParts } from "./offline.ts";
import { addPoolCommands } from "./pool-commands.ts";
import type { Terminal } from "./terminal.ts";
import { addVolumeCommands } from "./volume-commands.ts";
import type { AskVolumes } from "./volumes.ts";

export interface Program extends Pick<OfflineParts, "ask" | "offline">, Pick<DoctorParts, "examine">, Pick<ClusterParts, "cluster"> {
  readonly version: string;
  readonly terminal: Terminal;
  readonly askDriver: AskDriver;
  readonly askUpkeep: AskUpkeep;
  readonly askVolumes: AskVolumes;
  /** Aborts at Ctrl-C, from then on when it is called. */
  readonly untilInterrupted: () => AbortSignal;
  /** Runs the driver until it is told to stop; answers the exit code. */
  readonly run: (role: Role, configFile: string) => Promise<number>;
}

/** Runs the command that `argv` (without node and script) asks for; answers the exit code. What fails is said on `error`. */
export async function runCommand(argv: readonly string[], program: Program): Promise<number> {
  let code = EXIT_OK;
  const command = describe(program, async (ending) => {
    code = await ending;
  });
  try {
    await command.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (!(error instanceof DmthinError)) throw error;
    program.terminal.error.write(`dmthin: ${error.message}\n`);
    return EXIT_FAILURE;
  }
}

/** Each group of commands is a file of its own. */
function describe(program: Program, end: End): Command {
  const { version, terminal } = program;
  const dmthin = begin(new Command("dmthin"), terminal, [
    "dmthin config example > dmthin.yaml",
    "dmthin config check dmthin.yaml",
    "dmthin standalone --config dmthin.yaml",
    "dmthin info",
  ])
    .description("Thin-provisioned local volumes on the kernel's device-mapper, by CSI.")
    .version(version, "-V, --version", "print the version");

  for (const role of ROLES) addRole(dmthin, role, program, end);
  addInfoCommand(dmthin, program, end);
  addVolumeCommands(dmthin, program, end);
  const pool = begin(dmthin.command("pool"), terminal, ["dmthin pool extend fast --data +100Gi", "dmthin pool check fast"]).description(
    "Look after a pool by hand.",
  );
  addPoolCommands(pool, program, end);
  addOfflineCommands(pool, program, end);
  addDoctorCommand(dmthin, program, end);
  addClusterCommands(dmthin, program, end);
  addConfigCommands(dmthin, program, end);
  return dmthin;
}

const ROLE_TEXTS: Readonly<Record<Role, { readonly description: string; readonly more: string }>> = {
  standalone: {
    description: "Run the driver on this machine, without Kubernetes: the CSI services on one unix socket. Needs root.",
    more: "",
  },
  node: {
    description: "Run the driver's part on a node of Kubernetes: its pools and volumes, and the kubelet's CSI socket. Needs root.",
    more: "\nIts pools are the ThinPool objects that select the node.",
  },
  controller: {
    description: "Run the driver's part beside the CSI sidecars of Kubernetes: turns their calls into objects, which the nodes carry out.",
    more: "",
  },
};

function addRole(dmthin: Command, role: Role, { terminal, run }: Program, end: End): void {
  const { description, more } = ROLE_TEXTS[role];
  const file = role === "standalone" ? "dmthin" : role;
  begin(dmthin.command(role), terminal, [`dmthin ${role} --config /etc/dmthin/${file}.yaml`])
    .description(description)
    .option("-c, --config <file>", "configuration, YAML or JSON (required)")
    .addHelpText("after", `${more}\nSIGTERM or SIGINT stops it when its calls have ended; a second one hastens that.`)
    .action(async ({ config }: { readonly config?: string }, command: Command) =>
      end(config === undefined ? command.error("name a configuration file with --config", { exitCode: EXIT_USAGE }) : run(role, config)),
    );
}
