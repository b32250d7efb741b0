import { once } from "node:events";
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { createConnection } from "node:net";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { join } from "node:path";
import { checkout } from "../lab/checkout.ts";

type Message = Readonly<Record<string, unknown>>;

const PROTO_OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true } as const;
/** A gRPC message on the wire: one byte that says "not compressed", then its length. Source: gRPC over HTTP/2, "Length-Prefixed-Message". */
const PREFIX_BYTES = 5;
const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_CONTENT_TYPE, HTTP2_HEADER_TE } = constants;

/**
 * A CSI client with little of its own, as the callers of a driver are: Go programs, whose cost is a fraction of grpc-js's.
 * The guest has one CPU, so what the client takes counts as the driver's.
 */
export class LeanClient {
  readonly #session: ClientHttp2Session;
  readonly #methods = new Map<string, ServiceDefinition[string]>();

  constructor(socket: string) {
    for (const [name, definition] of Object.entries(loadSync(join(checkout, "proto/csi.proto"), PROTO_OPTIONS)))
      if (name.startsWith("csi.v1.") && !("format" in definition)) for (const [method, each] of Object.entries(definition)) this.#methods.set(method, each);
    this.#session = connect("http://localhost", { createConnection: () => createConnection(socket) });
    this.#session.on("error", () => undefined); // told to the calls, each by its own stream
  }

  async call(method: string, request: Message): Promise<Message> {
    const definition = this.#methods.get(method);
    if (definition === undefined) throw new Error(`no service has a method ${method}`);
    const stream = this.#session.request({
      [HTTP2_HEADER_METHOD]: "POST",
      [HTTP2_HEADER_PATH]: definition.path,
      [HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      [HTTP2_HEADER_TE]: "trailers",
    });
    stream.end(framed(definition.requestSerialize(request)));
    return definition.responseDeserialize(await answerOf(method, stream)) as Message;
  }

  async close(): Promise<void> {
    this.#session.close();
    await once(this.#session, "close");
  }
}

function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, PREFIX_BYTES);
  return frame;
}

/** The answer's one message. Rejects with what the driver says when it fails. */
function answerOf(method: string, stream: ClientHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  let failure: string | undefined = "the connection has ended";
  const see = ({ "grpc-status": code, "grpc-message": message }: IncomingHttpHeaders): void => {
    if (typeof code === "string") failure = code === "0" ? undefined : `code ${code}: ${typeof message === "string" ? decodeURIComponent(message) : ""}`;
  };
  stream.on("response", see); // of a call that fails at once
  stream.on("trailers", see);
  stream.on("data", (part: Buffer) => parts.push(part));
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("close", () => (failure === undefined ? resolve(Buffer.concat(parts).subarray(PREFIX_BYTES)) : reject(new Error(`${method}: ${failure}`))));
  });
}
