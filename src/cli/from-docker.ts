import { fromDocker } from "../config/docker-daemon.ts";
import type { Terminal } from "./terminal.ts";

/** Prints the configuration that Docker's daemon.json amounts to; what was left out is said on `error`. */
export async function printFromDocker(file: string, { output, error }: Terminal): Promise<number> {
  const { yaml, warnings } = await fromDocker(file);
  for (const warning of warnings) error.write(`dmthin: ${warning}\n`);
  output.write(yaml);
  return 0;
}
