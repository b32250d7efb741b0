import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findGo } from "../conformance/go.ts";
import { cached, recipeHash } from "../lab/cache.ts";
import { run } from "../lab/command.ts";
import { step } from "../lab/progress.ts";

export const VERSION = "3.15.0";
const MODULE = "github.com/prometheus/prometheus";
/** A Go module's own counting of the same. */
const MODULE_VERSION = "v0.315.0";
/** Without the clients of every cloud, which rules have no use for. */
const TAGS = "remove_all_sd";

/** promtool's path in the cache; the first call builds it (a minute or two). */
export async function promtool(): Promise<string> {
  const name = `promtool-${VERSION}-${recipeHash([MODULE_VERSION, TAGS])}`;
  return join(await cached(name, (draft) => step(`building promtool ${VERSION}`, () => build(draft))), "promtool");
}

/** In a module of its own: `go install` refuses one that replaces others. */
async function build(folder: string): Promise<void> {
  const go = await findGo();
  await writeFile(join(folder, "go.mod"), `module promtool\n\ngo 1.24\n\nrequire ${MODULE} ${MODULE_VERSION}\n`);
  const args = ["build", "-C", folder, "-mod=mod", "-trimpath", "-ldflags=-s -w", "-tags", TAGS, "-o", join(folder, "promtool"), `${MODULE}/cmd/promtool`];
  await run(go(args)).catch((cause: unknown) => {
    throw new Error(`promtool ${VERSION} cannot be built: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}
