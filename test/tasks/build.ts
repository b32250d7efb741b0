import { statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { build, type OutputFile, type Plugin } from "esbuild";
import { checkout } from "../lab/checkout.ts";

/** In pieces: a command is waited for, and reads only what it needs of them. */
const MAIN = { main: "src/main.ts" };

/** What a thread starts from, and what is loaded by its path, each in one file; src/linux/worker-entry.ts names the workers. */
const WHOLE = {
  "blocking-worker": "src/linux/blocking-worker.ts",
  "pool-worker": "src/pool/worker/pool-worker.ts",
  metrics: "src/metrics/metrics.ts", // only read where metrics are wanted
};

/** What the driver runs as it is, from beside itself. */
const BESIDE = ["src/pool/dead-man.sh"];

/** CommonJS dependencies find their `require` in an ES module by this. */
const REQUIRE = 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);';

/**
 * An ES module's import of node:http reads all that it exports, and with that loads Node's whole fetch, which nothing here
 * uses: 20 ms and 10 MiB of each process. A require does not.
 */
const HTTP: Plugin = {
  name: "node:http by require",
  setup: (builder) => {
    builder.onResolve({ filter: /^node:http$/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "required" } : { path, external: true },
    );
    builder.onLoad({ filter: /^/, namespace: "required" }, ({ path }) => ({ contents: `module.exports = require(${JSON.stringify(path)});` }));
  },
};

const OLD_MS = 3_600_000;

/** In one step: a driver may be running from the same checkout, in another guest. */
async function replace(path: string, contents: Uint8Array, mode: number): Promise<void> {
  const made = `${path}.${process.pid}.being-made`;
  await writeFile(made, contents, { mode });
  await rename(made, path);
}

/** `npm run build`; where else a bundle is to lie is its argument. */
const dist = process.argv[2] ?? join(checkout, "dist");
const start = Date.now();

/** A process that has begun may still read a piece that is not made any more. */
const isOld = (path: string): boolean => start - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? start) > OLD_MS;

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
    plugins: [HTTP],
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
for (const name of await readdir(dist)) if (!files.has(name) && isOld(join(dist, name))) await rm(join(dist, name), { recursive: true, force: true });
process.stdout.write(`${join(relative(checkout, dist), START)}: built in ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
