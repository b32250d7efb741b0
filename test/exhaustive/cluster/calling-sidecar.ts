import { Controller } from "../../../src/cluster/controller/controller.ts";
import { AGENT_POD, NODE as CLUSTER_NODE } from "../../../src/cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL } from "../../../src/cluster/objects/kinds.ts";
import { nodeThinPoolName } from "../../../src/cluster/objects/node-thin-pool.ts";
import { isError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import { GiB } from "../../../src/units.ts";
import type { Call, Volumes } from "../../../src/volumes/volumes.ts";
import { NODE, POOL } from "../../contract/volumes/description.ts";
import type { SimulatedApiServer } from "../../simulation/api-server.ts";

export type Ask = (volumes: Volumes, call: Call) => Promise<unknown>;

const NAMESPACE = "dmthin";
const AGENT = "app.kubernetes.io/component";
const PATIENCE_MS = 3_000;

/** What the sidecars take as "still in progress". Source: csi/codes.ts. */
const REPEATED = ["in-progress", "being-deleted", "deadline", "api-unreachable", "api-conflict"] as const;

/** A controller, and a sidecar that makes a call again until it is answered. */
export class CallingSidecar implements AsyncDisposable {
  readonly #controller: Controller;

  private constructor(server: SimulatedApiServer) {
    this.#controller = new Controller({
      api: server,
      namespace: NAMESPACE,
      agentSelector: `${AGENT}=node`,
      nodeMissingForMs: 600_000,
      startupTaint: undefined,
      driverName: "csi.dmthin.io",
      logger: silentLogger,
    });
  }

  /** In a cluster that has a Node, the driver's pod on it, and a pool there. */
  static async start(server: SimulatedApiServer): Promise<CallingSidecar> {
    await server.objects(CLUSTER_NODE).create({ metadata: { name: NODE }, spec: {} });
    const status = { conditions: [{ type: "Ready", status: "True" }] };
    const pods = server.objects(AGENT_POD, NAMESPACE);
    await pods.create({ metadata: { name: "agent", labels: { [AGENT]: "node" } }, spec: { nodeName: NODE }, status });
    await server.objects(THIN_POOL).create({ metadata: { name: POOL }, spec: { backing: { devices: {} } } });
    const name = nodeThinPoolName(POOL, NODE);
    const pools = server.objects(NODE_THIN_POOL);
    await pools.create({ metadata: { name }, spec: { nodeName: NODE, poolName: POOL } });
    await pools.patch(name, { status: { phase: "Ready", state: "rw", availableBytes: 8 * GiB } }, { subresource: "status" });
    return new CallingSidecar(server);
  }

  /** An answer that no sidecar would repeat the call for is thrown. */
  async persist(ask: Ask): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const call: Call = { signal: AbortSignal.timeout(10_000), deadline: Date.now() + PATIENCE_MS, requestId: `attempt ${attempt}` };
      try {
        await ask(this.#controller.volumes, call);
        return;
      } catch (error) {
        if (!REPEATED.some((code) => isError(error, code))) throw error;
      }
    }
    throw new Error("it is never answered");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller.close();
  }
}
