import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "../../lab/checkout.ts";
import { Cluster } from "../../lab/cluster/cluster.ts";
import { run } from "../../lab/command.ts";
import { AUDIT_POLICY } from "./audit.ts";
import { claims } from "./claims.ts";
import { install } from "./cluster-installation.ts";
import { table, type Findings } from "./figures.ts";
import { scale } from "./scale.ts";

/** Started by test/tasks/bench.ts, in namespaces of its own, with the image's archive: what the driver costs a cluster, and its users. */
const [image = ""] = process.argv.slice(2);
const resultsFile = join(checkout, ".results/cluster.json");

const begun = Date.now();
const progress = (text: string): void => void process.stderr.write(`bench (${((Date.now() - begun) / 1000).toFixed(0)} s): ${text}\n`);

async function onCluster(): Promise<readonly Findings[]> {
  await using cluster = await Cluster.start({ nodes: 2, poolDisks: ["8G", "4G"], images: [image], auditPolicy: AUDIT_POLICY });
  await install(cluster);
  return await claims(cluster, progress);
}

const found: Findings[] = [];

/** Told at once: a run is long. */
function tell(more: readonly Findings[]): void {
  found.push(...more);
  mkdirSync(dirname(resultsFile), { recursive: true });
  writeFileSync(resultsFile, `${JSON.stringify(found, undefined, 2)}\n`);
  process.stdout.write(`${more.map(table).join("\n")}\n`);
}

await run(["ip", "link", "set", "lo", "up"]);
tell([await scale(progress)]);
tell(await onCluster());
process.stdout.write(`Nodes are guests of one CPU each, beside the control plane on this machine's; times of claims and pods are from the request
that makes the claim to the watch that tells. What the driver's calls took is from its own log. Times of requests are the API
server's own, from a request's arrival to its answer; between them are the way there and back, and the driver.
`);
process.exit(0); // with all that runs in these namespaces
