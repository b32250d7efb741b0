import type { AccessType } from "../catalog/records.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import { invalid } from "./invalid.ts";

/**
 * In a pool that does not zero its chunks a volume begins with what others have deleted. Nobody may read that: so it has to
 * be a filesystem, which shows zeros where it has written nothing, what fallocate reserves included, and one that keeps to
 * that when it loses its power. Throws "invalid-argument".
 */
export function requireHiding(
  { name, zeroNewBlocks }: Pick<PoolDescription, "name" | "zeroNewBlocks">,
  use: { readonly access: AccessType; readonly mountFlags: readonly string[]; readonly mkfsOptions?: readonly string[] },
): void {
  if (zeroNewBlocks) return;
  const shown = whatShows(use);
  if (shown === undefined) return;
  throw invalid(`pool ${name} does not zero its chunks (zeroNewBlocks: false), and ${shown} would show what others have deleted: use a pool that zeroes them`);
}

/** ext4 writes data before it makes it a file's, unless it is told not to; the other filesystems cannot be told. Source: ext4(5), mke2fs(8). */
const SHOWING_FLAG = "data=writeback";
const SHOWING_OPTIONS = /\^has_journal|journal_data_writeback|data=writeback|assume_storage_prezeroed|-O\s*\S*\bnone\b/;

function whatShows({ access, mountFlags, mkfsOptions = [] }: Parameters<typeof requireHiding>[1]): string | undefined {
  if (access === "block") return "a raw block volume";
  if (mountFlags.some((flags) => flags.split(",").includes(SHOWING_FLAG))) return `the mount option ${SHOWING_FLAG}, after a loss of power,`;
  const [option] = SHOWING_OPTIONS.exec(mkfsOptions.join(" ")) ?? [];
  return option === undefined ? undefined : `the mkfs option ${option}, after a loss of power,`;
}
