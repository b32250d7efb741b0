import type { World } from "./world.ts";

/** Always the same, so that a file is never empty, nor holds a part of a count. */
const WIDTH = 10;

/**
 * An application that writes a rising count to several files in turn, each synced before the next: at any one moment each
 * file holds the count of the one before it, or one less. A copy that is no single moment breaks that.
 */
export class Writer implements AsyncDisposable {
  readonly #world: World;
  readonly #paths: readonly string[];
  readonly #work: Promise<void>;
  #count = 0;
  #isStopped = false;

  constructor(world: World, paths: readonly string[]) {
    this.#world = world;
    this.#paths = paths;
    this.#work = this.#write();
    this.#work.catch(() => undefined);
  }

  /** Has written all files that often. */
  async reached(count: number): Promise<void> {
    while (this.#count <= count) await Promise.race([pause(), this.#work]);
  }

  /** Rejects when a write has failed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #write(): Promise<void> {
    while (!this.#isStopped) {
      this.#count++;
      for (const path of this.#paths) {
        await this.#world.writeFile(path, String(this.#count).padStart(WIDTH, "0"));
        await this.#world.syncFile(path);
      }
      await pause();
    }
  }
}

const pause = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
