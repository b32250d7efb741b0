import { DmthinError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { describeClusterPool } from "./cluster-pool.ts";
import { at } from "./document-paths.ts";
import { readText, readYaml } from "./load.ts";
import { parseNodeConfig } from "./node.ts";
import { SavedPools, type SavedPool } from "./saved-pools.ts";
import { parseConfig, type StandaloneConfig } from "./standalone.ts";

/** Which pools a machine has, and where what it knows of them is. */
export type PoolsHere = Pick<StandaloneConfig, "pools" | "stateDirectory" | "runDirectory">;

/** For commands that work on disks, no matter which cluster the machine is in: the name is asked of nobody. */
const ANY_NODE = "any";

/**
 * The pools by a configuration file of standalone, or by one of a node: that has no pools, and those that the node has
 * last accepted are in its state directory. Throws "config-invalid" with every problem.
 */
export async function loadPoolsHere(path: string, logger: Logger): Promise<PoolsHere> {
  const written = readYaml(await readText(path, "by --config"), path);
  if (!isOfNode(written)) return parseConfig(written, path);
  const { stateDirectory, runDirectory } = parseNodeConfig(written, path, ANY_NODE);
  const taken: SavedPool[] = [];
  const pools = [];
  for (const pool of await new SavedPools(stateDirectory, logger).read()) {
    pools.push(describeClusterPool(pool, { stateDirectory, runDirectory, others: taken }));
    taken.push(pool);
  }
  if (pools.length > 0) return { pools, stateDirectory, runDirectory };
  const message = `says nothing of pools, and no ThinPool was ever accepted on this node (${stateDirectory}): name the configuration that describes them`;
  throw new DmthinError({ code: "config-invalid", source: path, problems: [{ path: "", message }] });
}

/** Pools are what the standalone file cannot do without. */
const isOfNode = (written: unknown): boolean => typeof written === "object" && written !== null && at(written, ["pools"]) === undefined;
