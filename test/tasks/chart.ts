import { runJest } from "../harness/jest.ts";
import { JEST_WORDS, testCommand } from "../harness/test-command.ts";
import { clusterTools } from "../lab/cluster/tools.ts";

/** What is built is built before jest's limits begin to count; those are for a machine that does something else meanwhile. */
await testCommand(
  [
    {
      name: "the chart, by helm and by a real API server",
      run: async () => {
        await clusterTools();
        return runJest(["chart"], process.argv.slice(2), ["--runInBand", "--testTimeout=120000"]);
      },
    },
  ],
  { root: true, words: JEST_WORDS },
);
