import { runJest, runJestInGuest } from "../harness/jest.ts";
import { testCommand } from "../harness/test-command.ts";

const args = process.argv.slice(2);

await testCommand(
  [
    { name: "killed and failing at every step, on the simulated kernel", run: () => runJest(["exhaustive"], args) },
    { name: "killed at every step, on a real kernel", run: () => runJestInGuest("crash", args, { disks: ["8G", "2G"] }) },
    { name: "power cuts", run: () => runJest(["power-cut"], args) },
  ],
  { root: true, takesArguments: true },
);
