import { runJest } from "../harness/jest.ts";
import { testCommand } from "../harness/test-command.ts";
import { clusterTools } from "../lab/cluster/tools.ts";

/** Built before jest's limits begin to count. */
await testCommand(
  [
    {
      name: "the chart, by helm and by a real API server",
      run: async () => {
        await clusterTools();
        return runJest(["chart"], process.argv.slice(2));
      },
    },
  ],
  { root: true, takesArguments: true },
);
