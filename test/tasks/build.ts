import { chmod, copyFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { checkout } from "../lab/checkout.ts";

/** Every file that a process or a thread starts from; src/linux/worker-entry.ts names the workers. */
const ENTRIES = {
  main: "src/main.ts",
  "blocking-worker": "src/linux/blocking-worker.ts",
  "pool-worker": "src/pool/pool-worker.ts",
  metrics: "src/metrics/metrics.ts", // only read where metrics are wanted
};

/** What the driver runs as it is, from beside itself. */
const BESIDE = ["src/pool/dead-man.sh"];

/** CommonJS dependencies find their `require` in an ES module by this. */
const REQUIRE = 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);';

const dist = join(checkout, "dist");
const start = Date.now();
await rm(dist, { recursive: true, force: true });
await build({
  absWorkingDir: checkout,
  entryPoints: ENTRIES,
  outdir: dist,
  bundle: true,
  platform: "node",
  target: "node26",
  format: "esm",
  sourcemap: "linked",
  minifyWhitespace: true, // the source text stays in memory; names stay, for stack traces
  minifySyntax: true,
  external: ["koffi"], // its binary cannot be bundled
  banner: { js: REQUIRE },
  logLevel: "warning",
});
await chmod(join(dist, "main.js"), 0o755); // its first line names Node and its flags
for (const file of BESIDE) await copyFile(join(checkout, file), join(dist, basename(file)));
process.stdout.write(`dist/main.js: built in ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
