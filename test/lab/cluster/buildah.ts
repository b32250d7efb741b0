import { join } from "node:path";
import { aptAccess, aptReason, debianMirror, ensureProgram } from "../apt.ts";
import { cached, cacheFolder, recipeHash } from "../cache.ts";
import { run } from "../command.ts";
import { step } from "../progress.ts";

/** As container images call them. */
export type Architecture = "amd64" | "arm64";

export const OWN_ARCHITECTURE: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** Runs buildah on the lab's own storage; under the lock "buildah" alone. */
export type Buildah = (...args: readonly string[]) => Promise<string>;

/** What the Dockerfile begins with: its first stage on this machine's architecture, its last one on the image's. */
export const BASE_IMAGES = { build: "docker.io/library/debian:trixie", final: "docker.io/library/debian:trixie-slim" };

const SUITE = "trixie";
const BASE = "localhost/lab-base";
/** Each change of the sources leaves a few behind: with more than these all are made anew. */
const KEPT_LAYERS = 100;

/** @throws Error one sentence when there is no buildah and it cannot be installed */
export async function openBuildah(): Promise<Buildah> {
  await ensureProgram("buildah", ["buildah"]);
  const storage = join(await cacheFolder(), "buildah");
  return (...args) => run(["env", "BUILDAH_ISOLATION=chroot", "buildah", "--root", storage, "--runroot", join(storage, "run"), ...args]);
}

/** Removes what builds that were killed were at, and all layers once there are many. */
export async function tidy(buildah: Buildah): Promise<void> {
  await buildah("rm", "--all");
  const layers = (await buildah("images", "--all", "--quiet")).trim().split("\n").length;
  if (layers > KEPT_LAYERS) await buildah("rmi", "--all", "--force");
}

/** Gives the names in the Dockerfile to Debian as Debian makes it: no registry of images is needed. */
export async function nameBaseImages(buildah: Buildah, architecture: Architecture): Promise<void> {
  await buildah("tag", await baseImage(buildah, OWN_ARCHITECTURE), BASE_IMAGES.build);
  await buildah("tag", await baseImage(buildah, architecture), BASE_IMAGES.final);
}

async function baseImage(buildah: Buildah, architecture: Architecture): Promise<string> {
  const name = `${BASE}:${architecture}`;
  if ((await buildah("images", "--quiet", "--filter", `reference=${name}`)).trim() !== "") return name;
  const tree = await baseTree(architecture);
  const container = (await buildah("from", "--arch", architecture, "scratch")).trim();
  await buildah("add", container, tree, "/");
  await buildah("config", "--arch", architecture, "--os", "linux", "--cmd", "bash", container);
  await buildah("commit", "--rm", container, name);
  return name;
}

/** The packages of `minbase`; another architecture's are set up by its own programs, which this machine must be able to run. */
async function baseTree(architecture: Architecture): Promise<string> {
  const folder = await cached(`image-base-${architecture}-${recipeHash([SUITE])}`, (draft) =>
    step(`making the base image (Debian ${SUITE}, ${architecture})`, async () => {
      await ensureProgram("mmdebstrap", ["mmdebstrap", "debian-archive-keyring"]);
      const mirror = await debianMirror();
      const access = (await aptAccess()).flatMap((option) => ["--aptopt", option]);
      const how = ["--mode=root", "--variant=minbase", `--architectures=${architecture}`, "--skip=check/qemu"];
      try {
        await run(["mmdebstrap", ...how, ...access, SUITE, join(draft, "base.tar"), ...(mirror === undefined ? [] : [mirror])]);
      } catch (cause) {
        throw new Error(`the base image cannot be had from Debian ${SUITE}: ${aptReason(cause)}`, { cause });
      }
    }),
  );
  return join(folder, "base.tar");
}
