import { failureLine, succeeded, tallyLine, type Tally } from "../harness/tally.ts";
import { Cluster } from "../lab/cluster/cluster.ts";
import { CASES } from "./cases.ts";
import { choose } from "./choice.ts";
import { install } from "./installation.ts";
import { report } from "./report.ts";
import { runCases } from "./suite.ts";

/** Started by test/tasks/e2e.ts, in namespaces of its own, with the image's archive and words that choose cases by their names. */
const [image = "", ...words] = process.argv.slice(2);
const chosen = choose(CASES, words);
const tally = await played();
for (const failure of tally.failures ?? []) process.stdout.write(`${failureLine(failure)}\n`);
process.stdout.write(`${tallyLine(tally)}\n`);
process.exit(succeeded(tally) ? 0 : 1); // with all that runs in these namespaces

async function played(): Promise<Tally> {
  if (chosen.length === 0) {
    process.stderr.write(`no case has ${words.join(" or ")} in its name. There are:\n${CASES.map(({ name }) => `  ${name}\n`).join("")}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  await using cluster = await Cluster.start({ nodes: 2, poolDisks: ["8G"], images: [image] });
  try {
    await install(cluster);
  } catch (error) {
    await report(cluster, "installation", undefined);
    throw error;
  }
  return await runCases(cluster, chosen, CASES.length - chosen.length);
}
