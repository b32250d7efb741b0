import { ProcessEnded, SimulatedProcess } from "../simulation/process.ts";

/** Told before and after each call that changes the kernel, and each step that the engine names. What it throws is what the call answers. */
export type OnMoment = (moment: string, process: MortalProcess) => void;

/** A simulated process whose every step can be watched, made to fail, or made its last. */
export class MortalProcess extends SimulatedProcess {
  onMoment: OnMoment = () => undefined;

  /** Ends here: nothing that its code still does has an effect. */
  die(): never {
    this.kill();
    throw new ProcessEnded();
  }

  readonly observe = (transition: string, step: string, moment: "before" | "after"): void => this.#tell(`${moment} ${transition}: ${step}`);

  override change<Result>(verb: string, subject: string, run: () => Result): Result {
    return super.change(verb, subject, () => this.#around(verb, run));
  }

  override async changeSlowly<Result>(verb: string, subject: string, run: () => Result): Promise<Result> {
    return super.changeSlowly(verb, subject, () => this.#around(verb, run));
  }

  #around<Result>(verb: string, run: () => Result): Result {
    this.#tell(`before ${verb}`);
    const result = run();
    this.#tell(`after ${verb}`);
    return result;
  }

  #tell(moment: string): void {
    if (!this.dead) this.onMoment(moment, this);
  }
}
