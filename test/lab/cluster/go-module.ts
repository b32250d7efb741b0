import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { findGo, type Go } from "../../conformance/go.ts";
import { cached, cacheFolder, recipeHash } from "../cache.ts";
import { run } from "../command.ts";
import { step } from "../progress.ts";

/** Programs that are built together, from one module of our own that asks for theirs. */
export interface GoBuild {
  /** For people: what is built. */
  readonly title: string;
  /** Packages with a main function and their versions, `["k8s.io/kubernetes/cmd/kubelet", "1.36.3"]`. */
  readonly packages: readonly (readonly [path: string, version: string])[];
  /** Flags of the linker, beside those that strip. */
  readonly linkerFlags?: string;
  /** Takes the place of modules that Kubernetes asks for at a version that is only in its own repository. */
  readonly kubernetesLibraries?: string;
}

/** From this one on `go.mod` may name tools. Go fetches that toolchain by itself. */
const GO_VERSION = "1.26.0";

/**
 * Builds Go programs into a folder of the cache; minutes the first time.
 * @returns each program's path, by its name
 */
export async function goPrograms(build: GoBuild): Promise<ReadonlyMap<string, string>> {
  const names = build.packages.map(([path]) => basename(path));
  const folder = await cached(`go-${names[0]}-${recipeHash([GO_VERSION, build])}`, (draft) => buildInto(draft, build));
  return new Map(names.map((name) => [name, join(folder, name)]));
}

async function buildInto(folder: string, { title, packages, linkerFlags = "", kubernetesLibraries }: GoBuild): Promise<void> {
  const go = await findGo();
  const work = await mkdtemp(join(await cacheFolder(), "go-module.draft-"));
  try {
    const replaced = kubernetesLibraries === undefined ? [] : await publishedLibraries(go, kubernetesLibraries);
    await writeFile(join(work, "go.mod"), ["module tools", `go ${GO_VERSION}`, ...replaced, ""].join("\n"));
    await step(`fetching the modules of ${title}`, () => run(go(["get", "-tool", ...packages.map(([path, version]) => `${path}@v${version}`)]), { cwd: work }));
    await mkdir(folder, { recursive: true });
    for (const [path, version] of packages) {
      await step(`building ${basename(path)} ${version}`, () =>
        run(go(["build", "-trimpath", "-ldflags", `-s -w ${linkerFlags}`, "-o", `${folder}/`, path]), { cwd: work }),
      );
    }
  } catch (cause) {
    throw new Error(`${title} cannot be built: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** k8s.io/kubernetes asks for its own libraries at v0.0.0: lines for go.mod that say which published version each is. */
async function publishedLibraries(go: Go, version: string): Promise<readonly string[]> {
  const { GoMod: file } = JSON.parse(await run(go(["mod", "download", "-json", `k8s.io/kubernetes@v${version}`]), { cwd: "/" })) as { readonly GoMod: string };
  const { Require: required } = JSON.parse(await run(go(["mod", "edit", "-json", file]), { cwd: "/" })) as { readonly Require: readonly Requirement[] };
  return required.filter(({ Version }) => Version === "v0.0.0").map(({ Path }) => `replace ${Path} => ${Path} v0.${version.replace(/^1\./, "")}`);
}

interface Requirement {
  readonly Path: string;
  readonly Version: string;
}

/** A module's sources, unpacked by Go itself. */
export async function goModuleFolder(module: string, version: string): Promise<string> {
  const go = await findGo();
  const { Dir: folder } = JSON.parse(await run(go(["mod", "download", "-json", `${module}@v${version}`]), { cwd: "/" })) as { readonly Dir: string };
  return folder;
}
