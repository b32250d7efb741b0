import { join } from "node:path";
import { cached } from "../lab/cache.ts";
import { run } from "../lab/command.ts";
import { step } from "../lab/progress.ts";
import { findGo } from "./go.ts";

export const VERSION = "5.6.0";
const PACKAGE = `github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity@v${VERSION}`;

/** csi-sanity's path in the cache; the first call builds it (about half a minute). */
export async function csiSanity(): Promise<string> {
  const folder = await cached(`csi-sanity-${VERSION}`, (draft) => step(`building csi-sanity ${VERSION}`, () => build(draft)));
  return join(folder, "csi-sanity");
}

async function build(folder: string): Promise<void> {
  const go = await findGo();
  await run(go(["install", "-trimpath", "-ldflags=-s -w", PACKAGE], [`GOBIN=${folder}`])).catch((cause: unknown) => {
    throw new Error(`csi-sanity ${VERSION} cannot be built: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}
