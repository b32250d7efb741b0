import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { join } from "node:path";
import { checkout } from "../lab/checkout.ts";
import { dataFrames, END_STREAM, FRAME, frame, FrameReader, greeting, headers, type Frame } from "./http2-frames.ts";

type Message = Readonly<Record<string, unknown>>;
type Method = ServiceDefinition[string];

interface Waiting {
  readonly parts: Buffer[];
  readonly settle: (answer: Buffer | undefined) => void;
}

const PROTO_OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true } as const;
/** A gRPC message on the wire: one byte that says "not compressed", then its length. Source: gRPC over HTTP/2, "Length-Prefixed-Message". */
const PREFIX_BYTES = 5;
const ACK = 1;

/**
 * A CSI client with next to nothing of its own: one write a call, and as many reads as the answer has pieces. A driver's
 * callers are Go programs, whose calls cost a fraction of grpc-js's, and here one CPU does the work of both sides.
 */
export class LeanClient {
  readonly #socket: Socket;
  readonly #methods = new Map<string, { readonly method: Method; readonly head: Buffer }>();
  readonly #waiting = new Map<number, Waiting>();
  #lastStream = -1;

  constructor(socket: string) {
    for (const [name, definition] of Object.entries(loadSync(join(checkout, "proto/csi.proto"), PROTO_OPTIONS))) {
      if (!name.startsWith("csi.v1.") || "format" in definition) continue;
      for (const [called, method] of Object.entries(definition)) this.#methods.set(called, { method, head: headers(method.path) });
    }
    this.#socket = createConnection(socket);
    this.#socket.on("error", () => undefined); // told to the calls
    this.#socket.on("close", () => this.#waiting.forEach(({ settle }) => settle(undefined)));
    const reader = new FrameReader();
    this.#socket.on("data", (bytes: Buffer) => reader.read(bytes, (each) => this.#see(each)));
    this.#socket.write(greeting());
  }

  /** Rejects when the call fails: why is in the driver's log. */
  async call(method: string, request: Message): Promise<Message> {
    const known = this.#methods.get(method);
    if (known === undefined) throw new Error(`no service has a method ${method}`);
    const stream = (this.#lastStream += 2);
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    this.#waiting.set(stream, { parts: [], settle: resolve });
    this.#socket.write(Buffer.concat([frame(FRAME.headers, stream, known.head), dataFrames(stream, prefixed(known.method.requestSerialize(request)))]));
    const answer = await promise;
    if (answer === undefined) throw new Error(`${method} failed: the driver's log says why`);
    return known.method.responseDeserialize(answer) as Message;
  }

  async close(): Promise<void> {
    this.#socket.end();
    await once(this.#socket, "close");
  }

  #see({ type, flags, stream, payload }: Frame): void {
    if ((type === FRAME.settings || type === FRAME.ping) && (flags & ACK) === 0) {
      this.#socket.write(frame(type, 0, type === FRAME.ping ? payload : Buffer.alloc(0), ACK));
    }
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) return;
    if (type === FRAME.data) waiting.parts.push(payload);
    if (type !== FRAME.resetStream && (type !== FRAME.headers || (flags & END_STREAM) === 0)) return;
    this.#waiting.delete(stream);
    // A call that fails is answered by its status alone, without a message.
    waiting.settle(waiting.parts.length === 0 ? undefined : Buffer.concat(waiting.parts).subarray(PREFIX_BYTES));
  }
}

function prefixed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
