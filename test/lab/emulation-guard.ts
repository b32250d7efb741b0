import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readSync, writeFileSync } from "node:fs";

/** A folder that nobody needs here, seen by this process alone; the usual one may be taken, and the kernel mounts nothing twice on one. */
const FOLDER = "/proc/sys/fs";
const NAME = "dmthin-aarch64";
const TAKE_BACK = "-1";

/** ELF, 64 bits, little-endian, a program or a shared object, for AArch64 (183); the ABI and its version may be any. */
const MAGIC = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00";
const MASK = "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff";

/** With F the kernel opens the emulator now: it serves in folders and namespaces that do not have it. */
const FLAGS = "F";

/**
 * Asks the kernel to run arm64's programs by the emulator, says so, and takes it back when nobody is at the other end of its
 * input. Asks nothing where nobody is there any more: who has waited for another run may have been killed meanwhile.
 */
async function main(interpreter: string): Promise<void> {
  process.stdout.on("error", () => undefined); // nobody reads it: the end of the input is what counts
  const left = once(process.stdin, "close");
  if (hasEnded()) return;
  register(interpreter);
  try {
    process.stdout.write("registered\n");
    process.stdin.resume();
    await left;
  } finally {
    takeBack();
  }
}

/** Node has made it so that a read does not wait: it fails as long as somebody is there and says nothing. */
function hasEnded(): boolean {
  try {
    return readSync(process.stdin.fd, Buffer.alloc(1)) === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return false;
    throw error;
  }
}

function register(interpreter: string): void {
  try {
    mount();
    takeBack(); // what a guard that was killed has left
    writeFileSync(`${FOLDER}/register`, `:${NAME}:M::${MAGIC}:${MASK}:${interpreter}:${FLAGS}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the kernel's binfmt_misc cannot be used (${why}): it takes root, outside a container, and a kernel that has it, or a machine of arm64.`, {
      cause,
    });
  }
}

/** In a mount namespace of its own: unseen, and gone with this process. */
function mount(): void {
  const { status, stderr, error } = spawnSync("mount", ["-t", "binfmt_misc", "binfmt_misc", FOLDER], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status !== 0) throw error ?? new Error(stderr.trim().split("\n")[0]);
}

function takeBack(): void {
  if (existsSync(`${FOLDER}/${NAME}`)) writeFileSync(`${FOLDER}/${NAME}`, TAKE_BACK);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined); // the end of its input ends it
try {
  await main(process.argv[2] ?? "");
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
