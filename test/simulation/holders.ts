/** Who holds a device open. A holder from before a power cut lets go of nothing. */
export class Holders {
  readonly #holders = new Set<symbol>();
  readonly #onRelease: () => void;

  constructor(onRelease: () => void = () => undefined) {
    this.#onRelease = onRelease;
  }

  get count(): number {
    return this.#holders.size;
  }

  /** Answers the function that lets go; calling it again does nothing. */
  open(): () => void {
    const holder = Symbol("holder");
    this.#holders.add(holder);
    return () => {
      if (this.#holders.delete(holder)) this.#onRelease();
    };
  }

  forget(): void {
    this.#holders.clear();
  }
}
