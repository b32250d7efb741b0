import type { Run } from "../exec/run.ts";

const DEADLINE_MS = 60_000;

/**
 * Everything that libblkid recognises on a device, where one probe tells only the first: "ext4", "gpt", "PMBR", "swap",
 * "LVM2_member", "linux_raid_member". None is no proof that it holds nothing. Source: wipefs(8).
 */
export async function recognisedOn(run: Run, device: string): Promise<readonly string[]> {
  const { stdout } = await run(["wipefs", "--no-act", "--json", "--output", "TYPE", device], { deadlineMs: DEADLINE_MS });
  return parseSignatures(stdout);
}

/** Nothing recognised is no output at all. */
function parseSignatures(stdout: string): readonly string[] {
  if (stdout.trim() === "") return [];
  const { signatures } = JSON.parse(stdout) as { readonly signatures: readonly { readonly type: string }[] };
  return [...new Set(signatures.map(({ type }) => type))];
}

/** Makes a device unrecognisable, partition tables' copies included; `but`: except for this type. */
export async function wipeSignatures(run: Run, device: string, but?: string): Promise<void> {
  await run(["wipefs", "--all", "--force", ...(but === undefined ? [] : ["--types", `no${but}`]), device], { deadlineMs: DEADLINE_MS });
}
