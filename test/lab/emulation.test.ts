import { expect, jest, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeBinary } from "./checkout.ts";
import { run } from "./command.ts";
import { guardCommand } from "./emulation.ts";

jest.setTimeout(70_000);
/** A user namespace has a table of its own since Linux 6.7, where the kernel has tables at all: nobody else's programs are meant. */
const WITH_A_TABLE = ["unshare", "--user", "--map-root-user", "--mount"];
const TABLE = "/proc/sys/fs/binfmt_misc";

const REFUSAL =
  /\nthe kernel's binfmt_misc cannot be used \(mount: .*\): it takes root, outside a container, and a kernel that has it, or a machine of arm64\.$/;

const succeeds = async (argv: readonly string[]): Promise<boolean> =>
  run(argv).then(
    () => true,
    () => false,
  );
const hasNamespaces = await succeeds([...WITH_A_TABLE, "true"]);
const hasTables = await succeeds([...WITH_A_TABLE, "mount", "-t", "binfmt_misc", "binfmt_misc", TABLE]);
const needs = (has: boolean): typeof test.skip => (has ? test : test.skip);

/** Its arguments: a folder, on which the lock is, and the guard's command. */
const BEGIN = `set -e
folder=$1; shift
mount -t binfmt_misc binfmt_misc ${TABLE}
mkfifo "$folder/in" "$folder/out"
left() { echo left: $(ls ${TABLE}); }`;

const STARTER_ENDS = `${BEGIN}
"$@" < "$folder/in" > "$folder/out" &
exec 3> "$folder/in"
read -r said < "$folder/out"
cat ${TABLE}/dmthin-aarch64
exec 3>&-
wait $!
left`;

/** Not even "registered" has a reader; then the guard's input ends too. */
const NOBODY_READS = `${BEGIN}
"$@" < "$folder/in" > "$folder/out" &
exec 3> "$folder/in" 4< "$folder/out" 4<&-
while [ ! -e ${TABLE}/dmthin-aarch64 ]; do sleep 0.05; done
echo there: $(ls ${TABLE})
exec 3>&-
wait $!
left`;

/** Both ends are closed while the guard still waits for its turn. */
const STARTER_GONE = `${BEGIN}
exec 9< "$folder"; flock 9
"$@" < "$folder/in" > "$folder/out" 9<&- &
exec 3> "$folder/in" 4< "$folder/out" 3>&- 4<&-
exec 9<&-
wait $!
left`;

/** Its turn never comes: that all of its output is closed is because it has ended. */
const STARTER_KILLED = `${BEGIN}
exec 9< "$folder"; flock 9
sh -c '"$@" & echo $! >&8; wait' sh "$@" > "$folder/out" 8> "$folder/guard" 9<&- &
exec 4< "$folder/out"
while [ "$(cat /proc/$(cat "$folder/guard")/comm)" != flock ]; do sleep 0.05; done
kill -KILL $!
cat <&4
left`;

/** Its input is its own, and never ends. */
const ALONE = `mkfifo "$1/in"; folder=$1; shift
exec "$@" 0<> "$folder/in"`;

/** What a script printed, about the guard as it is run elsewhere. */
async function told(script: string, interpreter = "/bin/true"): Promise<string> {
  return ran(WITH_A_TABLE, script, (folder) => guardCommand(interpreter, folder));
}

async function ran(within: readonly string[], script: string, guard: (folder: string) => readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "emulation-"));
  try {
    return await run(["timeout", "60", ...within, "sh", "-c", script, "sh", folder, ...guard(folder)]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

needs(hasTables)("what the kernel was told of arm64 is taken back when nobody needs it any more, or who needed it was killed", async () => {
  const output = await told(STARTER_ENDS);
  expect(output).toContain("enabled\ninterpreter /bin/true\nflags: F\n");
  expect(output).toMatch(/^left: register status$/m);
});

needs(hasTables)("nor does it stay when nobody hears that the kernel was told", async () => {
  expect(await told(NOBODY_READS)).toBe("there: dmthin-aarch64 register status\nleft: register status\n");
});

needs(hasTables)("who was killed before its turn has the kernel told nothing", async () => {
  expect(await told(STARTER_GONE, "/nobody/could/be/told/of/this")).toBe("left: register status\n");
});

needs(hasTables)("who is killed before its turn waits for it no longer", async () => {
  expect(await told(STARTER_KILLED)).toBe("left: register status\n");
});

needs(hasNamespaces && !hasTables)("a machine whose kernel has no table for namespaces says so in one sentence", async () => {
  await expect(told(ALONE)).rejects.toThrow(REFUSAL);
});

needs(hasNamespaces)("a machine that cannot emulate says so in one sentence", async () => {
  const itself = guardCommand("/bin/true");
  await expect(ran(["unshare", "--user", "--mount"], ALONE, () => itself.slice(itself.indexOf(nodeBinary)))).rejects.toThrow(REFUSAL);
});
