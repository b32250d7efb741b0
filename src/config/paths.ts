import { posix } from "node:path";
import * as z from "zod";
import { quote } from "./wording.ts";

/** sun_path of struct sockaddr_un has 108 bytes, the last of them zero. Source: unix(7). */
const SOCKET_PATH_BYTES = 107;

const problemOf = (path: string): string | undefined => {
  if (!path.startsWith("/")) return `${quote(path)} is not an absolute path`;
  if (/\p{Cc}/u.test(path)) return `${quote(path)} has control characters in it`;
  if (path.split("/").includes("..")) return `${quote(path)} has ".." in it: write where it leads`;
  return undefined;
};

/** An absolute path without "..", normalised: no double and no trailing slash. */
export const absolutePath = () =>
  z.string().transform((path, context) => {
    const problem = problemOf(path);
    if (problem !== undefined) context.addIssue(problem);
    return problem === undefined ? posix.normalize(path).replace(/(?<=.)\/$/, "") : z.NEVER;
  });

/** The path of one block device or, with `*` and `?` in its last part, of those that are there. */
export const devicePattern = () =>
  absolutePath().check((payload) => {
    if (/[*?]/.test(posix.dirname(payload.value)))
      payload.issues.push({ code: "custom", message: `${quote(payload.value)}: "*" and "?" may stand in the last part only`, input: payload.value });
  });

/** The path of a unix socket, written as such or as "unix:///run/…", which is how the sidecars are told. */
export const socketPath = () =>
  z.string().transform((text, context) => {
    const path = text.replace(/^unix:(?=\/)(\/\/(?=\/))?/, "");
    const problem =
      problemOf(path) ??
      (Buffer.byteLength(path) > SOCKET_PATH_BYTES ? `${quote(path)} is too long for a socket: at most ${SOCKET_PATH_BYTES} bytes` : undefined);
    if (problem !== undefined) context.addIssue(problem);
    return problem === undefined ? posix.normalize(path) : z.NEVER;
  });

/** Whether `inner` is `outer` or lies below it. Both normalised. */
export const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
