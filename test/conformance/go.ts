import { join } from "node:path";
import { aptReason } from "../lab/apt.ts";
import { cached } from "../lab/cache.ts";
import { run } from "../lab/command.ts";
import { openSid } from "../lab/debian-sid.ts";
import { step } from "../lab/progress.ts";
import { userland } from "../lab/userland.ts";

/** From here on Go fetches a newer toolchain by itself where a module asks for one. */
const LEAST_MINOR = 21;
const SETTINGS = ["CGO_ENABLED=0", "GOTOOLCHAIN=auto", "GOFLAGS=-buildvcs=false"];

/** Go's own commands, `["install", …]`, as a command line of the machine. */
export type Go = (args: readonly string[], settings?: readonly string[]) => readonly string[];

/** The machine's Go if it is new enough, else Debian sid's, unpacked into the cache. */
export async function findGo(): Promise<Go> {
  const version = await run(["go", "env", "GOVERSION"]).catch(() => "");
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0);
  const binary = minor >= LEAST_MINOR ? "go" : join(await debianGo(), "root/bin/go");
  return (args, settings = []) => ["env", ...SETTINGS, ...settings, binary, ...args];
}

const debianGo = (): Promise<string> => cached("go-debian", (folder) => step("unpacking Go from Debian sid", () => unpackGo(folder)));

/** `golang-go` only points to a version's packages: the compiler's, and the standard library's source. */
export async function unpackGo(folder: string): Promise<void> {
  try {
    await using sid = await openSid(await userland());
    const name = /golang-1\.\d+-go/.exec((await sid.field("golang-go", "Depends")) ?? "")?.[0];
    if (name === undefined) throw new Error("Debian sid's golang-go names no version");
    await sid.unpack(name, folder);
    await sid.unpack(name.replace(/-go$/, "-src"), folder);
    await run(["ln", "-s", join("usr/lib", name.replace(/^golang-(.*)-go$/, "go-$1")), join(folder, "root")]);
  } catch (cause) {
    throw new Error(`Go 1.${LEAST_MINOR} or newer is not on this machine and cannot be had from Debian sid: ${aptReason(cause)}`, { cause });
  }
}
