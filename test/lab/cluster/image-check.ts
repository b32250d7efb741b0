import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { PROGRAMS } from "../../../src/exec/programs.ts";
import { withCacheLock } from "../cache.ts";
import { CommandFailed } from "../command.ts";
import { openBuildah, type Architecture, type Buildah } from "./buildah.ts";

/** What an image takes; a registry keeps the compressed one. */
export interface ImageSizes {
  readonly bytes: number;
  readonly compressedBytes: number;
  readonly nodeBytes: number;
  readonly driverBytes: number;
}

/** Runs a program in the image, and answers its output. */
type InImage = (...argv: readonly string[]) => Promise<string>;

interface DoctorLine {
  readonly subject: string;
  readonly text: string;
}

const NODE = "/usr/local/bin/node";
const DRIVER = "/app";
const DISK = "/tmp/disk";
/** Made and looked through by the image's own programs, on a file. */
const FILESYSTEMS: readonly (readonly string[])[] = [
  ["truncate", "--size=320M", DISK],
  ["mkfs.ext4", "-q", "-F", DISK],
  ["e2fsck", "-fn", DISK],
  ["resize2fs", "-f", DISK, "300M"],
  ["mkfs.xfs", "-q", "-f", DISK],
  ["xfs_repair", "-n", DISK],
  ["mkfs.btrfs", "-q", "-f", DISK],
  ["btrfs", "check", DISK],
  ["blkid", "-p", DISK],
  ["wipefs", "--all", DISK],
];
const STARTED: readonly (readonly string[])[] = [
  ["lvm", "version"],
  ["thin_check", "--version"],
  ["thin_repair", "--version"],
];
const NODE_NAMES = { amd64: "x64", arm64: "arm64" } as const satisfies Record<Architecture, string>;

/**
 * Starts what is in an image, which this machine must be able to run, and measures it.
 * @param archive as `productImage` answers it
 * @throws Error one sentence that names what does not work
 */
export async function checkImage(archive: string, architecture: Architecture, version: string): Promise<ImageSizes> {
  return withCacheLock("buildah", async () => {
    const buildah = await openBuildah();
    const container = (await buildah("from", "--pull-always", "--arch", architecture, `docker-archive:${archive}`)).trim();
    try {
      const inImage: InImage = (...argv) => buildah("run", container, "--", ...argv);
      await runAll(inImage, buildah, container, { architecture, version });
      const [nodeBytes, driverBytes] = [await bytesOf(inImage, NODE), await bytesOf(inImage, DRIVER)];
      return { bytes: (await stat(archive)).size, compressedBytes: await compressed(archive), nodeBytes, driverBytes };
    } catch (cause) {
      if (!(cause instanceof CommandFailed)) throw cause;
      throw new Error(`the image for ${architecture} does not work: ${cause.message}`, { cause });
    } finally {
      await buildah("rm", container);
    }
  });
}

async function runAll(inImage: InImage, buildah: Buildah, container: string, { architecture, version }: { architecture: Architecture; version: string }) {
  const config = (await buildah("inspect", "--format", "{{.OCIv1.Architecture}} {{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}", container)).trim().split(" ");
  const [built, ...entrypoint] = config;
  expectIs("what it says of itself", built ?? "", architecture);
  expectIs("dmthin --version", (await inImage("dmthin", "--version")).trim(), version);
  expectIs("its entry point with --version", (await inImage(...entrypoint, "--version")).trim(), version);
  expectIs("dmthin --help", (await inImage("dmthin", "--help")).split("\n")[0] ?? "", "Usage: dmthin [options] [command]");
  await inImage("sh", "-c", "dmthin config example > /tmp/dmthin.yaml && dmthin config check /tmp/dmthin.yaml");
  const doctor = await inImage("sh", "-c", "dmthin doctor --json || true"); // a machine that builds images need not be in order
  expectDoctor(doctor, architecture);
  for (const argv of [...FILESYSTEMS, ...STARTED]) await inImage(...argv);
}

/** It asks the kernel through the native library, and looks for each program. */
function expectDoctor(output: string, architecture: Architecture): void {
  let lines: readonly DoctorLine[];
  try {
    lines = JSON.parse(output) as readonly DoctorLine[];
  } catch (cause) {
    throw new Error(`dmthin doctor in the image for ${architecture} does not say what it found: ${output}`, { cause });
  }
  const kernel = lines.find(({ subject }) => subject === "kernel")?.text ?? "";
  if (!kernel.endsWith(` on ${NODE_NAMES[architecture]}`)) throw new Error(`dmthin doctor in the image for ${architecture} says "${kernel}"`);
  const missing = PROGRAMS.filter((program) => lines.some(({ text }) => text === `${program} is missing`));
  if (missing.length > 0) throw new Error(`the image for ${architecture} lacks ${missing.join(", ")}`);
}

function expectIs(what: string, found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`the image does not work: ${what} is "${found}" and should be "${wanted}"`);
}

const bytesOf = async (inImage: InImage, path: string): Promise<number> => Number.parseInt(await inImage("du", "--bytes", "--summarize", path), 10);

async function compressed(archive: string): Promise<number> {
  let bytes = 0;
  await pipeline(createReadStream(archive), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) bytes += chunk.length;
  });
  return bytes;
}
