import { DmthinError } from "../../../src/errors.ts";
import { GiB } from "../../../src/units.ts";
import type { Trims } from "../../../src/csi/admin-trim.ts";

/** Knows one volume in use, and one as a block. */
export const fakeTrims: Trims = {
  trim: async ({ id }) => {
    if (id === "vol-block") return { leftAlone: "it is a block volume" };
    if (id !== "vol-x") throw new DmthinError({ code: "not-found", kind: "volume", id });
    return { givenBackBytes: GiB };
  },
};
