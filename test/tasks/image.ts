import { copyFile, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { checkout } from "../lab/checkout.ts";
import { OWN_ARCHITECTURE, type Architecture } from "../lab/cluster/buildah.ts";
import { checkImage, type ImageSizes } from "../lab/cluster/image-check.ts";
import { imageName, productImage } from "../lab/cluster/product-image.ts";
import { withArm64Programs } from "../lab/emulation.ts";
import { step } from "../lab/progress.ts";
import { asRoot } from "../lab/root.ts";

const USAGE = `npm run image [-- [--arch ARCHITECTURE] [--output FILE]]

Builds the image from the Dockerfile, starts what is in it, and says what it takes.

  --arch    amd64 or arm64; this machine's by default. On x86-64, arm64's programs are emulated
            while this runs (QEMU, by the kernel's binfmt_misc), which takes minutes
  --output  where to put the image, for "docker load" or "ctr image import"`;

interface Wanted {
  readonly architecture: Architecture;
  readonly output: string | undefined;
}

function parse(args: readonly string[]): Wanted | "help" {
  const options = { arch: { type: "string", default: OWN_ARCHITECTURE }, output: { type: "string" }, help: { type: "boolean", short: "h" } } as const;
  const { arch, output, help } = parseArgs({ args: [...args], options }).values;
  if (help === true) return "help";
  if (arch !== "amd64" && arch !== "arm64") throw new Error(`there is no image for "${arch}": amd64 or arm64 it must be`);
  if (arch === "amd64" && OWN_ARCHITECTURE !== "amd64") throw new Error("the image for amd64 is built on x86-64: its programs are not emulated elsewhere");
  return { architecture: arch, output: output === undefined ? undefined : resolve(output) };
}

async function image({ architecture, output }: Wanted): Promise<void> {
  const { version } = JSON.parse(await readFile(join(checkout, "package.json"), "utf8")) as { readonly version: string };
  const build = async (): Promise<string> => {
    const archive = await productImage(architecture);
    const sizes = await step("starting what is in the image", () => checkImage(archive, architecture, version));
    process.stdout.write(told(architecture, version, sizes));
    return archive;
  };
  const archive = await (architecture === OWN_ARCHITECTURE ? build() : withArm64Programs(build));
  if (output !== undefined) await copy(archive, output);
  process.stdout.write(`${imageName(architecture)} is in ${output ?? archive}\n`);
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`.padStart(8);

function told(architecture: Architecture, version: string, { bytes, compressedBytes, nodeBytes, driverBytes }: ImageSizes): string {
  return [
    `dmthin ${version} for ${architecture}: it starts, and its programs do`,
    `${megabytes(compressedBytes)}  compressed, as a registry keeps it`,
    `${megabytes(bytes)}  unpacked, of which are`,
    `${megabytes(nodeBytes)}  Node`,
    `${megabytes(driverBytes)}  the driver and its native library`,
    `${megabytes(bytes - nodeBytes - driverBytes)}  Debian, with LVM, the thin tools and those of the filesystems`,
    "",
  ].join("\n");
}

/** In one step: whoever waits for it finds all of it. */
async function copy(archive: string, output: string): Promise<void> {
  const draft = `${output}.${process.pid}.being-made`;
  try {
    await copyFile(archive, draft);
    await rename(draft, output);
  } finally {
    await rm(draft, { force: true });
  }
}

try {
  const wanted = parse(process.argv.slice(2));
  if (wanted === "help") process.stdout.write(`${USAGE}\n`);
  else {
    const elsewhere = await asRoot();
    if (elsewhere === undefined) await image(wanted);
    else process.exitCode = elsewhere;
  }
} catch (error) {
  process.stderr.write(`image: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
