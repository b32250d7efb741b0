import { DmthinError } from "../../src/errors.ts";

/** The kernel's refusal, as src/devicemapper reports it. */
export const refusal = (operation: string, subject: string, errno: string): DmthinError =>
  new DmthinError({ code: "kernel-failed", operation, subject, errno });

/** A program's refusal, as src/exec reports it. */
export const programFailed = (argv: readonly string[], exitCode: number, stderr: string): DmthinError =>
  new DmthinError({ code: "program-failed", argv, exitCode, signal: undefined, stderr, timedOut: false, aborted: false });
