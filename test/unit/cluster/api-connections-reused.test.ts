import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, test } from "@jest/globals";
import { newAgent } from "../../../src/cluster/api/connection.ts";

const KEY = Buffer.alloc(32, "k");
const AT_ONCE = 50;

/** TLS without certificates: both know a key. */
const ofServer = { pskCallback: () => KEY, ciphers: "PSK", maxVersion: "TLSv1.2" } as const;
const ofClient = {
  pskCallback: () => ({ psk: KEY, identity: "dmthin" }),
  checkServerIdentity: () => undefined,
  ciphers: "PSK",
  maxVersion: "TLSv1.2",
} as const;

test("requests that come many at once, again and again, use the connections that are there", async () => {
  const waiting: ServerResponse[] = [];
  const server = createServer(ofServer, (_, response) => {
    waiting.push(response);
    if (waiting.length === AT_ONCE) for (const each of waiting.splice(0)) each.end("{}");
  });
  let connections = 0;
  server.on("secureConnection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = newAgent(ofClient);
  const ask = async (): Promise<void> => {
    const [response] = (await once(request({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, agent }).end(), "response")) as [IncomingMessage];
    await once(response.resume(), "end");
  };
  try {
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: AT_ONCE }, ask));
    expect(connections).toBe(AT_ONCE);
  } finally {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  }
});
