// Starts a task (test/tasks/NAME.ts) under the project's own Node, with the dependencies of package-lock.json in place.
// Plain JavaScript that any Node >= 20 runs, for this is what the machine's own Node is used for.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(checkout, "package-lock.json");
const node = join(checkout, `node_modules/node-linux-${process.arch}/bin/node`);

const covers = (names, ours) => names === undefined || names.includes(ours);

/** Whether a package of the lock file may be missing: those for other platforms, and what only they need. */
function dispensable({ optional, os, cpu, libc }) {
  const named = os !== undefined || cpu !== undefined;
  return optional === true && !(named && covers(os, "linux") && covers(cpu, process.arch) && covers(libc, "glibc"));
}

/** Whether npm's own record of what it installed says the same as package-lock.json. */
function installed() {
  try {
    const wanted = JSON.parse(readFileSync(lockFile, "utf8")).packages;
    const found = JSON.parse(readFileSync(join(checkout, "node_modules/.package-lock.json"), "utf8")).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === "") return true;
      const there = found[path];
      return there ? there.version === entry.version && there.integrity === entry.integrity : dispensable(entry);
    });
  } catch {
    return false;
  }
}

/**
 * Under a lock on package-lock.json, so that of two runs one installs and the other waits. Not `npm ci`: it refuses a lock
 * file without other platforms' packages, which not every registry has; what was installed is compared with the file instead.
 */
function install() {
  if (installed()) return 0;
  console.error("installing the dependencies of package-lock.json ...");
  const start = Date.now();
  const npm = spawnSync("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: checkout,
    stdio: ["ignore", 2, 2],
  });
  if (npm.status !== 0) return npm.status ?? 1;
  if (!installed()) {
    console.error("npm did not install what package-lock.json says: remove node_modules and try again.");
    return 1;
  }
  console.error(`dependencies installed: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return ensureNodeStarts();
}

/** The project's Node is linked to libatomic, which a small Debian lacks. */
function ensureNodeStarts() {
  const starts = () => spawnSync(node, ["--version"], { stdio: "ignore" }).status === 0;
  if (starts()) return 0;
  console.error("installing libatomic1, which Node needs ...");
  const sudo = process.geteuid() === 0 ? [] : ["sudo"];
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "libatomic1"]]) {
    const [file, ...rest] = [...sudo, "apt-get", "-q", ...args];
    spawnSync(file, rest, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  }
  if (starts()) return 0;
  console.error(`${node} does not start, and apt-get could not install libatomic1 (libatomic.so.1), which it needs: install it by hand.`);
  return 1;
}

/** npm's own variables are of no use to a task, save those that say how to reach a registry. */
function taskEnvironment() {
  const kept = /^npm_config_(registry|cafile|https?[-_]proxy|proxy|noproxy|strict[-_]ssl)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)));
}

/** This process's parent and the parent's: npm puts a shell between itself and a script. */
function ancestry() {
  const shell = process.ppid;
  const npm = /\) \S (\d+)/.exec(readFileSync(`/proc/${shell}/stat`, "utf8"))?.[1];
  return `${shell} ${npm}`;
}

function run(task, args) {
  const file = join(checkout, `test/tasks/${task}.ts`);
  if (!existsSync(node)) throw new Error(`no Node for ${process.platform} ${process.arch}: Linux on x64 or arm64 it must be`);
  if (!existsSync(file)) throw new Error(`there is no task "${task}" in test/tasks`);
  const underNpm = process.env.npm_lifecycle_event !== undefined;
  const child = spawn("setpriv", ["--pdeathsig", "TERM", node, "--disable-warning=ExperimentalWarning", file, ...args], {
    cwd: checkout,
    stdio: "inherit",
    env: taskEnvironment(),
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => signal === "SIGINT" || child.kill(signal)); // a terminal sends Ctrl-C to the task as well
  }
  const ancestors = ancestry();
  if (underNpm) setInterval(() => ancestry() === ancestors || child.kill(), 500).unref(); // npm was killed
  child.on("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

const [task, ...args] = process.argv.slice(2);
if (task === "--install") {
  process.exitCode = install();
} else if (task === undefined) {
  console.error("usage: node test/run.mjs TASK [ARGS]");
  process.exitCode = 2;
} else {
  const prepared = installed() ? 0 : spawnSync("flock", [lockFile, process.execPath, process.argv[1], "--install"], { stdio: "inherit" }).status;
  if (prepared === 0) run(task, args);
  else process.exitCode = prepared ?? 1;
}
