import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiClient, type ApiClientOptions } from "../../../src/cluster/api/api-client.ts";
import type { Access, Connection } from "../../../src/cluster/api/connection.ts";
import { KubernetesApiServer } from "../../../src/cluster/api/kubernetes-objects.ts";
import { silentLogger, type Logger } from "../../../src/logger.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export type Script = (received: Received, response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP server that answers as a test says, request by request; the last answer is for all that follow. */
export class ScriptedServer implements Connection {
  readonly received: Received[] = [];
  /** How often each access was asked for anew. */
  renewals = 0;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #scripts: Script[];

  private constructor(scripts: readonly Script[]) {
    this.#scripts = [...scripts];
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(...scripts: readonly Script[]): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(scripts);
    scripted.#server.listen(0, "127.0.0.1");
    await once(scripted.#server, "listening");
    return scripted;
  }

  api(options: Partial<ApiClientOptions> & { readonly logger?: Logger } = {}): KubernetesApiServer {
    const { logger = silentLogger, ...rest } = options;
    return new KubernetesApiServer(new ApiClient(this, { userAgent: "dmthin-test", ...rest }), logger);
  }

  async access({ renewed = false } = {}): Promise<Access> {
    if (renewed) this.renewals++;
    const { port } = this.#server.address() as AddressInfo;
    return { server: new URL(`http://127.0.0.1:${port}/prefix/`), headers: { authorization: `Bearer ${this.renewals}` }, agent: this.#agent };
  }

  close(): void {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? "", "http://localhost");
    const text = Buffer.concat(chunks).toString("utf8");
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const { method = "", headers } = request;
    const received = { method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers, body };
    this.received.push(received);
    const script = this.#scripts.length > 1 ? this.#scripts.shift() : this.#scripts[0];
    script?.(received, response, request);
  }
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Script =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

/** metav1.Status. */
export const failed = (status: number, reason: string, message: string, details: object = {}, headers: Readonly<Record<string, string>> = {}): Script =>
  json(status, { kind: "Status", apiVersion: "v1", status: "Failure", reason, message, code: status, details }, headers);

/** The parts of a watch as they arrive; then its end, or nothing more. */
export const stream =
  (parts: readonly (string | Buffer)[], { ends = true, pauseMs = 2 } = {}): Script =>
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    void (async () => {
      for (const part of parts) {
        response.write(part);
        await new Promise((resolve) => void setTimeout(resolve, pauseMs));
      }
      if (ends) response.end();
    })();
  };

/** The connection breaks without an answer. */
export const cut: Script = (_, response) => void response.destroy();

/** Nothing, ever. */
export const silence: Script = () => undefined;
