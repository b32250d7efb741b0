import type { Case } from "./case.ts";
import { BASIC } from "./cases/basic.ts";
import { CHART_CASES } from "./cases/chart.ts";
import { COPIES } from "./cases/copies.ts";
import { FAULTS } from "./cases/faults.ts";
import { LEFT_OVER } from "./cases/left-over.ts";
import { FORGOTTEN, LOST_NODES } from "./cases/lost-nodes.ts";
import { REFUSALS } from "./cases/refusals.ts";
import { ROOM } from "./cases/room.ts";
import { SANITY } from "./cases/sanity.ts";
import { SIZES } from "./cases/sizes.ts";

/** All of them, those that take long first; what is left over is looked for when all but the last are done. */
export const CASES: readonly Case[] = [
  ...SIZES,
  ...COPIES,
  ...BASIC,
  ...ROOM,
  ...REFUSALS,
  ...FAULTS,
  ...SANITY,
  ...CHART_CASES,
  ...LOST_NODES,
  ...LEFT_OVER,
  ...FORGOTTEN,
];
