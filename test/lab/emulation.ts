import { spawn } from "node:child_process";
import { once } from "node:events";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { nodeBinary } from "./checkout.ts";
import { openSid } from "./debian-sid.ts";
import { step } from "./progress.ts";
import { userland } from "./userland.ts";

const HANDS_BACK_MS = 5_000;

/** QEMU's emulator of another architecture's programs: Debian sid's, for it is one file that needs nothing else, wherever it runs. */
function emulator(): Promise<string> {
  const name = "qemu-aarch64";
  return cached(name, (draft) =>
    step("fetching QEMU", async () => {
      await using sid = await openSid(await userland());
      const tree = join(draft, "tree");
      await sid.unpack("qemu-user", tree);
      await rename(join(tree, "usr/bin", name), join(draft, name));
      await rm(tree, { recursive: true });
    }),
  ).then((folder) => join(folder, name));
}

/**
 * Does work during which this machine runs arm64's programs too; one such work at a time on the whole machine.
 * What the kernel is told for it is taken back by a process that outlives this one (`emulation-guard.ts`).
 * @throws Error one sentence, when this machine cannot
 */
export async function withArm64Programs<T>(work: () => Promise<T>): Promise<T> {
  if (process.arch === "arm64") return work();
  const [file = "", ...args] = guardCommand(await emulator());
  const guard = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], detached: true }); // Ctrl-C is not for it
  const ended = once(guard, "close");
  let said = "";
  guard.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const refused = ended.then(() => Promise.reject(new Error(`programs of arm64 cannot be run here: ${said.trim()}`)));
  const registered = Promise.race([once(guard.stdout, "data"), refused]);
  await step("asking the kernel to run arm64's programs", () => registered); // waits for another run that has it do so
  try {
    return await work();
  } finally {
    guard.stdin.end();
    const timer = setTimeout(() => guard.kill("SIGKILL"), HANDS_BACK_MS);
    const [code] = (await ended) as [number | null];
    clearTimeout(timer);
    if (code !== 0) process.stderr.write(`lab: what the kernel was told of arm64 could not be taken back: ${said.trim()}\n`);
  }
}

/**
 * Who is killed while it waits for another run takes its guard along; a guard that has begun heeds no signal, but the end
 * of its input. A mount that it makes is its own.
 * @param lock a folder that every machine has, so that nothing is left
 */
export function guardCommand(interpreter: string, lock = "/proc/sys/fs"): readonly string[] {
  const locked = ["setpriv", "--pdeathsig", "TERM", "flock", "--exclusive", "--no-fork", lock];
  const unseen = ["unshare", "--mount", "--propagation", "private"];
  return [...locked, ...unseen, nodeBinary, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "emulation-guard.ts"), interpreter];
}
