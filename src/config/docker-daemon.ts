import { stringify } from "yaml";
import { DmthinError } from "../errors.ts";
import { dockerPool } from "./docker-pool.ts";
import { at } from "./document-paths.ts";
import { readText, readYaml } from "./load.ts";
import { DEFAULT_STATE_DIRECTORY } from "./driver-options.ts";
import { parseConfig } from "./standalone.ts";

export interface FromDocker {
  /** A configuration that works as it stands. */
  readonly yaml: string;
  /** What was left out, and what is different. */
  readonly warnings: readonly string[];
}

const NAME = "docker";

/** The configuration that Docker's daemon.json amounts to. Throws "config-invalid" when it has nothing of devicemapper's, or is wrong. */
export async function fromDocker(path: string): Promise<FromDocker> {
  return translate(readYaml(await readText(path, "as argument"), path), path);
}

export function translate(daemon: unknown, source: string): FromDocker {
  const driver = at(daemon, ["storage-driver"]);
  const found = at(daemon, ["storage-opts"]) ?? [];
  if (!Array.isArray(found) || !found.every((one) => typeof one === "string")) throw invalid(source, "storage-opts", "is not a list of options");
  const options: readonly string[] = found;
  const own = options.filter((option) => /^\s*dm\./i.test(option));
  if (driver !== undefined && driver !== "devicemapper")
    throw invalid(source, "storage-driver", `is ${JSON.stringify(driver)}, and only devicemapper's options are known here`);
  if (driver === undefined && own.length === 0) throw invalid(source, "", "says nothing of the devicemapper storage driver");
  const { pool, problems, refused } = dockerPool(own, { name: NAME }, `${DEFAULT_STATE_DIRECTORY}/${NAME}`);
  if (problems.length > 0) {
    const wrong = problems.map(({ index, message }) => ({ path: `storage-opts[${options.indexOf(own[index] ?? "")}]`, message }));
    throw new DmthinError({ code: "config-invalid", source, problems: wrong });
  }
  const document = { pools: [pool] };
  parseConfig(document, source, "node");
  return {
    yaml: `# What ${source.replaceAll(/\p{Cc}/gu, "?")} amounts to, with Docker's defaults written out: see docs/migration-from-docker.md.\n${stringify(document)}`,
    warnings: [
      "Docker's images and containers are not taken over: this describes a pool that is empty",
      ...refused.map(({ message }) => `left out: ${message}`),
      ...options.filter((option) => !own.includes(option)).map((option) => `left out: ${option} is not an option of devicemapper`),
      ...cautions(pool),
      ...(at(pool, ["chunkSize"]) === "512Ki" ? ["chunkSize is Docker's, for pools that zero nothing: 64Ki is better here, see docs/pools.md"] : []),
    ],
  };
}

function cautions(pool: object): readonly string[] {
  const made = at(pool, ["backing", "existing", "pool"]);
  const disks = at(pool, ["backing", "directLvm", "devices"]);
  const devices = at(pool, ["backing", "devices"]);
  return [
    ...(typeof made === "string" ? [`the thin pool ${made} is taken only when nothing of Docker's is left in it: make a new one`] : []),
    ...(Array.isArray(disks)
      ? [
          `while ${disks.join(", ")} holds Docker's volume group it is refused: remove that first, with vgremove and pvremove, then blank what they leave with "blkdiscard --zeroout" over its first and last MiB`,
        ]
      : []),
    ...(devices === undefined
      ? []
      : ["devices that hold Docker's pool are refused: clear them first, with wipefs and by zeroing the first 64 KiB of metadata"]),
  ];
}

const invalid = (source: string, path: string, message: string, cause?: unknown): DmthinError =>
  new DmthinError({ code: "config-invalid", source, problems: [{ path, message }] }, { cause });
