import { expect, test } from "@jest/globals";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../command.ts";
import { writeImage } from "./image.ts";

const IMAGE = { names: ["example.org/one:1"], entrypoint: ["/bin/true"], programs: { "bin/true": "/bin/true" }, links: { "bin/yes": "true" } };

test("an image of files: its parts fit together, and two of the same files are the same", async () => {
  const folder = await mkdtemp(join(tmpdir(), "image-"));
  try {
    const [one, other] = [join(folder, "one.tar"), join(folder, "other.tar")];
    await writeImage(IMAGE, one);
    await writeImage(IMAGE, other);
    expect((await readFile(one)).equals(await readFile(other))).toBe(true);
    await run(["tar", "-xf", one, "-C", folder]);
    const [manifest] = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as [{ Config: string; RepoTags: string[]; Layers: string[] }];
    expect(manifest).toMatchObject({ RepoTags: IMAGE.names, Layers: ["layer.tar"] });
    const config = JSON.parse(await readFile(join(folder, manifest.Config), "utf8")) as { rootfs: { diff_ids: string[] } };
    const layer = await readFile(join(folder, "layer.tar"));
    expect(config.rootfs.diff_ids).toEqual([`sha256:${createHash("sha256").update(layer).digest("hex")}`]);
    const files = await run(["tar", "-tvf", join(folder, "layer.tar")]);
    expect(files).toMatch(/-rwxr-xr-x 0\/0 .* \.\/bin\/true\n/);
    expect(files).toContain("./bin/yes -> true");
  } finally {
    await rm(folder, { recursive: true });
  }
});
