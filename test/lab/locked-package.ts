import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/**
 * Puts a package of package-lock.json into node_modules, of whatever architecture it is: npm leaves out what is not for its own, and
 * only newer ones can be told otherwise. One that is there stays.
 * @param fetch writes the package's archive into a folder
 * @throws Error when the lock file does not have it, it cannot be fetched, or it is not what the lock file says
 */
export function putLockedPackage(folder: string, name: string, fetch = pack): void {
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as LockFile;
  const { version, integrity } = packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json has no ${name}: npm install --save-optional ${name} adds it`);
  const target = join(folder, "node_modules", name);
  if (isInstalled(target, version)) return;
  mkdirSync(dirname(target), { recursive: true });
  const draft = mkdtempSync(join(folder, "node_modules", ".draft-"));
  try {
    fetch(`${name}@${version}`, draft);
    const [file] = readdirSync(draft);
    if (file === undefined) throw new Error(`npm fetched no ${name}@${version}`);
    const archive = readFileSync(join(draft, file));
    const [algorithm = ""] = integrity.split("-");
    const found = `${algorithm}-${createHash(algorithm).update(archive).digest("base64")}`;
    if (found !== integrity) throw new Error(`${name}@${version} is not what package-lock.json says: it is ${found}, and should be ${integrity}`);
    const tree = join(draft, "tree");
    mkdirSync(tree);
    program("tar", ["--extract", "--gzip", "--strip-components=1", "--no-same-owner", `--file=${join(draft, file)}`, `--directory=${tree}`], folder);
    rmSync(target, { recursive: true, force: true });
    renameSync(tree, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function isInstalled(target: string, version: string): boolean {
  try {
    return (JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as { readonly version?: string }).version === version;
  } catch {
    return false;
  }
}

const pack = (specification: string, folder: string): void => program("npm", ["pack", "--silent", "--pack-destination", folder, specification], folder);

function program(file: string, args: readonly string[], cwd: string): void {
  const { status, error, stderr } = spawnSync(file, args, { cwd, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}
