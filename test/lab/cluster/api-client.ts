import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, request, type RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { API_PORT, CONTROL_PLANE } from "./addresses.ts";
import type { Certificates } from "./certificates.ts";
import type { ApiList, ApiObject, WatchEvent } from "./objects.ts";

/** The API server answered with something other than success. */
export class ApiRefusal extends Error {
  /** The HTTP status. */
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what}: ${status} ${messageOf(body)}`);
    this.status = status;
  }
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { readonly message?: string }).message ?? body;
  } catch {
    return body;
  }
}

/** What a wait looks for: something of the objects it watches, or undefined as long as it is not there. */
export type Condition<T> = (objects: readonly ApiObject[]) => T | undefined;

const TYPES: Readonly<Record<string, string>> = { PATCH: "application/merge-patch+json" };
/** So that a connection that died unseen is found. */
const WATCH_SECONDS = 60;

/** A client of the lab's API server that knows nothing of what it carries. */
export class ApiClient {
  readonly #options: RequestOptions;

  private constructor(options: RequestOptions) {
    this.#options = options;
  }

  /** A client of the same server that shows a token instead of a certificate. */
  withToken(token: string): ApiClient {
    const { ca } = (this.#options.agent as Agent).options;
    return new ApiClient({ ...this.#options, agent: new Agent(ca === undefined ? {} : { ca }), headers: { authorization: `Bearer ${token}` } });
  }

  /** @param name who one is, of those that the authority knows */
  static async create(certificates: Certificates, name: string): Promise<ApiClient> {
    const [ca, cert, key] = await Promise.all(
      [certificates.certificate("ca"), certificates.certificate(name), certificates.key(name)].map((file) => readFile(file)),
    );
    return new ApiClient({ host: CONTROL_PLANE, port: API_PORT, agent: new Agent({ ca, cert, key, keepAlive: false }) });
  }

  /** @throws ApiRefusal when the answer is no success; Error when there is none */
  async get(path: string): Promise<string> {
    return this.#text("GET", path);
  }

  async object<T extends ApiObject = ApiObject>(path: string): Promise<T> {
    return JSON.parse(await this.get(path)) as T;
  }

  async list(path: string): Promise<ApiList> {
    return JSON.parse(await this.get(path)) as ApiList;
  }

  async create<T extends ApiObject = ApiObject>(path: string, body: object): Promise<T> {
    return JSON.parse(await this.#text("POST", path, body)) as T;
  }

  /** A merge patch. */
  async patch<T extends ApiObject = ApiObject>(path: string, body: object): Promise<T> {
    return JSON.parse(await this.#text("PATCH", path, body)) as T;
  }

  async delete(path: string): Promise<void> {
    await this.#text("DELETE", path);
  }

  /**
   * Waits, by list and watch, until a condition on a collection's objects holds, through lost connections and an API server that is away.
   * @param path a collection, with a selector where wanted
   * @throws Error with the objects' last state when the time is over
   */
  async until<T>(path: string, condition: Condition<T>, options: { readonly what: string; readonly seconds: number }): Promise<T> {
    const end = AbortSignal.timeout(options.seconds * 1000);
    let last: readonly ApiObject[] = [];
    while (!end.aborted) {
      try {
        for await (const objects of this.#states(path, end)) {
          last = objects;
          const found = condition(objects);
          if (found !== undefined) return found;
        }
      } catch (error) {
        if (error instanceof ApiRefusal && error.status !== 410 && error.status < 500) throw error;
        await sleep(250);
      }
    }
    throw new Error(
      `not within ${options.seconds} s: ${options.what}. Last seen:\n${last.map((object) => JSON.stringify(seen(object))).join("\n") || "nothing"}`,
    );
  }

  /** The collection as it is, and again after each change, until the watch ends. */
  async *#states(path: string, signal: AbortSignal): AsyncGenerator<readonly ApiObject[]> {
    const { items, metadata } = await this.list(path);
    const objects = new Map(items.map((item) => [item.metadata.uid, item]));
    yield [...objects.values()];
    const query = new URLSearchParams({ watch: "true", resourceVersion: metadata.resourceVersion, timeoutSeconds: String(WATCH_SECONDS) });
    const response = await this.#send("GET", `${path}${path.includes("?") ? "&" : "?"}${query.toString()}`, undefined, signal);
    for await (const line of lines(response)) {
      const { type, object } = JSON.parse(line) as WatchEvent;
      if (type === "ERROR") return;
      if (type === "DELETED") objects.delete(object.metadata.uid);
      else objects.set(object.metadata.uid, object);
      yield [...objects.values()];
    }
  }

  async #text(method: string, path: string, body?: object): Promise<string> {
    const response = await this.#send(method, path, body, AbortSignal.timeout(60_000));
    return collect(response);
  }

  async #send(method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const type = body === undefined ? {} : { "content-type": TYPES[method] ?? "application/json" };
    const headers = { ...(this.#options.headers as Readonly<Record<string, string>> | undefined), ...type };
    const outgoing = request({ ...this.#options, method, path, headers, signal });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    if ((response.statusCode ?? 500) < 300) return response;
    throw new ApiRefusal(`${method} ${path}`, response.statusCode ?? 500, await collect(response));
  }
}

/** Not node:readline, whose interface dies of an error of its input. */
async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  let rest = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    const whole = (rest + (chunk as string)).split("\n");
    rest = whole.pop() ?? "";
    yield* whole;
  }
}

async function collect(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk as string;
  return text;
}

/** What somebody who waited in vain wants to see of an object. */
const seen = ({ kind, metadata: { name, deletionTimestamp, finalizers }, spec, status }: ApiObject): object => ({
  kind,
  name,
  deletionTimestamp,
  finalizers,
  spec,
  status,
});
