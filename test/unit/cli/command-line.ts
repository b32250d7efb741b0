import { PassThrough } from "node:stream";
import { runCommand, type Program } from "../../../src/cli/program.ts";

export interface Result {
  readonly code: number;
  readonly output: string;
  readonly error: string;
  /** The roles and files that the driver was started with. */
  readonly started: readonly string[];
}

const read = (stream: PassThrough): Buffer | null => stream.read() as Buffer | null;

/** All that was written so far. */
function text(stream: PassThrough): string {
  const chunks: string[] = [];
  for (let chunk = read(stream); chunk !== null; chunk = read(stream)) chunks.push(chunk.toString());
  return chunks.join("");
}

const nobody = async () => Promise.reject(new Error("nobody is there to be asked"));

/** A command line to its end, with what a test puts in the place of drivers and disks. */
export async function runLine(argv: readonly string[], parts: Partial<Omit<Program, "terminal" | "run">> = {}): Promise<Result> {
  const [output, error] = [new PassThrough(), new PassThrough()];
  const started: string[] = [];
  const run: Program["run"] = async (role, file) => {
    started.push(`${role} ${file}`);
    return 7;
  };
  const code = await runCommand(argv, {
    version: "1.2.3",
    terminal: { output, error },
    askDriver: nobody,
    askUpkeep: nobody,
    askVolumes: nobody,
    untilInterrupted: () => AbortSignal.abort(),
    ask: async () => undefined,
    offline: nobody,
    examine: nobody,
    cluster: nobody,
    ...parts,
    run,
  });
  return { code, output: text(output), error: text(error), started };
}
