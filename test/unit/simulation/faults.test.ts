import { describe, expect, test } from "@jest/globals";
import { isErrno } from "../../../src/errors.ts";
import { SimulatedDeviceMapper } from "../../simulation/device-mapper.ts";
import { SimulatedMachine } from "../../simulation/machine.ts";
import { ProcessEnded, SimulatedProcess } from "../../simulation/process.ts";
import { SimulatedSlowCalls } from "../../simulation/slow-calls.ts";

function machine() {
  const simulated = new SimulatedMachine();
  const process = new SimulatedProcess();
  return { simulated, process, dm: new SimulatedDeviceMapper(simulated.kernel, process), slow: new SimulatedSlowCalls(simulated, process) };
}

/** What no real kernel does at a word, and the crash tests stand on: that deaths and faults come where they were asked for. */
describe("faults of the simulated machine", () => {
  test("a process that dies before a step has not done it, after it has, and does nothing more in either case", () => {
    for (const [moment, count] of [
      ["before", 1],
      ["after", 2],
    ] as const) {
      const { simulated, process, dm } = machine();
      process.killAt(1, moment);
      dm.create("one", "ONE");
      expect(() => dm.create("two", "TWO")).toThrow(ProcessEnded);
      expect(() => dm.remove("ONE")).toThrow(ProcessEnded);
      expect(() => dm.list()).toThrow(ProcessEnded);
      expect(simulated.kernel.devices).toHaveLength(count);
    }
  });

  test("the nth call of a verb fails, once, and has no effect", () => {
    const { process, dm, simulated } = machine();
    process.faults.fail("create", 2, "ENOMEM");
    dm.create("one", "ONE");
    expect(() => dm.create("two", "TWO")).toThrow("ENOMEM");
    expect(simulated.kernel.devices).toHaveLength(1);
    dm.create("two", "TWO");
  });

  test("a call that hangs is given up at its deadline, and ends when the kernel lets go of it", async () => {
    const { process, dm, slow } = machine();
    dm.create("one", "ONE");
    dm.load("ONE", [{ start: 0 as never, length: 8 as never, type: "error", parameters: "" }]);
    dm.resume("ONE");
    const release = process.faults.hang("suspend");
    const call = slow.suspend("ONE", 1);
    await expect(call.done).rejects.toMatchObject({ facts: { code: "deadline" } });
    expect(dm.info("ONE")?.suspended).toBe(false);
    release();
    expect(await call.outcome).toEqual({ error: undefined });
    expect(dm.info("ONE")?.suspended).toBe(true);
  });

  test("a slow call that cannot be made at all ends with its errno", async () => {
    const { slow } = machine();
    const { error } = await slow.suspend("NOBODY", 1_000).outcome;
    expect(isErrno(error, "ENXIO")).toBe(true);
  });
});
