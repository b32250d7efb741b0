import { join } from "node:path";
import { backingCommand } from "../harness/backing-option.ts";
import { runJest, runJestInGuest } from "../harness/jest.ts";
import { runProgram } from "../harness/part.ts";
import type { Part } from "../harness/test-command.ts";
import { inOwnNamespaces } from "../lab/cluster/own-namespaces.ts";
import { clusterTools } from "../lab/cluster/tools.ts";

/** The others make no pool of the driver's: they ask the kernel itself. */
const VOLUMES = ["--testPathPatterns=contract/volumes"];
/** A pool under LVM takes seconds to make: what hardly depends on it is left to the pass before, and to `--backing directLvm`. */
const VOLUMES_ON_LVM = ["--testPathPatterns=volumes/(snapshots|expansion|recovery|care)"];

const orAll = (args: readonly string[], all: readonly string[]): readonly string[] => (args.length === 0 ? all : args);

await backingCommand(({ backing, args }) => {
  const simulated: Part = { name: "contract on the simulated kernel", run: () => runJest(["contract"], args) };
  const throughObjects: Part = {
    name: "contract through objects, on the simulated kernel",
    run: () => runJest(["contract"], orAll(args, VOLUMES), [], { LAB_THROUGH: "objects" }),
  };
  const onRealApiServer: Part = {
    name: "contract through objects, on a real API server",
    run: async () => {
      await clusterTools(); // built before, for its namespaces have no network
      return runProgram(inOwnNamespaces(join(import.meta.dirname, "../contract/real-api-server.ts"), args));
    },
  };
  const onDevices: Part = { name: "contract on a real kernel", run: () => runJestInGuest("contract", args, { disks: ["8G", "2G"], guests: 2 }) };
  const onLvm: Part = {
    name: "contract on a real kernel, pools on a whole disk",
    run: () =>
      runJestInGuest("contract", orAll(args, backing === "directLvm" ? VOLUMES : VOLUMES_ON_LVM), {
        disks: ["8G", "2G"],
        environment: { LAB_BACKING: "directLvm" },
      }),
  };
  const byItself = [simulated, throughObjects, onRealApiServer, onDevices, onLvm];
  return { devices: [onDevices], directLvm: [onLvm], byItself }[backing ?? "byItself"];
});
