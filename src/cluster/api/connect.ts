import { DmthinError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import { ApiClient, type ApiClientOptions } from "./api-client.ts";
import type { Connection } from "./connection.ts";
import { InClusterConnection, type ServiceAddress } from "./in-cluster.ts";
import { KubernetesApiServer } from "./kubernetes-objects.ts";

export interface ConnectOptions extends ApiClientOptions {
  /** A file's path; undefined: the pod's service account. */
  readonly kubeconfig: string | undefined;
  /** As the pod's environment has it; undefined: this is no pod. */
  readonly service: ServiceAddress | undefined;
  readonly logger: Logger;
}

/** Asks the API server nothing yet: one that is away is no reason not to start. Throws "config-invalid". */
export async function connectApiServer(options: ConnectOptions): Promise<KubernetesApiServer> {
  return new KubernetesApiServer(new ApiClient(await connectionOf(options), options), options.logger);
}

async function connectionOf({ kubeconfig, service }: ConnectOptions): Promise<Connection> {
  if (kubeconfig !== undefined) return new (await import("./kubeconfig.ts")).KubeconfigConnection(kubeconfig);
  if (service !== undefined) {
    const connection = new InClusterConnection(service);
    await connection.access();
    return connection;
  }
  const message = "is needed here: this process runs in no pod, where it would use the pod's service account";
  throw new DmthinError({ code: "config-invalid", source: "the configuration", problems: [{ path: "kubeconfig", message }] });
}
