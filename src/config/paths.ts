import { posix } from "node:path";
import * as z from "zod";
import { quote } from "./wording.ts";

/** sun_path of struct sockaddr_un has 108 bytes, the last of them zero. Source: unix(7). */
const SOCKET_PATH_BYTES = 107;

/** To follow the path in a sentence. */
const pathProblem = (path: string): string | undefined => {
  if (!path.startsWith("/")) return "is not an absolute path";
  if (/\p{Cc}/u.test(path)) return "has control characters in it";
  if (path.split("/").includes("..")) return 'has ".." in it: write where it leads';
  return undefined;
};

/** A socket's path, written as such or as "unix:///run/…", which is how the sidecars are told. */
export const socketIn = (text: string): string => text.replace(/^unix:(\/\/)?(?=\/)/, "");

/** Why a path cannot be a socket's, to follow it in a sentence; undefined: it can. */
export const socketProblem = (path: string): string | undefined =>
  pathProblem(path) ?? (Buffer.byteLength(path) > SOCKET_PATH_BYTES ? `is too long for a socket: at most ${SOCKET_PATH_BYTES} bytes` : undefined);

/** An absolute path without "..", normalised: no double and no trailing slash. */
export const absolutePath = () =>
  z.string().transform((path, context) => {
    const problem = pathProblem(path);
    if (problem !== undefined) context.addIssue(`${quote(path)} ${problem}`);
    return problem === undefined ? posix.normalize(path).replace(/(?<=.)\/$/, "") : z.NEVER;
  });

/** The path of one block device or, with `*` and `?` in its last part, of those that are there. */
export const devicePattern = () =>
  absolutePath().check((payload) => {
    if (/[*?]/.test(posix.dirname(payload.value)))
      payload.issues.push({ code: "custom", message: `${quote(payload.value)}: "*" and "?" may stand in the last part only`, input: payload.value });
  });

/** The path of a unix socket, as `socketIn` takes it. */
export const socketPath = () =>
  z.string().transform((text, context) => {
    const path = socketIn(text);
    const problem = socketProblem(path);
    if (problem !== undefined) context.addIssue(`${quote(path)} ${problem}`);
    return problem === undefined ? posix.normalize(path) : z.NEVER;
  });

/** Whether `inner` is `outer` or lies below it. Both normalised. */
export const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
