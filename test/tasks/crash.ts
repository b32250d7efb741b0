import { backingCommand } from "../harness/backing-option.ts";
import { runJest, runJestInGuest } from "../harness/jest.ts";
import type { Part } from "../harness/test-command.ts";

/** The dead man's handle, which takes longest, has nothing to do with what the pool lies on: `--backing directLvm` has it too. */
const ON_LVM = ["--testPathPatterns=crash/(killed-at-every-step|missing-flush)"];

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
