import type { PlainError } from "../errors.ts";
import type { FilesystemFigures } from "./filesystem-calls.ts";

/** One call that may block, as plain data. */
export type BlockingRequest =
  | {
      readonly kind: "ioctl";
      /** Opened in the thread, since opening can block as well. */
      readonly path: string;
      /** Default: for reading and writing, which a directory is not opened for. */
      readonly access?: "read";
      readonly request: number;
      readonly data: Uint8Array;
      /** For the error: what is done, and to what. */
      readonly operation: string;
      readonly subject: string;
    }
  /** The first bytes of a file or a device; fewer where it is shorter. */
  | { readonly kind: "read"; readonly path: string; readonly lengthBytes: number }
  | { readonly kind: "syncfs"; readonly path: string }
  | { readonly kind: "statfs"; readonly path: string };

export interface BlockingAnswers {
  /** The data as the kernel left it. */
  readonly ioctl: Uint8Array;
  readonly read: Uint8Array;
  readonly syncfs: undefined;
  readonly statfs: FilesystemFigures;
}

/** What a thread says when its call has come back. */
export type BlockingReply = { readonly answer: BlockingAnswers[keyof BlockingAnswers] } | { readonly error: PlainError };
