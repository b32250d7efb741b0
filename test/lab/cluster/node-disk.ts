import { basename, join } from "node:path";
import { cached, recipeHash } from "../cache.ts";
import { Disk } from "../disk.ts";
import { step } from "../progress.ts";
import { startGuest } from "../start.ts";
import type { ClusterTools } from "./tools.ts";

const SIZE = "12G";
const LIMIT_SECONDS = 600;

/**
 * A file with the disk that every node begins with a copy of: containerd's store, with images loaded. Loading takes a guest
 * long, so it is done once.
 * @param archives those that change seldom; the paths say what they hold
 * @param more those that change often, loaded on top
 */
export async function nodeDisk(tools: ClusterTools, archives: readonly string[], more: readonly string[] = []): Promise<string> {
  const begun = await loaded(tools, archives, undefined);
  return more.length === 0 ? begun : loaded(tools, more, begun);
}

async function loaded(tools: ClusterTools, archives: readonly string[], begun: string | undefined): Promise<string> {
  const name = `node-disk-${recipeHash([SIZE, basename(tools.debian), begun, archives])}`;
  const folder = await cached(name, (draft) =>
    step(`loading ${archives.map((file) => basename(file)).join(", ")}`, () => load(tools, archives, begun, join(draft, "disk"))),
  );
  return join(folder, "disk");
}

async function load(tools: ClusterTools, archives: readonly string[], begun: string | undefined, file: string): Promise<void> {
  using disk = await (begun === undefined ? Disk.create(SIZE) : Disk.copyOf(begun));
  await using guest = await startGuest({
    command: ["sh", "test/lab/guest/load-images.sh"],
    environment: { NODE_DISK: "/dev/ubdb", NODE_IMAGES: archives.join(" "), NODE_DEBIAN: tools.debian },
    disks: [disk],
  });
  const timer = setTimeout(() => void guest.kill(), LIMIT_SECONDS * 1000);
  const code = await guest.exit;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the images cannot be loaded (${code}): ${guest.output}\n${guest.kernelLog.slice(-2000)}`);
  await disk.saveTo(file);
}
