import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseControllerConfig } from "../../../src/config/controller.ts";
import { parseNodeConfig } from "../../../src/config/node.ts";
import { startController } from "../../../src/controller.ts";
import { Connection, type Asked } from "../../../src/csi/client.ts";
import { startNode } from "../../../src/node.ts";
import { AGENT_POD, NODE } from "../../../src/cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL } from "../../../src/cluster/objects/kinds.ts";
import type { NodeThinPool } from "../../../src/cluster/objects/node-thin-pool.ts";
import { createLogger } from "../../../src/logger.ts";
import type { Service } from "../../../src/until-signal.ts";
import { freeMachine } from "../../harness/clean-machine.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";

export const NODE_NAME = "node1";
const NAMESPACE = "dmthin";
const LABELS = { "app.kubernetes.io/name": "dmthin", "app.kubernetes.io/component": "node" };

/** Both roles in this process, on the real kernel, with an API server in memory between them. */
export class RolesBench implements AsyncDisposable {
  readonly server = new SimulatedApiServer();
  readonly folder = mkdtempSync(join(tmpdir(), "dmthin-roles-"));
  readonly #logger = createLogger({ level: "warn", format: "text" });
  readonly #services = new Map<"node" | "controller", Service>();
  readonly #connections: Connection[] = [];

  /** A Node, and the pod of `dmthin node` on it. */
  async prepare(labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.server.objects(NODE).create({ metadata: { name: NODE_NAME, labels }, spec: {} });
    const status = { conditions: [{ type: "Ready", status: "True" }] };
    await this.server.objects(AGENT_POD, NAMESPACE).create({ metadata: { name: "agent", labels: LABELS }, spec: { nodeName: NODE_NAME }, status });
    mkdirSync(this.path("registry"), { recursive: true });
  }

  path = (name: string): string => join(this.folder, name);

  async startNode(): Promise<void> {
    const config = parseNodeConfig(
      {
        nodeName: NODE_NAME,
        socket: this.path("node.sock"),
        adminSocket: this.path("admin.sock"),
        registrationDirectory: this.path("registry"),
        stateDirectory: this.path("state"),
        runDirectory: this.path("run"),
      },
      "test",
    );
    this.#services.set("node", await startNode(config, { logger: this.#logger, version: "1.2.3", connect: async () => this.#connection() }));
  }

  async startController(): Promise<void> {
    const config = parseControllerConfig({ namespace: NAMESPACE, socket: this.path("controller.sock") }, "test");
    this.#services.set("controller", await startController(config, { logger: this.#logger, version: "1.2.3", connect: async () => this.#connection() }));
  }

  async stop(role: "node" | "controller"): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection[Symbol.dispose]();
    await this.#services.get(role)?.close(20_000, AbortSignal.timeout(10_000));
    this.#services.delete(role);
  }

  get controller(): Asked<"csi.v1.Controller"> {
    return this.#connect("controller.sock").service("csi.v1.Controller");
  }

  get node(): Asked<"csi.v1.Node"> {
    return this.#connect("node.sock").service("csi.v1.Node");
  }

  get registration(): Asked<"pluginregistration.Registration"> {
    return this.#connect("registry/csi.dmthin.io-reg.sock").service("pluginregistration.Registration");
  }

  async putPool(name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
    const pools = this.server.objects(THIN_POOL);
    if ((await pools.get(name)) === undefined) await pools.create({ metadata: { name }, spec });
    else await pools.patch(name, { spec });
  }

  async nodePool(name: string): Promise<NodeThinPool | undefined> {
    return this.server.objects(NODE_THIN_POOL).get(`${name}.${NODE_NAME}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of ["controller", "node"] as const) await this.stop(role);
    freeMachine();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #connect(socket: string): Connection {
    const connection = new Connection(this.path(socket));
    this.#connections.push(connection);
    return connection;
  }

  /** Ending one role's requests does not end the other's. */
  #connection() {
    const objects = this.server.objects.bind(this.server);
    return { objects, close: () => undefined };
  }
}
