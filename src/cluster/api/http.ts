import { request as plainRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as tlsRequest } from "node:https";
import { types } from "node:util";
import { DmthinError } from "../../errors.ts";
import type { Answer } from "./answer.ts";
import type { Access } from "./connection.ts";

export interface Sent {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** For errors, such as "create ThinVolume vol-a". */
  readonly request: string;
}

/** A peer that is gone without a word is noticed after so long and ten seconds of probes. */
const KEEP_ALIVE_MS = 15_000;

/** The beginning of an answer. Rejects with "api-unreachable", or with the signal's reason. */
export async function send(
  { server, headers, agent }: Access,
  { method, path, body, contentType, request }: Sent,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const text = body === undefined ? undefined : JSON.stringify(body);
  const content = text === undefined ? {} : { "content-type": contentType ?? "application/json", "content-length": String(Buffer.byteLength(text)) };
  const url = new URL(server.pathname.replace(/\/$/, "") + path, server);
  const options = { method, agent, signal, headers: { accept: "application/json", ...headers, ...content } };
  const open = (): ClientRequest => (server.protocol === "http:" ? plainRequest(url, options) : tlsRequest(url, options));
  for (let isRepeated = false; ; isRepeated = true) {
    const sent = open();
    try {
      return await answerTo(sent, text);
    } catch (error) {
      signal.throwIfAborted();
      // A connection that the server was just closing. Whatever came of the request: to repeat it is safe, for that is how it is meant.
      if (!isRepeated && sent.reusedSocket && isCut(error)) continue;
      throw unreachable(request, error);
    }
  }
}

/** All of an answer, parsed. */
export async function read(response: IncomingMessage, request: string, signal: AbortSignal): Promise<Answer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(request, error);
  }
  const retryAfter = Number(response.headers["retry-after"] ?? NaN);
  return {
    status: response.statusCode ?? 0,
    body: parsed(Buffer.concat(chunks).toString("utf8")),
    retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : undefined,
  };
}

export const unreachable = (request: string, error: unknown): DmthinError =>
  new DmthinError({ code: "api-unreachable", request, reason: reasonIn(error) }, { cause: error });

async function answerTo(sent: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.on("error", reject); // for good: the end of an answer may be told here, too
    sent.once("socket", (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    sent.end(body);
  });
}

const codeIn = (error: unknown): string => (types.isNativeError(error) && "code" in error ? String(error.code) : "");
const isCut = (error: unknown): boolean => ["ECONNRESET", "EPIPE"].includes(codeIn(error));

/** What was tried at several addresses has only a code. */
function reasonIn(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  return error.message === "aborted" ? "the connection broke" : error.message || codeIn(error);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
