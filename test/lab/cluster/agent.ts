import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import { AGENT_PORT } from "./addresses.ts";

/** What the host asks a node's agent to run. */
export interface AgentRequest {
  readonly argv: readonly string[];
  readonly input?: string;
}

export interface AgentAnswer {
  /** 127 when it could not be started, 128 and more when a signal ended it, as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SIGNALLED = 128;

function answer({ argv: [file = "", ...args], input = "" }: AgentRequest): Promise<AgentAnswer> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", ({ message }) => resolve({ code: 127, stdout, stderr: message }));
    child.on("close", (code) => resolve({ code: code ?? SIGNALLED, stdout, stderr }));
    child.stdin.on("error", () => undefined); // it ended without reading all
    child.stdin.end(input);
  });
}

async function read(request: IncomingMessage): Promise<string> {
  let text = "";
  request.setEncoding("utf8");
  for await (const chunk of request) text += chunk as string;
  return text;
}

/** Runs in a node, on the cluster's own network: does what the host asks, for tests that look behind Kubernetes. */
if (import.meta.main) {
  const server = createServer((request, response) => {
    void (async () => {
      const wanted = JSON.parse(await read(request)) as AgentRequest;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(await answer(wanted)));
    })();
  });
  server.requestTimeout = 0;
  server.listen(AGENT_PORT, () => process.stdout.write("agent listens\n"));
}
