import { runJest, runJestInGuest } from "../harness/jest.ts";
import { testCommand } from "../harness/test-command.ts";

const args = process.argv.slice(2);

await testCommand(
  [
    { name: "contract on the simulated kernel", run: () => runJest(["contract"], args) },
    { name: "contract on a real kernel", run: () => runJestInGuest("contract", args, { disks: ["8G", "2G"] }) },
  ],
  { root: true, takesArguments: true },
);
