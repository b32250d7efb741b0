import { Command, CommanderError } from "commander";
import { DEFAULT_ADMIN_SOCKET } from "../config/standalone.ts";
import { DmthinError } from "../errors.ts";
import { checkConfig, printExample } from "./config.ts";
import { info, type AskDriver } from "./info.ts";
import type { Terminal } from "./terminal.ts";

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

export interface Program {
  readonly version: string;
  readonly terminal: Terminal;
  readonly askDriver: AskDriver;
  /** Runs the driver until it is told to stop; answers the exit code. */
  readonly standalone: (configFile: string) => Promise<number>;
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

function describe({ version, terminal, askDriver, standalone }: Program, end: (ending: number | Promise<number>) => Promise<void>): Command {
  const dmthin = begin(new Command("dmthin"), terminal, [
    "dmthin config example > dmthin.yaml",
    "dmthin config check dmthin.yaml",
    "dmthin standalone --config dmthin.yaml",
    "dmthin info",
  ])
    .description("Thin-provisioned local volumes on the kernel's device-mapper, by CSI.")
    .version(version, "-V, --version", "print the version");

  begin(dmthin.command("standalone"), terminal, ["dmthin standalone --config /etc/dmthin/dmthin.yaml"])
    .description("Run the driver on this machine, without Kubernetes: the CSI services on one unix socket. Needs root.")
    .option("-c, --config <file>", "configuration, YAML or JSON (required)")
    .addHelpText("after", "\nSIGTERM or SIGINT stops it when its calls have ended; a second one hastens that.")
    .action(async ({ config }: { readonly config?: string }, command: Command) =>
      end(config === undefined ? command.error("name a configuration file with --config", { exitCode: EXIT_USAGE }) : standalone(config)),
    );

  begin(dmthin.command("info"), terminal, ["dmthin info", "dmthin info --json | jq '.pools[].figures.data'"])
    .description("Print the pools of the driver that runs on this machine.")
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .option("--json", "print JSON, sizes in bytes", false)
    .action(async ({ socket, json }: { readonly socket: string; readonly json: boolean }) =>
      end(info({ socket: socket.replace(/^unix:(?:\/\/)?(?=\/)/, ""), json }, askDriver, terminal)),
    );

  const config = begin(dmthin.command("config"), terminal, ["dmthin config example > dmthin.yaml", "dmthin config check dmthin.yaml"]).description(
    "Write and check configuration files.",
  );
  begin(config.command("check"), terminal, ["dmthin config check dmthin.yaml"])
    .argument("<file>", "configuration, YAML or JSON")
    .description("Say everything that is wrong with a configuration file. Exit code 1 if anything is.")
    .action(async (file: string) => end(checkConfig(file, terminal)));
  begin(config.command("example"), terminal, ["dmthin config example > dmthin.yaml"])
    .description("Print a configuration to start from, with comments.")
    .action(async () => end(printExample(terminal)));
  return dmthin;
}

/** What all commands share: no exit by themselves, bad usage in one sentence, help with examples. */
function begin(command: Command, { output, error }: Terminal, examples: readonly string[]): Command {
  const path = (): string => [...parents(command), command.name()].join(" ");
  return command
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .addHelpText("after", () => ["", "Examples:", ...examples.map((line) => `  ${line}`)].join("\n"))
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: (text) => error.write(text),
      outputError: (text, write) => write(`dmthin: ${oneSentence(text)}; see "${path()} --help"\n`),
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    });
}

const parents = (command: Command): readonly string[] => (command.parent === null ? [] : [...parents(command.parent), command.parent.name()]);
const oneSentence = (text: string): string =>
  text
    .replace(/^error: /, "")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "");
