import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Copies what a folder holds; the answered function puts that in the place of what it holds then. */
export function keepFolder(folder: string, copy: string): () => void {
  cpSync(folder, copy, { recursive: true });
  return () => putBack(folder, copy);
}

/** What a folder holds gives way to what another holds. The folder itself may be where something is mounted. */
export function putBack(folder: string, copy: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  cpSync(copy, folder, { recursive: true });
}
