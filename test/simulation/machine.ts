import { SimulatedKernel } from "./kernel.ts";
import { MountTable } from "./mount-table.ts";

/** A simulated machine: kernel, disks and mounts. Processes are started over it, and a power cut ends all but its disks. */
export class SimulatedMachine {
  readonly kernel = new SimulatedKernel();
  readonly mounts = new MountTable(this.kernel);
  /** Directories and files that mounts are made on: "directory" or "file" by absolute path. They outlive power cuts. */
  readonly paths = new Map<string, "directory" | "file">();
}
