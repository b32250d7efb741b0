import { backingCommand } from "../harness/backing-option.ts";
import { runJest, runJestInGuest } from "../harness/jest.ts";
import type { Part } from "../harness/test-command.ts";

/** A driver takes seconds to start under LVM: the others are left to the pass before, and to `--backing directLvm`. */
const SCENARIOS_ON_LVM = "create|snapshot of a mounted filesystem|delete of a group|the pool is made larger";
const ON_LVM = ["--testPathPatterns=crash/(killed-at-every-step|missing-flush)", `--testNamePattern=: (${SCENARIOS_ON_LVM})|^what was acknowledged`];

const DISKS = ["8G", "2G"];
const LVM = { LAB_BACKING: "directLvm" };

await backingCommand(({ backing, args }) => {
  const simulated: Part = { name: "killed and failing at every step, on the simulated kernel", run: () => runJest(["exhaustive"], args) };
  const onDevices: Part = { name: "killed at every step, on a real kernel", run: () => runJestInGuest("crash", args, { disks: DISKS }) };
  const onLvm: Part = {
    name: "killed at every step, on a real kernel, the pool on a whole disk",
    run: () => runJestInGuest("crash", args.length === 0 && backing === undefined ? ON_LVM : args, { disks: DISKS, environment: LVM }),
  };
  const cuts: Part = { name: "power cuts", run: () => runJest(["power-cut"], args) };
  const cutsOnLvm: Part = { name: "power cuts, the pool on a whole disk", run: () => runJest(["power-cut"], args, [], LVM) };
  const byItself = [simulated, onDevices, onLvm, cuts, cutsOnLvm];
  return { devices: [onDevices, cuts], directLvm: [onLvm, cutsOnLvm], byItself }[backing ?? "byItself"];
});
