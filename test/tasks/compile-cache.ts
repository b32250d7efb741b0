import { spawnSync } from "node:child_process";
import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * `compile-cache.ts FOLDER`: compiles the program in the folder, and leaves Node's code cache of it in FOLDER/compile-cache,
 * where it is found by NODE_COMPILE_CACHE. It holds for this version of Node, for the program's own flags, and for processors
 * with the features of this one: elsewhere the program is compiled as it starts, as it is without.
 */
const [folder = ""] = process.argv.slice(2);
const cache = join(folder, "compile-cache");
const env = { ...process.env, NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: "1" };
const main = join(folder, "main.js");

function compile(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  if (status !== 0) throw error ?? new Error(`node ${args.join(" ")}: ${stderr}`);
}

/** As the program's first line has them: V8 takes no cache that was made with others. */
async function nodeFlags(): Promise<readonly string[]> {
  const [first = ""] = (await readFile(main, "utf8")).split("\n", 1);
  const [, flags] = / node (.*)$/.exec(first) ?? [];
  if (flags === undefined) throw new Error(`${main} does not begin with a line that starts node: ${first}`);
  return flags.split(" ");
}

const flags = await nodeFlags();
await rm(cache, { recursive: true, force: true });
// What is loaded does nothing: a worker's file knows that it is in no worker. Files of kubeconfig are read outside of images alone.
const pieces = (await readdir(folder)).filter((name) => name.endsWith(".js") && name !== "main.js" && !name.startsWith("kubeconfig"));
const imports = pieces.map((name) => `await import(${JSON.stringify(join(folder, name))});`).join("\n");
compile(...flags, "--input-type=module", "--eval", imports);
compile(...flags, main, "--help");

const made = await readdir(cache, { recursive: true, withFileTypes: true });
const files = made.filter((entry) => entry.isFile());
if (files.length <= pieces.length) throw new Error(`${cache} has ${files.length} files for ${pieces.length + 1} pieces of the program`);
// The controller is not root.
for (const { parentPath, name } of files) await chmod(join(parentPath, name), 0o644);
process.stdout.write(`${cache}: ${files.length} pieces compiled\n`);
