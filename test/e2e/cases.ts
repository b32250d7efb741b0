import type { Case } from "./case.ts";
import { BASIC } from "./cases/basic.ts";
import { COPIES } from "./cases/copies.ts";
import { FAULTS } from "./cases/faults.ts";
import { LEFT_OVER } from "./cases/left-over.ts";
import { REFUSALS } from "./cases/refusals.ts";
import { SIZES } from "./cases/sizes.ts";

/** All of them; what is left over is looked for at the end. */
export const CASES: readonly Case[] = [...BASIC, ...COPIES, ...SIZES, ...REFUSALS, ...FAULTS, ...LEFT_OVER];
