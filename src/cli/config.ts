import { kubernetesNamespace, kubernetesNode } from "../config/environment.ts";
import { EXAMPLE } from "../config/example.ts";
import { loadConfig, loadControllerConfig, loadNodeConfig } from "../config/load.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import { CONTROLLER_EXAMPLE, NODE_EXAMPLE } from "../config/role-examples.ts";
import type { Role } from "../config/roles.ts";
import { DmthinError, isError } from "../errors.ts";
import { formatBytes } from "../units.ts";
import type { Terminal } from "./terminal.ts";

/** Says that a file is right, and what it describes. Throws "config-invalid" with every problem. */
export async function checkConfig(file: string, role: Role, { output }: Terminal): Promise<number> {
  const lines = [`${file} is valid.`, ...(await described[role](file)).map((line) => `  ${line}`)];
  output.write(`${lines.join("\n")}\n`);
  return 0;
}

/** What only a pod is told is no fault of a file that is checked elsewhere. */
const NOT_TOLD_HERE = "not-told-here";

const described: Readonly<Record<Role, (file: string) => Promise<readonly string[]>>> = {
  standalone: async (file) => {
    const { pools } = await loadConfig(file, "as argument").catch((error: unknown) => {
      throw withRoles(error);
    });
    return pools.map((pool) => `pool ${pool.name}${pool.isDefault ? " (default)" : ""}: ${summary(pool)}`);
  },
  node: async (file) => {
    const { nodeName, endpoint } = await loadNodeConfig(file, "as argument", kubernetesNode() ?? NOT_TOLD_HERE);
    return [`node ${nodeName === NOT_TOLD_HERE ? "as NODE_NAME tells it in its pod" : nodeName}, which the kubelet finds at ${endpoint}`];
  },
  controller: async (file) => {
    const { namespace, lease } = await loadControllerConfig(file, "as argument", kubernetesNamespace() ?? NOT_TOLD_HERE);
    return [
      `controller in ${namespace === NOT_TOLD_HERE ? "the namespace that POD_NAMESPACE tells in its pod" : `namespace ${namespace}`}, with the lease ${lease}`,
    ];
  },
};

/** Only the standalone file has pools: one without may be another role's. */
function withRoles(error: unknown): unknown {
  if (!isError(error, "config-invalid")) return error;
  const hint = "(a file of dmthin node or dmthin controller has none: --role node, --role controller)";
  const problems = error.facts.problems.map(({ path, message }) => ({
    path,
    message: path === "pools" && message === "is required" ? `${message} ${hint}` : message,
  }));
  return new DmthinError({ ...error.facts, problems }, { cause: error.cause });
}

function summary({ backing, chunkSize, filesystem }: PoolDescription): string {
  const rest = `chunks of ${formatBytes(chunkSize)}, ${filesystem}`;
  switch (backing.kind) {
    case "loop":
      return `${formatBytes(backing.dataSize)} of data and ${formatBytes(backing.metadataSize)} of metadata in files in ${backing.directory}, ${rest}`;
    case "devices":
      return `data on ${backing.data}, metadata on ${backing.metadata}, ${rest}`;
    case "directLvm":
      return `volume group ${backing.volumeGroup} of ${backing.devices.join(", ")}, ${rest}`;
    case "existing":
      return `the thin pool ${backing.pool} with the chunks that it has, ${filesystem}`;
  }
}

export function printExample(role: Role, { output }: Terminal): number {
  output.write({ standalone: EXAMPLE, node: NODE_EXAMPLE, controller: CONTROLLER_EXAMPLE }[role]);
  return 0;
}
