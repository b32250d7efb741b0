import type { Filesystems } from "../../../src/filesystem/filesystems.ts";

type Act = () => void | Promise<void>;

/** Filesystems before whose next call of a method something else can happen, as it can on any machine at any time. */
export class HookedFilesystems {
  readonly filesystems: Filesystems;
  readonly #hooks = new Map<keyof Filesystems, Act>();

  constructor(filesystems: Filesystems) {
    this.filesystems = new Proxy(filesystems, {
      get: (target, name: keyof Filesystems) => {
        const method = target[name].bind(target) as (...args: readonly unknown[]) => unknown;
        const act = this.#hooks.get(name);
        if (act === undefined) return method;
        return async (...args: readonly unknown[]) => {
          this.#hooks.delete(name);
          await act();
          return method(...args);
        };
      },
    });
  }

  /** Of one that answers a promise. */
  beforeNext(method: keyof Filesystems, act: Act): void {
    this.#hooks.set(method, act);
  }
}
