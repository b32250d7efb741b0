import { connectApiServer } from "../../../src/cluster/api/connect.ts";
import type { KubernetesApiServer } from "../../../src/cluster/api/kubernetes-objects.ts";
import type { ApiServer, ObjectsApi } from "../../../src/cluster/api/objects-api.ts";
import { AGENT_POD, NODE } from "../../../src/cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME, type Kind } from "../../../src/cluster/objects/kinds.ts";
import type { ApiObject } from "../../../src/cluster/objects/meta.ts";
import { silentLogger } from "../../../src/logger.ts";
import { ClusterWorld } from "./cluster-world.ts";
import { NAMESPACE } from "./description.ts";
import type { World, WorldOptions } from "./world.ts";

const KINDS: readonly Kind<ApiObject>[] = [THIN_VOLUME, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, NODE_THIN_POOL, THIN_POOL, NODE];

/** On a machine that does much else besides. */
const PATIENCE_MS = 30_000;

/** The same cluster with its objects in a real API server, which has the chart's CRDs and the namespace, and one such world at a time. */
export class RealApiWorld extends ClusterWorld implements World {
  readonly #server: KubernetesApiServer;

  private constructor(options: WorldOptions, server: KubernetesApiServer) {
    super(options, server, PATIENCE_MS);
    this.#server = server;
  }

  /** Finds or makes the API server without what the world before has left. */
  static async create(options: WorldOptions, kubeconfig: string): Promise<RealApiWorld> {
    const server = await connectApiServer({ kubeconfig, service: undefined, userAgent: "dmthin-contract", logger: silentLogger });
    await removeObjects(server);
    return new RealApiWorld(options, server);
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    this.#server.close();
  }
}

async function removeObjects(server: ApiServer): Promise<void> {
  for (const kind of KINDS) await removeAll(server.objects(kind));
  await removeAll(server.objects(AGENT_POD, NAMESPACE));
}

async function removeAll(api: ObjectsApi<ApiObject>): Promise<void> {
  for (const { metadata } of (await api.list()).items) {
    await api.patch(metadata.name, { metadata: { finalizers: [] } }); // nobody is there any more to take his own away
    await api.delete(metadata.name);
  }
}
