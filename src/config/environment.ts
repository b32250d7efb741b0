/**
 * What the process is told by those that start it, not by an administrator: options have one place, the file.
 *
 * DMTHIN_DEAD_MAN_FD is set by pool/dead-man.sh when that started the driver: the end of its pipe that is ours.
 */
export function deadManDescriptor(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = environment["DMTHIN_DEAD_MAN_FD"];
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

/** Where a pod runs, which only the cluster knows: given to it by the downward API. A name in the file goes first. */
export const kubernetesNode = (environment: NodeJS.ProcessEnv = process.env): string | undefined => given(environment["NODE_NAME"]);
export const kubernetesNamespace = (environment: NodeJS.ProcessEnv = process.env): string | undefined => given(environment["POD_NAMESPACE"]);

/** Where the API server is for a pod: the kubelet tells each of them. */
export function kubernetesService(environment: NodeJS.ProcessEnv = process.env): { readonly host: string; readonly port: string } | undefined {
  const [host, port] = [given(environment["KUBERNETES_SERVICE_HOST"]), given(environment["KUBERNETES_SERVICE_PORT"])];
  return host === undefined || port === undefined ? undefined : { host, port };
}

const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
