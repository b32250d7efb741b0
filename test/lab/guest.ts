import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import { bootCommand, bootEnvironment } from "./boot.ts";
import type { Disk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import { Ring } from "./ring.ts";

/** A guest that ended without saying how its command did: a crash of its kernel. */
const CRASHED = 125;
/** A guest that was killed, as a shell would say it. */
const KILLED = 137;

export interface GuestOptions {
  /** What runs in the guest, from the checkout's folder. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** They appear as /dev/ubdb, /dev/ubdc and so on; LAB_DISKS names them. */
  readonly disks?: readonly Disk[];
  /** The guest's memory, such as `2G`, which is the default. */
  readonly memory?: string;
  /** A tap interface of the network namespace that the guest is started in; the guest has it as `vec0`. */
  readonly tap?: string;
  /** Runs udevd, as every user's host does. */
  readonly udev?: boolean;
  /** The guest is given up, with exit code 124, when no test has ended for so long: for commands that touch /run/lab/progress. */
  readonly silenceSeconds?: number;
  /** Where the command's output goes; without it `output` collects it. */
  readonly streams?: { readonly stdout: Writable; readonly stderr: Writable };
  /** A terminal to work in by hand, instead of streams. */
  readonly terminal?: { readonly input: Readable; readonly output: Writable; readonly rows: number; readonly columns: number };
}

/** One boot of a guest. To boot again, start another one with the same disks. */
export class Guest implements AsyncDisposable {
  /** What the command wrote to stdout and stderr so far, when no streams were given. */
  output = "";
  /** Resolves when the guest is up and its command begins; false when it ended before. */
  readonly ready: Promise<boolean>;
  /** The command's exit code, once its output is whole; 137 after `kill`, 125 when the guest crashed. */
  readonly exit: Promise<number>;

  readonly #progress = new EventEmitter();
  readonly #kernelLog = new Ring(64 * 1024);
  readonly #child: ChildProcess;
  #killed = false;
  #code: number | undefined;

  /** Boots a guest; `startGuest` is what tests use. */
  constructor(machine: Machine, options: GuestOptions) {
    const [file = "", ...args] = bootCommand(options);
    this.#child = spawn(file, args, {
      detached: true, // a session of its own: a Ctrl-C on the terminal is this process's to handle, not the guest's
      stdio: ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe", ...(options.disks ?? []).map((disk) => disk.fd)],
      env: bootEnvironment(options, machine),
    });
    const [, log, errors, stdout, stderr, control] = this.#child.stdio as [Writable, ...Readable[]];
    for (const stream of [log, errors]) stream?.on("data", (data: Buffer) => this.#kernelLog.add(data));
    const outputs = [stdout, stderr].filter((stream) => stream !== undefined);
    this.#connect(options, outputs);
    this.ready = this.#follow(control);
    this.exit = this.#end(outputs);
  }

  /**
   * Waits until the collected output contains a text.
   * @throws Error when the guest ends without it
   */
  async said(text: string): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const listen = () => {
        if (this.output.includes(text)) resolve();
        else this.#progress.once("output", listen);
      };
      listen();
    });
    await Promise.race([heard, this.exit]);
    if (!this.output.includes(text)) throw new Error(`the guest ended without saying "${text}": ${this.output}\n${this.kernelLog}`);
  }

  /** A power cut: the guest is gone at once; its disks keep what it had written to them. */
  async kill(): Promise<void> {
    this.#killed ||= this.#code === undefined;
    this.#child.kill("SIGKILL");
    await this.exit;
  }

  /** The guest kernel's messages: the last 64 KiB. */
  get kernelLog(): string {
    return this.#kernelLog.toString();
  }

  /** Whether it ended by itself, without saying how its command did. */
  get crashed(): boolean {
    return this.#child.exitCode !== null && this.#code === undefined && !this.#killed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #connect({ terminal, streams }: GuestOptions, [stdout, stderr]: readonly Readable[]): void {
    const [input] = this.#child.stdio;
    input?.on("error", () => undefined); // typed at a guest that is gone
    if (terminal && input) {
      terminal.input.pipe(input);
      stdout?.pipe(terminal.output, { end: false });
    } else if (streams) {
      stdout?.pipe(streams.stdout, { end: false });
      stderr?.pipe(streams.stderr, { end: false });
    } else {
      for (const stream of [stdout, stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => {
          this.output += text;
          this.#progress.emit("output");
        });
      }
    }
  }

  /** Reads what the guest's init says: "ready", then "exit CODE", after which it has nothing more to do. */
  #follow(control: Readable | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      let said = "";
      control?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (/^ready\r?$/m.test(said)) resolve(true);
        const code = /^exit (\d+)\r?\n/m.exec(said)?.[1];
        if (code === undefined) return;
        this.#code = Number(code);
        this.#child.kill("SIGKILL");
      });
      control?.on("close", () => resolve(false));
    });
  }

  async #end(outputs: readonly Readable[]): Promise<number> {
    const streams = outputs.map((stream) => new Promise((resolve) => stream.on("close", resolve)));
    await new Promise((resolve) => this.#child.on("exit", resolve).on("error", resolve));
    this.#child.stdin?.destroy();
    await Promise.all(streams);
    if (this.#code !== undefined) return this.#code;
    return this.#killed ? KILLED : CRASHED;
  }
}
