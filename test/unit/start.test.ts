import { fileURLToPath } from "node:url";
import { expect, jest, test } from "@jest/globals";
import { build } from "esbuild";

jest.setTimeout(60_000); // programs of their own, on a machine that has other work
const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
/** Of node_modules, what every command may load: that of src/cli. */
const LOADED_BY_ALL = /^(@colors\/colors|ansi-regex|cli-table3|commander|emoji-regex|is-fullwidth-code-point|string-width|strip-ansi)$/;

/** What a module needs before its first line runs. */
function loadedWith(
  start: string,
  inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string; readonly kind: string }[] }>>,
): readonly string[] {
  const loaded = new Set([start]);
  for (const path of loaded) {
    for (const { path: imported, kind } of inputs[path]?.imports ?? []) if (kind !== "dynamic-import" && inputs[imported] !== undefined) loaded.add(imported);
  }
  return [...loaded];
}

const packageOf = (path: string): readonly string[] => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.slice(1) ?? [];

test("a command is waited for: it loads what it needs when it needs it, and none of the driver's libraries with main.ts", async () => {
  const { metafile } = await build({
    absWorkingDir: CHECKOUT,
    entryPoints: ["src/main.ts"],
    outdir: "nowhere",
    write: false,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    external: ["koffi"],
    metafile: true,
    logLevel: "error",
  });
  const packages = new Set(loadedWith("src/main.ts", metafile.inputs).flatMap(packageOf));
  expect(packages).toContain("commander");
  expect([...packages].filter((name) => !LOADED_BY_ALL.test(name))).toEqual([]);
});
