import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../command.ts";

/** A container image of one layer. */
export interface ImageOfFiles {
  /** Under which a pod asks for it. */
  readonly names: readonly string[];
  readonly entrypoint: readonly string[];
  /** Programs of this machine, by their path in the image. */
  readonly programs: Readonly<Record<string, string>>;
  /** What each of these paths in the image links to. */
  readonly links?: Readonly<Record<string, string>>;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };
/** Two archives of the same files are the same. */
const TAR = ["tar", "--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];

/** Writes an image to an archive that containerd loads (`docker-archive`). */
export async function writeImage(image: ImageOfFiles, archive: string): Promise<void> {
  const work = await mkdtemp(`${archive}.draft-`);
  try {
    const root = join(work, "root");
    await fill(root, image);
    await run([...TAR, `--file=${work}/layer.tar`, `--directory=${root}`, "."]);
    const config = JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: "linux",
      config: { Entrypoint: image.entrypoint, Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${await digest(join(work, "layer.tar"))}`] },
    });
    const name = `${createHash("sha256").update(config).digest("hex")}.json`;
    await writeFile(join(work, name), config);
    await writeFile(join(work, "manifest.json"), JSON.stringify([{ Config: name, RepoTags: image.names, Layers: ["layer.tar"] }]));
    await run([...TAR, `--file=${archive}`, `--directory=${work}`, "manifest.json", name, "layer.tar"]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fill(root: string, { programs, links = {} }: ImageOfFiles): Promise<void> {
  for (const folder of ["etc", "tmp", "proc", "sys", "dev", "root", "var"]) await mkdir(join(root, folder), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  for (const [path, source] of Object.entries(programs)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(source, join(root, path));
    await chmod(join(root, path), 0o755);
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
}

async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
