import { spawnSync } from "node:child_process";
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout, nodeBinary } from "../lab/checkout.ts";

const BUILD_MS = 120_000;

/**
 * Jest runs it before a project's tests: a bundle of the sources as they are now, which nobody else replaces meanwhile. It
 * starts four times as fast as the sources. BUNDLE in driver.ts finds it by the environment, as does this where there is one.
 */
export default function makeBundle(): void {
  process.env["DMTHIN_BUNDLE"] ??= bundleInto(mkdtempSync(join(tmpdir(), "dmthin-bundle-")));
}

/** For a guest it is made before it starts: esbuild takes more memory than a process should have there (jest.ts). Answers the program's path. */
export function bundleInto(folder: string): string {
  const { status, stderr, error } = spawnSync(nodeBinary, ["--disable-warning=ExperimentalWarning", join(checkout, "test/tasks/build.ts"), folder], {
    encoding: "utf8",
    timeout: BUILD_MS,
  });
  if (status !== 0) throw error ?? new Error(`the sources cannot be bundled:\n${stderr}`);
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  return join(folder, "main.js");
}
