import { chmod } from "node:fs/promises";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { DmthinError } from "../errors.ts";
import type { BoundService } from "./handler.ts";
import { InFlight } from "./in-flight.ts";
import { prepareSocket, socketPath } from "./socket.ts";

/** Requests are small: names, ids, maps of 4 KiB each. This is what gRPC's clients take as well. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** For answers on their way, and clients that hang up when told to. */
const GOODBYE_MS = 250;

/** Services on one unix socket. */
export class GrpcServer {
  readonly #inFlight: InFlight;
  readonly #server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    "grpc.enable_channelz": 0, // statistics that nobody can ask for, at several looks at the clock a call
  });
  #target: string | undefined;

  constructor(services: (inFlight: InFlight) => readonly BoundService[]) {
    this.#inFlight = new InFlight();
    for (const { definition, implementation } of services(this.#inFlight)) this.#server.addService(definition, implementation);
  }

  /** `endpoint`: unix:///path or /path. Throws "path-unusable" where another process answers, or something else is. */
  async listen(endpoint: string, mode = 0o600): Promise<void> {
    const path = socketPath(endpoint);
    await prepareSocket(path);
    const bound = Promise.withResolvers<void>();
    const target = `unix:${path}`;
    this.#server.bindAsync(target, ServerCredentials.createInsecure(), (error) => (error === null ? bound.resolve() : bound.reject(error)));
    try {
      await bound.promise;
    } catch (cause) {
      throw new DmthinError({ code: "path-unusable", path, reason: cause instanceof Error ? cause.message : String(cause) }, { cause });
    }
    this.#target = target;
    await chmod(path, mode);
  }

  /** Refuses new calls, lets those under way finish until `hurry` aborts, and ends the connections. The socket's name goes with the listener: later it may be another driver's. */
  async close(hurry: AbortSignal): Promise<void> {
    await this.#inFlight.close(hurry);
    const ended = Promise.withResolvers<void>();
    // Without channelz, gRPC's forceShutdown knows of no connections: these are told to end here, and ended after the goodbye.
    if (this.#target !== undefined) this.#server.drain(this.#target, GOODBYE_MS);
    this.#server.tryShutdown(() => ended.resolve());
    const timer = setTimeout(ended.resolve, 2 * GOODBYE_MS);
    await ended.promise;
    clearTimeout(timer);
    this.#server.forceShutdown();
  }
}
