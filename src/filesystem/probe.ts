import type { Run } from "../exec/run.ts";
import type { Probed } from "./filesystems.ts";

const NOTHING_KNOWN = 2;
const AMBIVALENT = 8;
const DEADLINE_MS = 30_000;

/** Reads the device past blkid's cache. */
export async function probe(run: Run, device: string, signal: AbortSignal | undefined): Promise<Probed | undefined> {
  const { stdout, exitCode } = await run(["blkid", "-p", "-o", "export", device], {
    signal,
    deadlineMs: DEADLINE_MS,
    okExitCodes: [0, NOTHING_KNOWN, AMBIVALENT],
  });
  return parseProbe(stdout, exitCode);
}

/**
 * The device-level answer of `blkid -p -o export`: NAME=value a line. A partition table is named only where there is no
 * filesystem, since a boot sector within one looks like a table too. Source: blkid(8), "EXIT STATUS".
 */
export function parseProbe(stdout: string, exitCode: number): Probed | undefined {
  if (exitCode === AMBIVALENT) return { type: "several filesystems at once", uuid: undefined };
  const values = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).replaceAll(/\\(.)/g, "$1"));
  }
  const type = values.get("TYPE") ?? (values.has("PTTYPE") ? "partition table" : undefined);
  return type === undefined ? undefined : { type, uuid: values.get("UUID") };
}
