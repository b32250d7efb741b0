import type { SlowCall, SlowCalls } from "../../src/devicemapper/device-mapper.ts";
import { DmthinError } from "../../src/errors.ts";
import type { Bytes } from "../../src/units.ts";
import { refusal } from "./errno.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { SimulatedProcess } from "./process.ts";

/** A process's slow calls, on the simulated machine. A deadline is a real one: nothing else ends a wait. */
export class SimulatedSlowCalls implements SlowCalls {
  readonly #machine: SimulatedMachine;
  readonly #process: SimulatedProcess;

  constructor(machine: SimulatedMachine, process: SimulatedProcess) {
    this.#machine = machine;
    this.#process = process;
  }

  suspend(uuid: string, deadlineMs: number): SlowCall {
    return this.#call("suspend", uuid, deadlineMs, () => this.#machine.kernel.device(uuid, "suspend").suspend({ noFlush: false, skipFreeze: false }));
  }

  discard(devicePath: string, from: Bytes, length: Bytes, deadlineMs: number): SlowCall {
    return this.#call("discard", devicePath, deadlineMs, () => {
      const device = this.#machine.kernel.block(devicePath);
      if (device === undefined) throw refusal("discard", devicePath, "ENXIO");
      device.discard(from, length);
    });
  }

  syncFilesystem(mountPoint: string, deadlineMs: number): SlowCall {
    return this.#call("syncfs", mountPoint, deadlineMs, () => this.#machine.mounts.resolve(mountPoint)?.entry.filesystem?.writeOut());
  }

  async close(): Promise<void> {}

  #call(verb: string, subject: string, deadlineMs: number, run: () => void): SlowCall {
    const ended = Promise.resolve().then(async () => this.#process.changeSlowly(verb, subject, run));
    const outcome = ended.then(
      () => ({ error: undefined }),
      (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
    );
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => deadline.reject(new DmthinError({ code: "deadline", operation: `${verb} of ${subject}` })), deadlineMs);
    const done = Promise.race([ended, deadline.promise]).finally(() => clearTimeout(timer));
    done.catch(() => undefined);
    return { done, outcome };
  }
}
