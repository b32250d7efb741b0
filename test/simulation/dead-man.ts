import type { DeadMan } from "../../src/pool/engine-parts.ts";
import type { SimulatedKernel } from "./kernel.ts";
import type { SimulatedProcess } from "./process.ts";

/** The dead man's handle of a simulated process: when that is killed, it resumes what was armed. */
export class SimulatedDeadMan implements DeadMan {
  readonly #process: SimulatedProcess;
  readonly #armed = new Set<string>();

  constructor(kernel: SimulatedKernel, process: SimulatedProcess) {
    this.#process = process;
    process.onDeath(() => {
      for (const uuid of this.#armed) kernel.find(uuid)?.resume();
    });
  }

  arm(uuids: readonly string[]): void {
    this.#process.look(() => uuids.forEach((uuid) => this.#armed.add(uuid)));
  }

  disarm(uuids: readonly string[]): void {
    if (!this.#process.dead) uuids.forEach((uuid) => this.#armed.delete(uuid));
  }

  close(): void {}
}
