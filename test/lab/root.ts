import { spawn } from "node:child_process";
import { once } from "node:events";

const KEPT = ["HOME", "XDG_CACHE_HOME", "TERM", "CI", "PATH"];

/**
 * Guests need root: runs the whole program again under sudo where this process is not root.
 * @returns the exit code of that run, or undefined when this process is root and goes on itself
 */
export async function asRoot(): Promise<number | undefined> {
  if (process.geteuid?.() === 0) return undefined;
  const kept = KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`]));
  const child = spawn("sudo", ["--", "env", ...kept, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit",
  });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } catch {
    throw new Error("the lab needs root, and there is no sudo here: run it as root.");
  }
}
