import { DmthinError } from "../errors.ts";

export const invalid = (...problems: readonly string[]): DmthinError => new DmthinError({ code: "invalid-argument", problems });
