import { Agent, type AgentOptions } from "node:https";
import type { Agent as PlainAgent } from "node:http";

/** What one request goes with. */
export interface Access {
  readonly server: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Of `node:http` for a server without TLS, such as `kubectl proxy`. */
  readonly agent: Agent | PlainAgent;
}

/** A way to an API server. */
export interface Connection {
  /** Asked before each request: tokens and certificates are replaced while we run. `renewed`: what was answered last was not accepted. */
  access(options?: { readonly renewed?: boolean }): Promise<Access>;
  close(): void;
}

/** The server closes connections that were idle for 90 s: we are first. Source: kube-apiserver, IdleTimeout. */
const IDLE_MS = 60_000;

/** Connections that are used again, as many as come at once when the provisioner is busy: a new one costs both sides more than the request. */
export const newAgent = (tls: AgentOptions): Agent => new Agent({ ...tls, keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 64 });
