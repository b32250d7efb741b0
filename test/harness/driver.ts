import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { DriverClient } from "./driver-client.ts";

const READY_MS = 60_000;

/** What users run: of a test project that makes a bundle of its own (bundle.ts), or that of `npm run build`. */
export const BUNDLE: readonly string[] = [process.env["DMTHIN_BUNDLE"] ?? join(checkout, "dist/main.js")];
/** The same, slow to start. */
export const SOURCES: readonly string[] = [nodeBinary, join(checkout, "src/main.ts")];

/** The driver as its users run it: `main standalone --config FILE`, in a folder of its own. */
export class Driver {
  readonly client: DriverClient;
  readonly pid: number;
  /** From the start of the process until Probe said ready. */
  readonly startMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, client: DriverClient, startMs: number) {
    this.#child = child;
    this.client = client;
    this.pid = child.pid ?? 0;
    this.startMs = startMs;
  }

  static paths = (folder: string) => ({
    socket: join(folder, "csi.sock"),
    adminSocket: join(folder, "admin.sock"),
    config: join(folder, "config.json"),
    log: join(folder, "driver.log"),
  });

  /** @param config what differs from the defaults; sockets and folders are below `folder` */
  static async start(folder: string, config: Readonly<Record<string, unknown>>, entry = BUNDLE): Promise<Driver> {
    const paths = Driver.paths(folder);
    mkdirSync(folder, { recursive: true });
    const document = { socket: `unix://${paths.socket}`, adminSocket: `unix://${paths.adminSocket}`, stateDirectory: join(folder, "state"), ...config };
    writeFileSync(paths.config, JSON.stringify(document, undefined, 2));
    const begun = performance.now();
    const log = openSync(paths.log, "a");
    const [program = "", ...args] = entry;
    const child = spawn(program, [...args, "standalone", "--config", paths.config], { stdio: ["ignore", log, log] });
    closeSync(log);
    const client = new DriverClient(paths.socket);
    await untilReady(client, child, paths.log);
    return new Driver(child, client, performance.now() - begun);
  }

  /** @returns its exit code */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.client.close();
    this.#child.kill(signal);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }
}

async function untilReady(client: DriverClient, child: ChildProcess, log: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const answer = await client.call("Probe", {}).catch(() => undefined);
    if ((answer?.["ready"] as { readonly value?: boolean } | null | undefined)?.value === true) return;
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`the driver is not ready:\n${readFileSync(log, "utf8")}`);
    }
    await sleep(10);
  }
}
