import { basename } from "node:path";
import { DmthinError, type FactsOf } from "../errors.ts";
import { packageOf } from "./programs.ts";
import type { StartError } from "./start.ts";

export const programFailed = (facts: Omit<FactsOf<"program-failed">, "code">, cause?: Error): DmthinError =>
  new DmthinError({ code: "program-failed", ...facts }, cause === undefined ? undefined : { cause });

/** "program-missing" when there is no such program; else "program-failed" with the reason in place of its own words. */
export function startFailure(argv: readonly string[], cause: StartError): DmthinError {
  const program = basename(argv[0] ?? "");
  if (cause.code === "ENOENT") return new DmthinError({ code: "program-missing", program, package: packageOf(program) }, { cause });
  return programFailed({ argv, exitCode: undefined, signal: undefined, stderr: cause.message, timedOut: false, aborted: false }, cause);
}

/** The last that a program has said, in one line. */
export const lastLines = (text: string, count: number): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(-count)
    .join("; ");
