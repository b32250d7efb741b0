import { isDeepStrictEqual, types } from "node:util";
import type { Agent, AgentOptions, RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { DmthinError } from "../../errors.ts";
import { newAgent, type Access, type Connection } from "./connection.ts";

/**
 * By a kubeconfig file, with all that those can say: certificates, tokens, programs that make tokens, proxies. Read only
 * where one is given: what reads it is ten times as much code as the rest of this folder.
 */
export class KubeconfigConnection implements Connection {
  readonly #config: KubeConfig;
  readonly #server: URL;
  #tls: AgentOptions = {};
  #agent: Agent | undefined;

  /** Throws "config-invalid". */
  constructor(path: string) {
    try {
      this.#config = new KubeConfig();
      this.#config.loadFromFile(path);
      const server = this.#config.getCurrentCluster()?.server;
      if (server === undefined) throw new Error("its current context names no cluster");
      this.#server = new URL(server);
    } catch (error) {
      const message = `cannot be used: ${types.isNativeError(error) ? error.message : String(error)}`;
      throw new DmthinError({ code: "config-invalid", source: path, problems: [{ path: "", message }] }, { cause: error });
    }
  }

  async access(): Promise<Access> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { headers, auth, agent, ca, cert, key, rejectUnauthorized, servername } = options;
    const given = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
    const basic = typeof auth === "string" ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
    const access = { server: this.#server, headers: { ...basic, ...given } };
    const isDirect = this.#server.protocol === "https:" && this.#config.getCurrentCluster()?.proxyUrl === undefined;
    if (!isDirect && typeof agent === "object") return { ...access, agent };
    const tls = { ca, cert, key, rejectUnauthorized, servername };
    return { ...access, agent: this.#agentFor(Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))) };
  }

  close(): void {
    this.#agent?.destroy();
  }

  /** Another when a certificate was replaced. */
  #agentFor(tls: AgentOptions): Agent {
    if (this.#agent !== undefined && isDeepStrictEqual(tls, this.#tls)) return this.#agent;
    this.#agent?.destroy();
    this.#tls = tls;
    this.#agent = newAgent(tls);
    return this.#agent;
  }
}
