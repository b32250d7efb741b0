#!/usr/bin/env -S UV_THREADPOOL_SIZE=5 node --max-semi-space-size=2 --single-threaded-gc --disable-warning=ExperimentalWarning
import packageJson from "../package.json" with { type: "json" };
import { EXIT_FAILURE } from "./cli/command.ts";
import { runCommand } from "./cli/program.ts";
import { ask } from "./cli/prompt.ts";
import { DmthinError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import { untilSignal } from "./until-signal.ts";

/** EX_SOFTWARE of sysexits.h: a fault of ours. */
const EXIT_FAULT = 70;

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
// "dmthin config example | head -1": whoever read our output has gone, and that is no failure.
process.stdout.on("error", (error) => ("code" in error && error.code === "EPIPE" ? exit(0) : fault(error)));

/** The driver without Kubernetes, until a signal ends it. */
async function standalone(configFile: string): Promise<number> {
  const [{ loadConfig }, { createLogger }] = await Promise.all([import("./config/load.ts"), import("./logger.ts")]);
  const config = await loadConfig(configFile);
  if (process.getuid?.() !== 0) throw new DmthinError({ code: "root-needed", operation: "the driver" });
  const log = createLogger(config.log);
  logger = log;
  const { startStandalone } = await import("./standalone.ts");
  exit = (await import("./linux/exit.ts")).exitNow; // workers may hang in the kernel from here on
  try {
    const start = async () => startStandalone(config, { logger: log, version });
    const ending = await untilSignal(start, { deadlineMs: config.shutdownDeadlineMs, logger: log, signals: process });
    log.info(ending === "ended" ? "ended" : "ended at the deadline: what hangs in the kernel is left behind");
    if (ending === "overdue") process.kill(process.pid, "SIGKILL");
    return 0;
  } catch (error) {
    if (!(error instanceof DmthinError)) throw error;
    log.error("the driver cannot run", { error });
    return EXIT_FAILURE;
  }
}

/** A second Ctrl-C ends the process as it always does. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
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
  askUpkeep: async (socket) => (await import("./csi/upkeep-client.ts")).askUpkeep(socket),
  standalone,
});
exit(code);
