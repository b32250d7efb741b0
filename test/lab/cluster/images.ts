import { join } from "node:path";
import { cached, recipeHash } from "../cache.ts";
import { run } from "../command.ts";
import { step } from "../progress.ts";
import { writeImage, type ImageOfFiles } from "./image.ts";
import { program, type ClusterTools } from "./tools.ts";
import { PROVISIONER, RESIZER, SNAPSHOTTER } from "./versions.ts";

const SIDECARS = "registry.k8s.io/sig-storage";

/** What the tests' own pods and manifests/examples run: a shell with the usual commands. */
export const BUSYBOX = "docker.io/library/busybox:1.37";

/** Archives of the images that are not ours, under the names that charts know them by: no cluster of the lab pulls anything. */
export async function otherImages(tools: ClusterTools): Promise<readonly string[]> {
  const images = await recipes(tools);
  const folder = await cached(`cluster-images-${recipeHash(images)}`, (draft) =>
    step("making images of the cluster's programs", async () => {
      for (const [name, image] of Object.entries(images)) await writeImage(image, join(draft, `${name}.tar`));
    }),
  );
  return Object.keys(images).map((name) => join(folder, `${name}.tar`));
}

async function recipes(tools: ClusterTools): Promise<Readonly<Record<string, ImageOfFiles>>> {
  const busybox = join(tools.debian, "usr/bin/busybox");
  const commands = (await run([busybox, "--list"])).trim().split("\n");
  const sidecar = (name: string, version: string): ImageOfFiles => ({
    names: [`${SIDECARS}/${name}:v${version}`],
    entrypoint: [`/${name}`],
    programs: { [name]: program(tools, name) },
  });
  return {
    pause: { names: ["registry.k8s.io/pause:3.10.1"], entrypoint: ["/busybox", "sleep", "2147483647"], programs: { busybox } },
    busybox: {
      names: [BUSYBOX],
      entrypoint: ["sh"],
      programs: { "bin/busybox": busybox },
      links: Object.fromEntries(commands.filter((name) => name !== "busybox").map((name) => [`bin/${name}`, "busybox"])),
    },
    "csi-provisioner": sidecar("csi-provisioner", PROVISIONER),
    "csi-snapshotter": sidecar("csi-snapshotter", SNAPSHOTTER),
    "snapshot-controller": sidecar("snapshot-controller", SNAPSHOTTER),
    "csi-resizer": sidecar("csi-resizer", RESIZER),
  };
}
