import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RealApiServer } from "../chart/api-server.ts";
import { runJest } from "../harness/jest.ts";
import { failureLine, succeeded, sum, tallyLine } from "../harness/tally.ts";
import { checkout } from "../lab/checkout.ts";
import { ownFolder } from "../lab/cluster/cluster.ts";
import { run } from "../lab/command.ts";
import { NAMESPACE } from "./volumes/description.ts";

/**
 * Started by test/tasks/contract.ts, in namespaces of its own: what unit tests rely on the simulated API server for, and the
 * contract of volumes that are asked for through objects, on a real one with the chart's CRDs. Words choose among the latter.
 */
const words = process.argv.slice(2);
await run(["ip", "link", "set", "lo", "up"]);
const folder = await ownFolder();
process.env["TMPDIR"] = folder; // it goes with the namespaces, whatever ends us
const server = await RealApiServer.start();
const definitions = join(checkout, "charts/dmthin/files/crds");
const texts = await Promise.all((await readdir(definitions)).map(async (name) => readFile(join(definitions, name), "utf8")));
await server.must(["apply", "--server-side", "-f", "-"], texts.join("\n---\n"));
await server.must(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
await server.must(["create", "namespace", NAMESPACE]);
const kubeconfig = join(folder, "kubeconfig");
await writeFile(kubeconfig, server.kubeconfig(), { mode: 0o600 });

/** Nodes are objects of all who ask, so one test at a time. */
const jest = async (project: string, args: readonly string[]) =>
  runJest([project], args, ["--runInBand"], { API_CONTRACT_KUBECONFIG: kubeconfig, LAB_THROUGH: "objects", TMPDIR: folder });

const api = words.length === 0 ? [await jest("unit", ["--testPathPatterns=unit/cluster/api-contract"])] : [];
const volumes = await jest("contract", words.length === 0 ? ["--testPathPatterns=contract/volumes"] : words);
const parts = [...api, volumes];
const tally = sum(parts);
for (const failure of tally.failures ?? []) process.stdout.write(`${failureLine(failure)}\n`);
process.stdout.write(`${tallyLine(tally)}\n`);
const isChoice = words.length > 0; // of which this part may have none
process.exit(tally.failed === 0 && (isChoice || parts.every(succeeded)) ? 0 : 1); // with all that runs in these namespaces
