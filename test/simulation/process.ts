import { Faults } from "./faults.ts";
import { waiting } from "./waiting.ts";

/** Thrown into code that goes on after its process was killed: nothing that it does has an effect any more. */
export class ProcessEnded extends Error {
  constructor() {
    super("this simulated process was killed");
  }
}

/** A process over the simulated machine: what it may still do, what shall go wrong for it, and when it dies. */
export class SimulatedProcess {
  readonly faults = new Faults();
  /** Names of the calls that changed the machine, in order. */
  readonly steps: string[] = [];
  readonly #onDeath: (() => void)[] = [];
  #killAt: { readonly step: number | string; readonly moment: "before" | "after" } | undefined;
  #dead = false;

  get dead(): boolean {
    return this.#dead;
  }

  /** `kill -9`: devices, mounts and open files of others stay. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const notice of this.#onDeath) notice();
  }

  /** What others do the moment it dies, such as keeping a copy of its state directory as it is then. */
  onDeath(notice: () => void): void {
    this.#onDeath.push(notice);
  }

  /** Dies by itself at its nth changing call (0 is the first), or at its next call of that name, before or after its effect. */
  killAt(step: number | string, moment: "before" | "after"): void {
    this.#killAt = { step, moment };
  }

  /** A call that changes nothing. */
  look<Result>(run: () => Result): Result {
    if (this.#dead) throw new ProcessEnded();
    return run();
  }

  /** A call that changes the machine. */
  change<Result>(verb: string, subject: string, run: () => Result): Result {
    this.#begin(verb, subject);
    const result = run();
    this.#end();
    return result;
  }

  /** The same for one that may have to wait: in the kernel, or because a test makes it hang. */
  async changeSlowly<Result>(verb: string, subject: string, run: () => Result): Promise<Result> {
    this.#begin(verb, subject);
    await this.faults.released(verb);
    const result = await waiting(() => this.look(run));
    this.#end();
    return result;
  }

  #begin(verb: string, subject: string): void {
    if (this.#dead) throw new ProcessEnded();
    this.steps.push(verb);
    this.#dieAt("before");
    this.faults.check(verb, subject);
  }

  #end(): void {
    this.#dieAt("after");
  }

  #dieAt(moment: "before" | "after"): void {
    const isHere = this.#killAt?.step === this.steps.length - 1 || this.#killAt?.step === this.steps.at(-1);
    if (!isHere || this.#killAt?.moment !== moment) return;
    this.kill();
    throw new ProcessEnded();
  }
}
