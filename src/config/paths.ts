import { posix } from "node:path";
import * as z from "zod";
import { pathProblem, socketIn, socketProblem } from "./path-rules.ts";
import { quote } from "./wording.ts";

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
