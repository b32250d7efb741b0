import { runJest, runJestInGuest } from "../harness/jest.ts";
import { testCommand } from "../harness/test-command.ts";

const args = process.argv.slice(2);

/** A pool under LVM takes seconds to make: what hardly depends on it is left to the pass before. An old catalogue is put back in the state directory, where such a pool has none; one that is quickly full is too small for a volume group. */
const FILES_ON_LVM = ["--testPathPatterns=volumes/(snapshots|expansion|recovery)"];
const TESTS_ON_LVM = ["--testNamePattern=^(?!.*(an old catalogue|a full pool))"];

/** What a node has accepted is carried out later, though its caller was told to try again: test/unit/cluster/controller/with-a-node.test.ts. */
const FILES_THROUGH_OBJECTS = ["--testPathPatterns=contract/volumes"];
const TESTS_THROUGH_OBJECTS = ["--testNamePattern=^(?!.*(told to try again, and nothing of it happens))"];

await testCommand(
  [
    { name: "contract on the simulated kernel", run: () => runJest(["contract"], args) },
    {
      name: "contract through objects, on the simulated kernel",
      run: () => runJest(["contract"], [...(args.length === 0 ? FILES_THROUGH_OBJECTS : args), ...TESTS_THROUGH_OBJECTS], [], { LAB_THROUGH: "objects" }),
    },
    { name: "contract on a real kernel", run: () => runJestInGuest("contract", args, { disks: ["8G", "2G"] }) },
    {
      name: "contract on a real kernel, pools on a whole disk",
      run: () =>
        runJestInGuest("contract", [...(args.length === 0 ? FILES_ON_LVM : args), ...TESTS_ON_LVM], {
          disks: ["8G", "2G"],
          environment: { LAB_BACKING: "directLvm" },
        }),
    },
  ],
  { root: true, takesArguments: true },
);
