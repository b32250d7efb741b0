import { JEST_WORDS, testCommand, type Part } from "./test-command.ts";

/** What the pools of a test command lie on: two devices, or a whole disk under LVM, named as the driver's own configuration has them. */
export const BACKINGS = ["devices", "directLvm"] as const;
export type TestedBacking = (typeof BACKINGS)[number];

export interface Asked {
  /** Everything there is on this backing, and nothing else; undefined: what the command runs by itself. */
  readonly backing: TestedBacking | undefined;
  /** For jest. */
  readonly args: readonly string[];
}

const OPTION = "--backing";
const OWN_OPTIONS = ` ${OPTION} ${BACKINGS.join("|")}: all that needs a real kernel with pools on that, and nothing else.`;

/** A test command that runs guests, in parts that depend on what is asked. */
export async function backingCommand(parts: (asked: Asked) => readonly Part[]): Promise<void> {
  const asked = backingOption(process.argv.slice(2));
  if ("refused" in asked) {
    process.stderr.write(`${asked.refused}\n`);
    process.exitCode = 2;
  } else await testCommand(parts(asked), { root: true, words: `${JEST_WORDS}${OWN_OPTIONS}` });
}

/** Takes `--backing NAME` from the words that a command was given. */
export function backingOption(given: readonly string[]): Asked | { readonly refused: string } {
  const at = given.findIndex((word) => word === OPTION || word.startsWith(`${OPTION}=`));
  const [word, next] = at === -1 ? [] : given.slice(at);
  if (word === undefined) return { backing: undefined, args: given };
  const isOneWord = word !== OPTION;
  const name = isOneWord ? word.slice(OPTION.length + 1) : next;
  const backing = BACKINGS.find((known) => known === name);
  if (backing === undefined) return { refused: `${OPTION} takes ${BACKINGS.join(" or ")}${name === undefined ? "" : `, not "${name}"`}.` };
  return { backing, args: given.toSpliced(at, isOneWord ? 1 : 2) };
}
