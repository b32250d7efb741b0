import { bytes, GiB, MiB } from "../../../src/units.ts";
import { SimulatedDeviceMapper } from "../../simulation/device-mapper.ts";
import type { BlockDevice } from "../../simulation/disk.ts";
import { refusal } from "../../simulation/errno.ts";
import { SimulatedMachine } from "../../simulation/machine.ts";
import { SimulatedProcess } from "../../simulation/process.ts";
import { SimulatedSlowCalls } from "../../simulation/slow-calls.ts";
import { SimulatedThinTools } from "../../simulation/thin-tools.ts";
import { waiting } from "../../simulation/waiting.ts";
import type { Disk, KernelUnderTest } from "./kernel.ts";

/** A machine of its own for each test: `clean` has nothing to do. */
export function simulatedKernel(): KernelUnderTest {
  const machine = new SimulatedMachine();
  const { kernel } = machine;
  const process = new SimulatedProcess();
  const disk = (path: string, size: number): Disk => {
    const { major, minor } = kernel.addDisk(path, size);
    return { path, major, minor, sizeBytes: bytes(size) };
  };
  const block = (path: string): BlockDevice => {
    const found = kernel.block(path);
    if (found === undefined) throw refusal("open", path, "ENXIO");
    return found;
  };
  return {
    dm: new SimulatedDeviceMapper(kernel, process),
    slow: new SimulatedSlowCalls(machine, process),
    tools: new SimulatedThinTools(kernel, process),
    data: disk("/dev/simulated0", 8 * GiB),
    metadata: disk("/dev/simulated1", 2 * GiB),
    write: async (path, offset, data) =>
      waiting(() => {
        block(path).write(offset, data);
        block(path).flush();
      }),
    read: async (path, offset, length) => waiting(() => block(path).read(offset, length)),
    hold: (path) => block(path).open(),
    blank: (path) => block(path).write(0, Buffer.alloc(MiB)),
    clean: async () => undefined,
    close: async () => undefined,
  };
}
