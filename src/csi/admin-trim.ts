import { invalid } from "../volumes/invalid.ts";
import type { TrimSchedule } from "../volumes/trim-schedule.ts";
import type { Handlers } from "./handler.ts";

export type Trims = Pick<TrimSchedule, "trim">;

/** What the schedule does by itself, now. */
export const trimHandlers = (trims: Trims): Handlers<"dmthin.admin.v1.Admin"> => ({
  TrimVolume: async ({ volumeId: id, pool }, { signal }) => {
    if (id === "" || pool === "") throw invalid("say which volume, and in which pool");
    const outcome = await trims.trim({ id, pool }, signal);
    return "leftAlone" in outcome ? { givenBackBytes: "0", leftAlone: outcome.leftAlone } : { givenBackBytes: String(outcome.givenBackBytes), leftAlone: "" };
  },
});
