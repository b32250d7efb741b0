import { readFile } from "node:fs/promises";
import type { Agent } from "node:https";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { DmthinError } from "../../errors.ts";
import { newAgent, type Access, type Connection } from "./connection.ts";

/** Where the API server is for a pod, by its environment. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: string;
}

/** Source: kubernetes.io, "Accessing the Kubernetes API from a Pod". */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet puts a new token there long before the old one ends. */
const REREAD_MS = 60_000;

/** By the pod's service account. Its files are read again each minute, and at once when a token is not accepted. */
export class InClusterConnection implements Connection {
  readonly #server: URL;
  readonly #directory: string;
  #token = "";
  #authority = "";
  #agent: Agent | undefined;
  #readAt = -Infinity;

  constructor({ host, port }: ServiceAddress, directory = SERVICE_ACCOUNT) {
    this.#server = new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
    this.#directory = directory;
  }

  async access({ renewed = false } = {}): Promise<Access> {
    const isFresh = performance.now() - this.#readAt < REREAD_MS;
    const agent = isFresh && !renewed && this.#agent !== undefined ? this.#agent : await this.#read();
    return { server: this.#server, headers: { authorization: `Bearer ${this.#token}` }, agent };
  }

  close(): void {
    this.#agent?.destroy();
  }

  async #read(): Promise<Agent> {
    const [token, authority] = await Promise.all([this.#file("token"), this.#file("ca.crt")]);
    this.#token = token.trim();
    this.#readAt = performance.now();
    if (this.#agent !== undefined && authority === this.#authority) return this.#agent;
    this.#agent?.destroy(); // what runs over it is repeated
    this.#authority = authority;
    this.#agent = newAgent({ ca: authority });
    return this.#agent;
  }

  async #file(name: string): Promise<string> {
    const path = join(this.#directory, name);
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      const message = "cannot be read: give the pod a service account, or dmthin a kubeconfig";
      throw new DmthinError({ code: "config-invalid", source: "the pod's service account", problems: [{ path, message }] }, { cause: error });
    }
  }
}
