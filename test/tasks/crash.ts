import { runJest, runJestInGuest } from "../harness/jest.ts";
import { testCommand } from "../harness/test-command.ts";

const args = process.argv.slice(2);

/** The others do to a pool's volumes what has nothing to do with what it lies on. */
const FILES_ON_LVM = ["--testPathPatterns=crash/killed-at-every-step"];

await testCommand(
  [
    { name: "killed and failing at every step, on the simulated kernel", run: () => runJest(["exhaustive"], args) },
    { name: "killed at every step, on a real kernel", run: () => runJestInGuest("crash", args, { disks: ["8G", "2G"] }) },
    {
      name: "killed at every step, on a real kernel, the pool on a whole disk",
      run: () => runJestInGuest("crash", args.length === 0 ? FILES_ON_LVM : args, { disks: ["8G", "2G"], environment: { LAB_BACKING: "directLvm" } }),
    },
    { name: "power cuts", run: () => runJest(["power-cut"], args) },
  ],
  { root: true, takesArguments: true },
);
