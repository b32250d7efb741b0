import { spawn } from "node:child_process";
import { once } from "node:events";
import { timed } from "./statistics.ts";

const GROUP = "bench";
const POOL = `${GROUP}/pool`;

/** Started as a driver would start it: one process, awaited, nothing of its output read. */
async function run(...argv: readonly string[]): Promise<void> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, LC_ALL: "C" } });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
}

/** What LVM takes for the same work, with a thin pool of the same chunk size on a disk like ours: `volumes` creations, and `n` of all else beside them. */
export async function timeLvm(disk: string, { volumes, n }: { readonly volumes: number; readonly n: number }) {
  await run("vgcreate", "-y", GROUP, disk);
  await run("lvcreate", "-y", "--type", "thin-pool", "-L", "6G", "--poolmetadatasize", "256M", "--chunksize", "64k", "--zero", "y", "-n", "pool", GROUP);
  const volume = (index: number): string => `${GROUP}/volume-${index}`;
  const create = await timed(volumes, (index) => run("lvcreate", "-y", "-V", "1G", "-T", POOL, "-n", `volume-${index}`));
  const snapshot = await timed(n, (index) => run("lvcreate", "-y", "-s", "-n", `copy-${index}`, volume(index)));
  const remove = await timed(n, (index) => run("lvremove", "-y", volume(index)));
  return { create, snapshot, remove };
}

/** Snapshots of a volume with a mounted filesystem that is being written. */
export async function timeLvmInUse(
  n: number,
  whileWriting: (device: string, work: () => Promise<readonly number[]>) => Promise<readonly number[]>,
): Promise<readonly number[]> {
  await run("lvcreate", "-y", "-V", "1G", "-T", POOL, "-n", "busy");
  await run("mkfs.ext4", "-q", `/dev/${GROUP}/busy`);
  return whileWriting(`/dev/${GROUP}/busy`, () => timed(n, (index) => run("lvcreate", "-y", "-s", "-n", `busy-copy-${index}`, `${GROUP}/busy`)));
}
