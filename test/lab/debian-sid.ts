import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { run } from "./command.ts";

const SUITE = "sid";

/** Debian sid's packages, by a way that leaves the machine's own apt sources alone: private lists in a folder of its own. */
export interface Sid extends AsyncDisposable {
  /** A field of the newest version's control data, such as Version; undefined when there is no such package or field. */
  field(packageName: string, field: string): Promise<string | undefined>;
  /** Unpacks the newest version into a folder; no script of the package is run. */
  unpack(packageName: string, folder: string): Promise<void>;
}

/** The mirror and the keyring that the userland was made with: it is Debian even where the host is not. */
async function sourceLine(userland: string): Promise<string> {
  const sources = await readFile(join(userland, "etc/apt/sources.list"), "utf8");
  const mirror = /^deb (?:\[[^\]]*\] )?(\S+) /m.exec(sources)?.[1];
  if (mirror === undefined) throw new Error(`no mirror in ${userland}/etc/apt/sources.list`);
  const keyring = ["debian-archive-keyring.pgp", "debian-archive-keyring.gpg"]
    .map((name) => join(userland, "usr/share/keyrings", name))
    .find((file) => existsSync(file));
  return `deb ${keyring === undefined ? "" : `[signed-by=${keyring}] `}${mirror} ${SUITE} main\n`;
}

/** Fetches the lists; needs the network. Dispose of it to remove them. */
export async function openSid(userland: string): Promise<Sid> {
  const folder = await mkdtemp(join(await cacheFolder(), "apt.draft-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const settings = [
    `Dir::Etc::sourcelist=${folder}/sources.list`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${folder}/lists`,
    `Dir::Cache=${folder}/cache`,
    "APT::Sandbox::User=root",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
  ];
  const apt = (program: string, ...args: string[]) => run([program, ...settings.flatMap((setting) => ["-o", setting]), ...args], { cwd: folder });
  try {
    await mkdir(join(folder, "lists/partial"), { recursive: true });
    await mkdir(join(folder, "cache/archives/partial"), { recursive: true });
    await writeFile(join(folder, "sources.list"), await sourceLine(userland));
    await apt("apt-get", "update");
    return {
      field: async (packageName, field) => new RegExp(`^${field}: (.+)$`, "m").exec(await apt("apt-cache", "--no-all-versions", "show", packageName))?.[1],
      unpack: async (packageName, target) => {
        await apt("apt-get", "download", packageName);
        const archive = (await readdir(folder)).find((name) => name.startsWith(`${packageName}_`) && name.endsWith(".deb"));
        if (archive === undefined) throw new Error(`apt-get download left no ${packageName}`);
        await run(["dpkg-deb", "-x", join(folder, archive), target]);
      },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
