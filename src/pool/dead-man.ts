import { constants, openSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { spawnDetached } from "../exec/spawn-detached.ts";
import { closeDescriptor, openPipe, setCloseOnExec } from "../linux/descriptor.ts";
import type { DeadMan } from "./engine-parts.ts";

/** Beside this file among the sources, and beside the bundle. */
const SCRIPT = fileURLToPath(new URL("./dead-man.sh", import.meta.url));

const GONE = "the dead man's handle has ended, and no other could be had: nothing is suspended without one";

/**
 * Tells a process beside ours what is about to be suspended, so that it is resumed when we die. What is written to its
 * pipe is there for it whatever becomes of us; the kernel closes the pipe when our last thread has ended.
 */
export class DeadManHandle implements DeadMan {
  /** How often each was armed and not disarmed yet, as the handle counts too. */
  readonly #armed = new Map<string, number>();
  readonly #start: () => Promise<number>;
  #fd: number;
  #restarting = false;
  /** Why there was no other to be had, since the one that we have told last has ended. */
  #unreplaced: unknown;

  private constructor(start: () => Promise<number>, fd: number) {
    this.#start = start;
    this.#fd = fd;
  }

  /**
   * With a handle of our own, which holds the pool's lock until it has resumed: who gets the lock then knows that nobody is
   * at work. Or with the one that started us, as in the image: then its end of the pipe is a descriptor of ours.
   */
  static async start(options: { readonly lockFd: number } | { readonly inheritedFd: number }): Promise<DeadManHandle> {
    const start = async (): Promise<number> => ("inheritedFd" in options ? reopen(options.inheritedFd) : spawn(options.lockFd));
    return new DeadManHandle(start, await start());
  }

  arm(uuids: readonly string[]): void {
    for (const uuid of uuids) this.#armed.set(uuid, (this.#armed.get(uuid) ?? 0) + 1);
    this.#tell("arm", uuids);
  }

  disarm(uuids: readonly string[]): void {
    for (const uuid of uuids) {
      const left = (this.#armed.get(uuid) ?? 0) - 1;
      if (left > 0) this.#armed.set(uuid, left);
      else this.#armed.delete(uuid);
    }
    this.#tell("disarm", uuids);
  }

  /** A suspend that still waits in the kernel has to be resumed after it: then the handle is left to the end of the process. */
  close(): void {
    if (this.#armed.size === 0) closeDescriptor(this.#fd);
  }

  /** Somebody may have ended the handle: nothing is suspended without one, and a later call finds another. */
  #tell(verb: "arm" | "disarm", uuids: readonly string[]): void {
    try {
      writeSync(this.#fd, uuids.map((uuid) => `${verb} ${uuid}\n`).join(""));
    } catch (error) {
      this.#restart();
      if (verb === "arm") throw this.#unreplaced === undefined ? error : new Error(GONE, { cause: this.#unreplaced });
    }
  }

  /** Once for all who find it gone. When there is no other to be had, the next call fails as well, and tries again. */
  #restart(): void {
    if (this.#restarting) return;
    this.#restarting = true;
    void this.#replace()
      .catch((error: unknown) => (this.#unreplaced = error))
      .finally(() => (this.#restarting = false));
  }

  async #replace(): Promise<void> {
    const dead = this.#fd;
    this.#fd = await this.#start();
    this.#unreplaced = undefined;
    closeDescriptor(dead);
    const armed = [...this.#armed].flatMap(([uuid, times]) => Array.from({ length: times }, () => uuid));
    if (armed.length > 0) this.#tell("arm", armed);
  }
}

/** One for each pool. Programs that we start must not keep the pipe open after us. Not waiting: a handle that is gone is an error. */
function reopen(fd: number): number {
  setCloseOnExec(fd, true);
  return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
}

async function spawn(lockFd: number): Promise<number> {
  const { readFd, writeFd } = openPipe();
  try {
    await spawnDetached(["sh", SCRIPT], { stdin: readFd, inherit: [lockFd] });
  } catch (error) {
    closeDescriptor(writeFd);
    throw error;
  } finally {
    closeDescriptor(readFd);
  }
  return writeFd;
}
