import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DriverClient } from "../../harness/driver-client.ts";
import { BUNDLE } from "../../harness/driver.ts";
import { nodeBinary } from "../../lab/checkout.ts";

const READY_MS = 60_000;

/** `dmthin controller` as the chart runs it, but on this machine. */
export class ControllerProcess {
  readonly socket: string;
  readonly pid: number;
  /** From the start of the process until Probe said ready: all first lists are in. */
  readonly startMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, socket: string, startMs: number) {
    this.#child = child;
    this.socket = socket;
    this.pid = child.pid ?? 0;
    this.startMs = startMs;
  }

  static async start(folder: string, kubeconfig: string, namespace: string): Promise<ControllerProcess> {
    const [config, log, socket] = ["controller.json", "controller.log", "csi.sock"].map((name) => join(folder, name)) as [string, string, string];
    const metrics = { listen: `127.0.0.1:${await freePort()}` };
    writeFileSync(config, JSON.stringify({ namespace, kubeconfig, socket: `unix://${socket}`, metrics, log: { level: "info" } }));
    const begun = performance.now();
    const output = openSync(log, "a");
    const [program = "", ...args] = BUNDLE;
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args, "controller", "--config", config], {
      stdio: ["ignore", output, output],
      env: ownNode(),
    });
    closeSync(output);
    const client = new DriverClient(socket);
    try {
      for (;;) {
        const answer = await client.call("Probe", {}).catch(() => undefined);
        if ((answer?.["ready"] as { readonly value?: boolean } | null | undefined)?.value === true) break;
        if (child.exitCode !== null || performance.now() - begun > READY_MS) throw new Error(`the controller is not ready:\n${readFileSync(log, "utf8")}`);
        await sleep(10);
      }
    } finally {
      client.close();
    }
    return new ControllerProcess(child, socket, performance.now() - begun);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
  }
}

/** The Node that was installed with the checkout, not this machine's. */
const ownNode = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${dirname(nodeBinary)}:${process.env["PATH"] ?? ""}` });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}
