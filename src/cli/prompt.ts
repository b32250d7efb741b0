import { createInterface } from "node:readline/promises";

/** Asks who sits before the terminal; undefined: nobody does. Only a clear yes is one: Ctrl-C and Ctrl-D are a no, as is a terminal that goes away. */
export async function ask(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  terminal.once("close", () => closed.abort());
  try {
    return /^\s*y(es)?\s*$/i.test(await terminal.question(`${question} [y/N] `, { signal: closed.signal }));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ABORT_ERR")) throw error;
    process.stderr.write("\n");
    return false;
  } finally {
    terminal.close();
  }
}
