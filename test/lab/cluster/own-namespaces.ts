import { nodeBinary } from "../checkout.ts";

/**
 * The command line that runs a script under Node in network, mount and process namespaces of its own. Whatever it starts, mounts or
 * connects is unseen by the machine and by other runs beside it, and is gone when it ends, in whatever way that happens.
 * Such a script has no network but its own: what a cluster is made of is fetched before (`prepareCluster`).
 */
export function inOwnNamespaces(script: string, args: readonly string[]): readonly string[] {
  const unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  return ["setpriv", "--pdeathsig", "KILL", ...unshare, nodeBinary, "--disable-warning=ExperimentalWarning", script, ...args];
}
