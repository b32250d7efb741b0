import { lstat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ignoreMissing } from "../files.ts";
import type { Logger } from "../logger.ts";
import { implement, type Handlers } from "./handler.ts";
import { DRIVER_NAME } from "./options.ts";
import { GrpcServer } from "./server.ts";

/** The kubelet takes any name that ends so. Source: pluginwatcher, isSocket. */
const SOCKET = `${DRIVER_NAME}-reg.sock`;
/** The versions of CSI that the kubelet knows are 1.x. Source: pkg/volume/csi/csi_plugin.go, ValidatePlugin. */
const CSI_VERSIONS = ["1.0.0"];
const LOOK_MS = 30_000;
const AFTER_REFUSAL_MS = 5_000;
const GOODBYE_MS = 250;

export interface RegistrationOptions {
  /** The kubelet's plugins_registry, as it is seen here. */
  readonly directory: string;
  /** The CSI socket by the host's path. It answers before this opens: the kubelet asks NodeGetInfo before it notifies. */
  readonly endpoint: string;
  readonly logger: Logger;
  /** How often it is looked whether the socket is still there. Default: 30 s. */
  readonly lookMs?: number;
  /** How long after a refusal the kubelet is shown the socket anew. Default: 5 s. */
  readonly afterRefusalMs?: number;
}

/**
 * Makes the driver known to the kubelet, by a socket in its plugins_registry: the kubelet asks there what it is, dials the
 * CSI socket, and tells whether it took the driver. A kubelet that starts again walks the sockets again. One that was taken
 * away, as by who empties the folder, is made again. Source: pkg/kubelet/pluginmanager.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #path: string;
  #server: GrpcServer | undefined;
  #ours: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRegistered = false;
  /** The socket that is there was refused, and there is no other yet: no look may forget it. */
  #isRefused = false;
  #changing: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#path = join(options.directory, SOCKET);
  }

  /** Whether the kubelet has said that it took the driver, since the socket was last made. */
  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** Throws "path-unusable" where the socket cannot be had. */
  async open(): Promise<void> {
    await this.#bind();
    this.#lookLater();
  }

  /** The socket goes at once: the kubelet then knows that the driver ends, and the next one's is not taken for this. */
  async close(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#changing;
    await this.#unbind();
  }

  async #bind(): Promise<void> {
    const { logger } = this.#options;
    const server = new GrpcServer((inFlight) => [implement("pluginregistration.Registration", this.#handlers(), { logger, inFlight })]);
    await server.listen(this.#path);
    this.#server = server;
    this.#ours = await whatIsAt(this.#path);
    logger.info("offered to the kubelet", { socket: this.#path, endpoint: this.#options.endpoint });
  }

  /** Whoever closes a listener removes what is at its path, whosever that is by then: then it is left open, to the end of the process. */
  async #unbind(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#isRegistered = false;
    const found = await whatIsAt(this.#path);
    if (found !== undefined && found !== this.#ours) return;
    await unlink(this.#path).catch(ignoreMissing);
    await server?.close(AbortSignal.timeout(GOODBYE_MS));
  }

  #handlers(): Handlers<"pluginregistration.Registration"> {
    return {
      GetInfo: async () => ({ type: "CSIPlugin", name: DRIVER_NAME, endpoint: this.#options.endpoint, supportedVersions: CSI_VERSIONS }),
      NotifyRegistrationStatus: async ({ pluginRegistered, error }) => {
        this.#isRegistered = pluginRegistered;
        if (pluginRegistered) this.#options.logger.info("the kubelet has registered the driver");
        else {
          this.#options.logger.error("the kubelet does not register the driver: it is offered anew", { reason: error });
          this.#isRefused = true;
          this.#lookLater();
        }
        return {};
      },
    };
  }

  #lookLater(): void {
    if (this.#ended) return;
    const { lookMs = LOOK_MS, afterRefusalMs = AFTER_REFUSAL_MS } = this.#options;
    clearTimeout(this.#timer);
    const begin = (): void => void (this.#changing = this.#changing.then(async () => this.#look()));
    this.#timer = setTimeout(begin, this.#isRefused ? afterRefusalMs : lookMs).unref();
  }

  async #look(): Promise<void> {
    const { logger } = this.#options;
    try {
      const isOurs = this.#server !== undefined && this.#ours === (await whatIsAt(this.#path));
      if (!isOurs && this.#server !== undefined) logger.warn("the kubelet's registration socket is gone: it is made again", { socket: this.#path });
      if (!isOurs || this.#isRefused) {
        await this.#unbind();
        // Not after it: the kubelet may refuse the new one before we know that it is there.
        this.#isRefused = false;
        await this.#bind();
      }
    } catch (error) {
      logger.error("the driver cannot be offered to the kubelet: tried again", { error });
    }
    this.#lookLater();
  }
}

/** Inode numbers are used again at once: the time of its making tells them apart. */
async function whatIsAt(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(ignoreMissing);
  return found === undefined ? undefined : `${found.ino} ${found.ctimeNs}`;
}
