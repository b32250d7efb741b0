import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** Told the exit code of the command that ran, or its promise. */
export type End = (ending: number | Promise<number>) => Promise<void>;

/** What all commands share: no exit by themselves, bad usage in one sentence, help with examples. */
export function begin(command: Command, { output, error }: Terminal, examples: readonly string[]): Command {
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
