import { type CallOptions, Client, credentials, Metadata, type requestCallback, type ServiceError } from "@grpc/grpc-js";
import type { RequestOf, ResponseOf } from "./method.ts";
import { definitionOf, type ServiceName, type Services } from "./protocol.ts";
import { socketPath } from "./socket.ts";

/** What is left out of a request is its type's default. */
export type Partly<T> = T extends readonly (infer Item)[] ? readonly Partly<Item>[] : T extends object ? { readonly [Key in keyof T]?: Partly<T[Key]> } : T;

export interface AskOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** A service's calls as functions. They reject with gRPC's own error, which has `code` and `details`. */
export type Asked<Name extends ServiceName> = {
  readonly [Method in keyof Services[Name]]: (
    request: Partly<RequestOf<Services[Name][Method]>>,
    options?: AskOptions,
  ) => Promise<ResponseOf<Services[Name][Method]>>;
};

/** A connection to a driver's socket. */
export class Connection implements Disposable {
  readonly #client: Client;

  constructor(endpoint: string) {
    this.#client = new Client(`unix:${socketPath(endpoint)}`, credentials.createInsecure(), { "grpc.default_authority": "localhost" });
  }

  service<Name extends ServiceName>(name: Name): Asked<Name> {
    const calls = Object.entries(definitionOf(name)).map(([method, { path, requestSerialize, responseDeserialize }]) => {
      const ask = async (request: object, { deadlineMs, signal }: AskOptions = {}): Promise<unknown> => {
        const { promise, resolve, reject } = Promise.withResolvers<unknown>();
        const answer: requestCallback<unknown> = (error: ServiceError | null, response?: unknown) => (error === null ? resolve(response) : reject(error));
        const options: CallOptions = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
        const call = this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options, answer);
        signal?.addEventListener("abort", () => call.cancel(), { once: true });
        return promise;
      };
      return [method, ask] as const;
    });
    return Object.fromEntries(calls) as unknown as Asked<Name>;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
