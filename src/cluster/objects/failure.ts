import * as z from "zod";
import { DmthinError, type ErrorFacts } from "../../errors.ts";

/** Why the node could not do what was asked: its error, to be thrown again by whoever asked. */
export const failure = z.object({
  code: z.string().describe("The error's code, as docs/operations.md lists them."),
  message: z.string().describe("The error in words, with what to do."),
  facts: z.looseObject({ code: z.string() }).describe("The error's facts, for the controller."),
  generation: z.int().describe("The generation of the object that this answers."),
});
export type Failure = z.output<typeof failure>;

/** A node of another version may fail in ways that this one has no words for: then its own are told, as a fault. */
export function errorOf({ facts, message }: Failure): Error {
  try {
    return new DmthinError(facts as unknown as ErrorFacts);
  } catch (cause) {
    return new Error(message, { cause });
  }
}

export const failureOf = (error: DmthinError, generation: number): Failure => ({
  code: error.facts.code,
  message: error.message,
  facts: { ...error.facts },
  generation,
});
