/** As much of HTTP/2 as a client of one connection needs, which sends small requests. Sources: RFC 9113, RFC 7541 (header compression). */
export const FRAME = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, windowUpdate: 8 } as const;
export const END_STREAM = 1;
const END_HEADERS = 4;

const HEAD_BYTES = 9;
const LARGEST_DATA = 16_384;
const LARGEST_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
const INITIAL_WINDOW_SIZE = 4;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Headers here are always whole, and end nothing. */
export function frame(type: number, stream: number, payload: Buffer, flags: number = type === FRAME.headers ? END_HEADERS : 0): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A request's whole body. */
export function dataFrames(stream: number, body: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < body.length; at += LARGEST_DATA) {
    const end = at + LARGEST_DATA;
    frames.push(frame(FRAME.data, stream, body.subarray(at, end), end >= body.length ? END_STREAM : 0));
  }
  return Buffer.concat(frames);
}

/** What a client says first. Its windows are as large as can be, so that they never need to be said again. */
export function greeting(): Buffer {
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
  settings.writeUInt32BE(LARGEST_WINDOW, 2);
  const window = Buffer.alloc(4);
  window.writeUInt32BE(LARGEST_WINDOW - DEFAULT_WINDOW);
  return Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(FRAME.settings, 0, settings), frame(FRAME.windowUpdate, 0, window)]);
}

/** Shorter than 127 bytes, as all are here. */
const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);

/** Of a gRPC call: numbers are those of HPACK's static table, nothing is compressed or remembered. */
export function headers(path: string): Buffer {
  const post = Buffer.from([0x80 | 3]);
  const http = Buffer.from([0x80 | 6]);
  const contentType = Buffer.from([0x0f, 31 - 0x0f]);
  return Buffer.concat([
    post,
    http,
    Buffer.from([4]),
    text(path),
    Buffer.from([1]),
    text("localhost"),
    contentType,
    text("application/grpc"),
    Buffer.from([0]),
    text("te"),
    text("trailers"),
  ]);
}

/** Puts frames together from what comes in. */
export class FrameReader {
  #left: Buffer = Buffer.alloc(0);

  read(bytes: Buffer, see: (frame: Frame) => void): void {
    let rest = this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes]);
    while (rest.length >= HEAD_BYTES && rest.length >= HEAD_BYTES + rest.readUIntBE(0, 3)) {
      const end = HEAD_BYTES + rest.readUIntBE(0, 3);
      see({ type: rest[3] ?? 0, flags: rest[4] ?? 0, stream: rest.readUInt32BE(5) & LARGEST_WINDOW, payload: rest.subarray(HEAD_BYTES, end) });
      rest = rest.subarray(end);
    }
    this.#left = rest;
  }
}
