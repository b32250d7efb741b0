import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type OutputFile } from "esbuild";
import { checkout } from "../lab/checkout.ts";

/** In pieces: a command is waited for, and reads only what it needs of them. */
const MAIN = { main: "src/main.ts" };

/** What a thread starts from, and what is loaded by its path, each in one file; src/linux/worker-entry.ts names the workers. */
const WHOLE = {
  "blocking-worker": "src/linux/blocking-worker.ts",
  "pool-worker": "src/pool/pool-worker.ts",
  metrics: "src/metrics/metrics.ts", // only read where metrics are wanted
};

/** What the driver runs as it is, from beside itself. */
const BESIDE = ["src/pool/dead-man.sh"];

/** CommonJS dependencies find their `require` in an ES module by this. */
const REQUIRE = 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);';

const BEING_MADE = ".being-made";

/** In one step: a driver may be running from the same checkout, in another guest. */
async function replace(path: string, contents: Uint8Array, mode: number): Promise<void> {
  const made = `${path}.${process.pid}${BEING_MADE}`;
  await writeFile(made, contents, { mode });
  await rename(made, path);
}

const dist = join(checkout, "dist");
const start = Date.now();

async function bundle(entryPoints: Readonly<Record<string, string>>, splitting: boolean): Promise<readonly OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: checkout,
    entryPoints,
    splitting,
    outdir: dist,
    write: false,
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
  return outputFiles;
}

const outputFiles = await Promise.all([bundle(MAIN, true), bundle(WHOLE, false)]);
const files = new Map([
  ...outputFiles.flat().map(({ path, contents }) => [basename(path), contents] as const),
  ...(await Promise.all(BESIDE.map(async (path) => [basename(path), await readFile(join(checkout, path))] as const))),
]);
await mkdir(dist, { recursive: true });
const START = "main.js"; // comes last, when there is all that it names; names Node and its flags itself
for (const [name, contents] of [...files].toSorted(([left], [right]) => Number(left === START) - Number(right === START)))
  await replace(join(dist, name), contents, name === START ? 0o755 : 0o644);
for (const name of await readdir(dist)) if (!files.has(name) && !name.endsWith(BEING_MADE)) await rm(join(dist, name), { recursive: true });
process.stdout.write(`dist/main.js: built in ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
