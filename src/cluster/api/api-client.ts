import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import { DmthinError } from "../../errors.ts";
import { requestOf, type Answer, type Subject } from "./answer.ts";
import { pause } from "./backoff.ts";
import type { Access, Connection } from "./connection.ts";
import { read, send, unreachable, type Sent } from "./http.ts";

export interface ApiClientOptions {
  /** Such as "dmthin-node/0.1.0": the server's logs and metrics, and managedFields, have it. */
  readonly userAgent: string;
  /** Told of each request when its answer has begun, repeats too. `code`: HTTP's, or "unreachable". */
  readonly observe?: (request: { readonly verb: string; readonly kind: string; readonly code: string; readonly seconds: number }) => void;
  /** For one request with its answer, repeats included; of a watch, until it begins. Default 30,000. */
  readonly timeoutMs?: number;
}

export type ApiRequest = Omit<Sent, "request"> & { readonly subject: Subject };

const RETRIES = 5;
/** How long a server that is too busy may ask us to wait. */
const LONGEST_WAIT_SECONDS = 10;

/** Requests to an API server, each with its time limit. Errors are "api-unreachable", or the signal's reason. */
export class ApiClient {
  readonly #connection: Connection;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  readonly #observe: NonNullable<ApiClientOptions["observe"]>;
  readonly #closing = new AbortController();

  constructor(connection: Connection, { userAgent, timeoutMs = 30_000, observe = () => undefined }: ApiClientOptions) {
    this.#observe = observe;
    this.#connection = connection;
    this.#userAgent = userAgent;
    this.#timeoutMs = timeoutMs;
  }

  /** An answer, whatever its status. A server that is too busy is asked again when it wants to be, a token that is not accepted is read anew. */
  async ask({ subject, ...sent }: ApiRequest, signal?: AbortSignal): Promise<Answer> {
    const request = requestOf(subject);
    const limit = this.#limit(request, signal);
    try {
      let isRenewed = false;
      for (let tries = 0; ; tries++) {
        const answer = await read(await this.#send(subject, { ...sent, request }, isRenewed, limit.signal), request, limit.signal);
        const { status, retryAfterSeconds } = answer;
        if (status === 401 && !isRenewed) isRenewed = true;
        else if (retryAfterSeconds !== undefined && (status === 429 || status >= 500) && tries < RETRIES) {
          await pause(Math.min(retryAfterSeconds, LONGEST_WAIT_SECONDS) * 1000 * (1 + Math.random() / 4), limit.signal);
        } else return answer;
      }
    } finally {
      limit.end();
    }
  }

  /** The lines of an answer as they come, until the server ends it; or an answer that is no success. */
  async follow({ subject, ...sent }: ApiRequest, onLine: (line: string) => void, signal: AbortSignal): Promise<Answer | undefined> {
    const request = requestOf(subject);
    const limit = this.#limit(request, signal);
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const begun = AbortSignal.any([limit.signal, ended]);
    try {
      const response = await this.#send(subject, { ...sent, request }, false, begun);
      if (response.statusCode !== 200) return await read(response, request, begun);
      limit.end();
      const decoder = new StringDecoder("utf8");
      let rest = "";
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const lines = (rest + decoder.write(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") onLine(line);
      }
      return undefined;
    } catch (error) {
      ended.throwIfAborted();
      throw error instanceof DmthinError ? error : unreachable(request, error);
    } finally {
      limit.end();
    }
  }

  close(): void {
    this.#closing.abort(new DmthinError({ code: "shutting-down" }));
    this.#connection.close();
  }

  async #send({ verb, kind }: Subject, sent: Sent, renewed: boolean, signal: AbortSignal): Promise<IncomingMessage> {
    const start = performance.now();
    let code = "unreachable";
    try {
      const { headers, ...access } = await this.#access(sent.request, renewed);
      const answer = await send({ ...access, headers: { "user-agent": this.#userAgent, ...headers } }, sent, signal);
      code = String(answer.statusCode);
      return answer;
    } finally {
      this.#observe({ verb, kind, code, seconds: (performance.now() - start) / 1000 });
    }
  }

  /** A token that cannot be had now may be had later. */
  async #access(request: string, renewed: boolean): Promise<Access> {
    try {
      return await this.#connection.access({ renewed });
    } catch (error) {
      throw unreachable(request, error);
    }
  }

  /** The caller's signal, ours, and the time limit, which is "api-unreachable". */
  #limit(request: string, signal: AbortSignal | undefined): { readonly signal: AbortSignal; end(): void } {
    const late = new AbortController();
    const reason = `no answer in ${this.#timeoutMs / 1000} s`;
    const timer = setTimeout(() => late.abort(new DmthinError({ code: "api-unreachable", request, reason })), this.#timeoutMs);
    const signals = [late.signal, this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    return { signal: AbortSignal.any(signals), end: () => clearTimeout(timer) };
  }
}
