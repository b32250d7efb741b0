import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runJest } from "../harness/jest.ts";
import { succeeded, tallyLine } from "../harness/tally.ts";
import { Certificates } from "../lab/cluster/certificates.ts";
import { ownFolder } from "../lab/cluster/cluster.ts";
import { ControlPlane } from "../lab/cluster/control-plane.ts";
import { layNetwork } from "../lab/cluster/network.ts";
import { clusterTools, program } from "../lab/cluster/tools.ts";
import { checkout } from "../lab/checkout.ts";
import { run } from "../lab/command.ts";

/** Started by test/tasks/e2e.ts, in namespaces of its own: what unit tests rely on the simulated API server for, on a real one with the chart's CRDs. */
const tools = await clusterTools();
await layNetwork();
const folder = await ownFolder();
const plane = await ControlPlane.start(tools, await Certificates.create(folder), join(folder, "control-plane"));
const kubectl = [program(tools, "kubectl"), "--kubeconfig", plane.kubeconfig];
const definitions = join(checkout, "charts/dmthin/files/crds");
const texts = await Promise.all((await readdir(definitions)).map(async (name) => readFile(join(definitions, name), "utf8")));
await run([...kubectl, "apply", "--server-side", "-f", "-"], { input: texts.join("\n---\n") });
await run([...kubectl, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
const tally = await runJest(["unit"], ["unit/cluster/api-contract"], [], { API_CONTRACT_KUBECONFIG: plane.kubeconfig });
process.stdout.write(`${tallyLine(tally)}\n`);
process.exit(succeeded(tally) ? 0 : 1); // with all that runs in these namespaces
