import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { aptAccess, aptReason, debianMirror, ensureProgram } from "../apt.ts";
import { cached, cacheFolder, recipeHash, withCacheLock } from "../cache.ts";
import { checkout } from "../checkout.ts";
import { run } from "../command.ts";
import { step } from "../progress.ts";

/** The image's name in the lab's clusters. */
export const PRODUCT_IMAGE = { repository: "docker.io/library/dmthin", tag: "lab" };

const BASE_IMAGE = "docker.io/library/debian:trixie-slim";
const BASE_SUITE = "trixie";
const KEPT_IMAGES = 2;
/** Each change of the sources leaves a few behind: with more than these all are made anew. */
const KEPT_LAYERS = 100;
/** Where a build finds the certificates that this machine trusts beside the usual ones. */
const AUTHORITIES = "/root/authorities.crt";

/**
 * The image that the Dockerfile makes of this checkout, built for real; again only when something that goes into it has changed.
 * @returns an archive that containerd loads
 */
export async function productImage(): Promise<string> {
  const context = await mkdtemp(join(await cacheFolder(), "image-context.draft-"));
  try {
    await copyContext(context);
    const folder = await cached(`product-image-${await treeHash(context)}`, (draft) =>
      step("building the image from the Dockerfile", () => withCacheLock("buildah", () => build(context, join(draft, "dmthin.tar")))),
    );
    await forgetOthers(basename(folder));
    return join(folder, "dmthin.tar");
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Copied, so that nobody edits what is built. */
async function copyContext(context: string): Promise<void> {
  const lines = (await readFile(join(checkout, ".dockerignore"), "utf8")).split("\n");
  const wanted = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  for (const path of [...wanted, "Dockerfile"]) {
    await mkdir(dirname(join(context, path)), { recursive: true });
    await cp(join(checkout, path), join(context, path), { recursive: true });
  }
}

async function treeHash(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of files.toSorted())
    hash
      .update(file.slice(folder.length))
      .update("\0")
      .update(await readFile(file))
      .update("\0");
  return recipeHash([hash.digest("hex"), BASE_IMAGE]);
}

async function forgetOthers(newest: string): Promise<void> {
  const cache = await cacheFolder();
  const images = (await readdir(cache)).filter((name) => /^product-image-[0-9a-f]+$/.test(name) && name !== newest);
  for (const name of images.slice(0, Math.max(0, images.length + 1 - KEPT_IMAGES))) {
    await rm(join(cache, name), { recursive: true, force: true });
    await rm(join(cache, `${name}.lock`), { force: true });
  }
}

async function build(context: string, archive: string): Promise<void> {
  await ensureProgram("buildah", ["buildah"]);
  const storage = join(await cacheFolder(), "buildah");
  const buildah = (...args: readonly string[]) =>
    run(["env", "BUILDAH_ISOLATION=chroot", "buildah", "--root", storage, "--runroot", join(storage, "run"), ...args]);
  const name = `${PRODUCT_IMAGE.repository}:${PRODUCT_IMAGE.tag}`;
  try {
    await buildah("rm", "--all"); // what a build that was killed was at
    const layers = (await buildah("images", "--all", "--quiet")).trim().split("\n").length;
    if (layers > KEPT_LAYERS) await buildah("rmi", "--all", "--force");
    await ensureBase(buildah, context);
    const mounts = (await npmAccess(context)).flatMap((mount) => ["--volume", mount]);
    // Layers are kept: as long as the dependencies stay the same, only the program is built again.
    await buildah("bud", "--layers", "--pull-never", ...mounts, "--tag", name, context);
    await buildah("push", name, `docker-archive:${archive}:${name}`);
  } catch (cause) {
    throw new Error(`the image cannot be built from the Dockerfile: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The base image as Debian makes it, without a registry of images: the packages of `minbase`. */
async function ensureBase(buildah: (...args: readonly string[]) => Promise<string>, work: string): Promise<void> {
  const there = (await buildah("images", "--quiet", "--filter", `reference=${BASE_IMAGE}`)).trim() !== "";
  if (there) return;
  await ensureProgram("mmdebstrap", ["mmdebstrap", "debian-archive-keyring"]);
  const tree = join(work, "base.tar");
  const mirror = await debianMirror();
  const access = (await aptAccess()).flatMap((option) => ["--aptopt", option]);
  try {
    await run(["mmdebstrap", "--mode=root", "--variant=minbase", ...access, BASE_SUITE, tree, ...(mirror === undefined ? [] : [mirror])]);
  } catch (cause) {
    throw new Error(`the base image cannot be had from Debian ${BASE_SUITE}: ${aptReason(cause)}`, { cause });
  }
  const container = (await buildah("from", "scratch")).trim();
  await buildah("add", container, tree, "/");
  await buildah("config", "--cmd", "bash", container);
  await buildah("commit", "--rm", container, BASE_IMAGE);
  await rm(tree);
}

/** How this machine's npm reaches its registry, as mounts for the steps of the build: nothing of it gets into the image. */
async function npmAccess(work: string): Promise<readonly string[]> {
  const authorities = (await npmSetting("cafile")) ?? process.env["NODE_EXTRA_CA_CERTS"];
  const settings = [`registry=${(await npmSetting("registry")) ?? ""}`, ...(authorities === undefined ? [] : [`cafile=${AUTHORITIES}`])];
  const npmrc = join(work, "npmrc");
  await writeFile(npmrc, `${settings.join("\n")}\n`);
  return [`${npmrc}:/root/.npmrc:ro`, ...(authorities === undefined ? [] : [`${authorities}:${AUTHORITIES}:ro`])];
}

const npmSetting = async (name: string): Promise<string | undefined> =>
  /^(?!undefined|null)(\S+)$/m.exec(await run(["npm", "config", "get", name], { cwd: "/" }))?.[1];
