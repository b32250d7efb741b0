import type { MessagePort } from "node:worker_threads";
import type { FromWorker } from "./worker-messages.ts";

/**
 * What a pool's worker tells, in order. Each message to the main thread wakes it, which costs more than most of what is
 * told: so news waits for the answer that it belongs to, or for the end of the turn, and goes along with it.
 */
export class Outbox {
  readonly #port: MessagePort;
  #waiting: FromWorker[] = [];
  #sending: NodeJS.Immediate | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  readonly tell = (message: FromWorker): void => {
    this.#waiting.push(message);
    if (message.kind === "answer" || message.kind === "failure") this.flush();
    else this.#sending ??= setImmediate(() => this.flush());
  };

  flush(): void {
    clearImmediate(this.#sending);
    this.#sending = undefined;
    if (this.#waiting.length === 0) return;
    this.#port.postMessage(this.#waiting);
    this.#waiting = [];
  }
}
