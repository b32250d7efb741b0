import type { DeadMan } from "../../src/pool/engine-parts.ts";
import type { SimulatedKernel } from "./kernel.ts";
import type { SimulatedProcess } from "./process.ts";

/** The dead man's handle of a simulated process: when that is killed, it resumes what was armed. */
export class SimulatedDeadMan implements DeadMan {
  readonly #process: SimulatedProcess;
  /** As often as it was armed and not disarmed, as the script has it. */
  readonly #armed: string[] = [];

  constructor(kernel: SimulatedKernel, process: SimulatedProcess) {
    this.#process = process;
    process.onDeath(() => {
      for (const uuid of this.#armed) kernel.find(uuid)?.resume();
    });
  }

  arm(uuids: readonly string[]): void {
    this.#process.look(() => this.#armed.push(...uuids));
  }

  disarm(uuids: readonly string[]): void {
    if (this.#process.dead) return;
    for (const uuid of uuids.filter((each) => this.#armed.includes(each))) this.#armed.splice(this.#armed.indexOf(uuid), 1);
  }

  close(): void {}
}
