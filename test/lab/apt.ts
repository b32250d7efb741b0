import { readFile } from "node:fs/promises";
import { CommandFailed, run } from "./command.ts";
import { step } from "./progress.ts";

async function hasProgram(program: string): Promise<boolean> {
  return run(["which", program]).then(
    () => true,
    () => false,
  );
}

/**
 * Makes sure that a program is on this machine, installing Debian packages when it is not.
 * @throws Error one sentence that names what could not be had
 */
export async function ensureProgram(program: string, packages: readonly string[]): Promise<void> {
  if (await hasProgram(program)) return;
  await step(`installing ${packages.join(", ")}`, async () => {
    try {
      await run(["apt-get", "-q", "-y", "install", "--no-install-recommends", ...packages]).catch(async () => {
        await run(["apt-get", "-q", "update"]);
        await run(["apt-get", "-q", "-y", "install", "--no-install-recommends", ...packages]);
      });
    } catch (cause) {
      throw new Error(`${program} is missing and apt-get cannot install ${packages.join(", ")}: install it by hand.`, {
        cause,
      });
    }
  });
}

/** The machine's own Debian mirror, whatever the format of its sources, or undefined where it is not Debian's. */
export async function debianMirror(): Promise<string | undefined> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID="?debian"?$/m.test(release)) return undefined;
  const codename = /^VERSION_CODENAME="?(\w+)"?$/m.exec(release)?.[1];
  const targets = await run(["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]).catch(() => "");
  for (const line of targets.split("\n")) {
    const [suite, component, uri] = line.split(" ");
    if (suite === codename && component === "main" && uri && /^https?:/.test(uri)) return uri;
  }
  return undefined;
}

/** How this machine reaches its mirrors (proxy, certificates, retries), as apt options to hand on. */
export async function aptAccess(): Promise<readonly string[]> {
  const dump = await run(["apt-config", "dump"]);
  return dump.split("\n").filter((line) => /^Acquire::(https?|Retries|ftp)(::| ).* "[^"]+";$/i.test(line));
}

/** Why an apt run failed, for one sentence: its last line that begins with E or Err, else all that it said. */
export function aptReason(error: unknown): string {
  if (!(error instanceof CommandFailed)) return error instanceof Error ? error.message : String(error);
  const lines = error.output.split("\n").filter((line) => /^(E|Err)[: ]/.test(line));
  return lines.at(-1) ?? error.message;
}
