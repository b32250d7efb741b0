import type { ClusterWork } from "./cli/cluster-commands.ts";
import { connectApiServer } from "./cluster/api/connect.ts";
import type { ApiServer } from "./cluster/api/objects-api.ts";
import { applyPools, heldByNodes, poolHealth } from "./cluster/installation/installation.ts";
import { kubernetesService } from "./config/environment.ts";
import { createLogger } from "./logger.ts";

/** What the commands of `dmthin cluster` do, by a pod's service account or a kubeconfig file. Throws "config-invalid" where there is neither. */
export async function clusterWork(kubeconfig: string | undefined, version: string): Promise<ClusterWork> {
  const logger = createLogger({ level: "warn", format: "text" });
  const connect = async () => connectApiServer({ kubeconfig, service: kubernetesService(), logger, userAgent: `dmthin-cluster/${version}` });
  const asking = async <Answer>(ask: (server: ApiServer) => Promise<Answer>): Promise<Answer> => {
    const server = await connect();
    try {
      return await ask(server);
    } finally {
      server.close(); // what is open would keep the process
    }
  };
  return {
    applyPools: async (pools) => asking(async (server) => applyPools(server, pools)),
    held: async () => asking(heldByNodes),
    health: async () => asking(poolHealth),
  };
}
