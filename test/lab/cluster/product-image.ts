import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { cached, cacheFolder, recipeHash, withCacheLock } from "../cache.ts";
import { checkout } from "../checkout.ts";
import { run } from "../command.ts";
import { step } from "../progress.ts";
import { BASE_IMAGES, nameBaseImages, openBuildah, OWN_ARCHITECTURE, tidy, type Architecture } from "./buildah.ts";

/** The image's name in the lab's clusters. */
export const PRODUCT_IMAGE = { repository: "docker.io/library/dmthin", tag: "lab" };

const KEPT_IMAGES = 2;
/** The image's name of an architecture that is not this machine's. */
export const imageName = (architecture: Architecture): string =>
  `${PRODUCT_IMAGE.repository}:${PRODUCT_IMAGE.tag}${architecture === OWN_ARCHITECTURE ? "" : `-${architecture}`}`;

/** Where a build finds the certificates that this machine trusts beside the usual ones. */
const AUTHORITIES = "/root/authorities.crt";

/**
 * The image that the Dockerfile makes of this checkout, built for real; again only when something that goes into it has changed.
 * One of another architecture needs a machine that runs its programs (`withArm64Programs`).
 * @returns an archive that containerd and Docker load
 */
export async function productImage(architecture = OWN_ARCHITECTURE): Promise<string> {
  const context = await mkdtemp(join(await cacheFolder(), "image-context.draft-"));
  try {
    await copyContext(context);
    const kind = `product-image-${architecture}-`;
    const folder = await cached(`${kind}${await treeHash(context)}`, (draft) =>
      step(`building the image from the Dockerfile (${architecture})`, () =>
        withCacheLock("buildah", () => build(context, architecture, join(draft, "dmthin.tar"))),
      ),
    );
    await forgetOthers(kind, basename(folder));
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
  return recipeHash([hash.digest("hex"), BASE_IMAGES]);
}

async function forgetOthers(kind: string, newest: string): Promise<void> {
  const cache = await cacheFolder();
  const images = (await readdir(cache)).filter((name) => name.startsWith(kind) && /^[0-9a-f]+$/.test(name.slice(kind.length)) && name !== newest);
  for (const name of images.slice(0, Math.max(0, images.length + 1 - KEPT_IMAGES))) {
    await rm(join(cache, name), { recursive: true, force: true });
    await rm(join(cache, `${name}.lock`), { force: true });
  }
}

async function build(context: string, architecture: Architecture, archive: string): Promise<void> {
  try {
    const buildah = await openBuildah();
    await tidy(buildah);
    await nameBaseImages(buildah, architecture);
    const mounts = (await npmAccess(context)).flatMap((mount) => ["--volume", mount]);
    const name = imageName(architecture);
    // Layers are kept: as long as the dependencies stay the same, only the program is built again. Not --platform: with that,
    // buildah 1.28 looks for the first stage's base among the image's architecture too.
    await buildah("bud", "--layers", "--pull-never", "--build-arg", `TARGETARCH=${architecture}`, ...mounts, "--tag", name, context);
    await buildah("push", name, `docker-archive:${archive}:${name}`);
  } catch (cause) {
    throw new Error(`the image cannot be built from the Dockerfile: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
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
