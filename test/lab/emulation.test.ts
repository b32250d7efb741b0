import { expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeBinary } from "./checkout.ts";
import { run } from "./command.ts";

const GUARD = [nodeBinary, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "emulation-guard.ts"), "/bin/true"];
/** A user namespace has a table of its own since Linux 6.7: nobody else's programs are meant. */
const WITH_A_TABLE = ["unshare", "--user", "--map-root-user", "--mount"];

const STARTER_ENDS = `set -e
folder=$1; shift
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
mkfifo "$folder/in" "$folder/out"
unshare --mount "$@" < "$folder/in" > "$folder/out" &
exec 3> "$folder/in"
read -r said < "$folder/out"
cat /proc/sys/fs/binfmt_misc/dmthin-aarch64
exec 3>&-
wait $!
echo left: $(ls /proc/sys/fs/binfmt_misc)`;

async function hasTables(): Promise<boolean> {
  const [major = 0, minor = 0] = (await run(["uname", "-r"])).split(".").map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 7);
}

test("what the kernel was told of arm64 is taken back when nobody needs it any more, or who needed it was killed", async () => {
  if (!(await hasTables())) return expect(run([...WITH_A_TABLE, ...GUARD])).rejects.toThrow("binfmt_misc cannot be used");
  const folder = await mkdtemp(join(tmpdir(), "emulation-"));
  try {
    const output = await run([...WITH_A_TABLE, "sh", "-c", STARTER_ENDS, "sh", folder, ...GUARD]);
    expect(output).toContain("enabled\ninterpreter /bin/true\nflags: F\n");
    expect(output).toMatch(/^left: register status$/m);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a machine that cannot emulate says so in one sentence", async () => {
  const failure = await run(["unshare", "--user", "--mount", ...GUARD]).catch((error: Error) => error.message);
  expect(failure).toMatch(
    /\nthe kernel's binfmt_misc cannot be used \(mount: .*\): it takes root, outside a container, and a kernel that has it, or a machine of arm64\.$/,
  );
});
