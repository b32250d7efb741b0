import type { PoolDescription } from "../config/pool-description.ts";
import { DmthinError } from "../errors.ts";
import type { Filesystems } from "../filesystem/filesystems.ts";
import type { PoolBacking } from "./backing.ts";
import { NamedDevices } from "./devices-backing.ts";
import { LoopFiles } from "./loop-backing.ts";

/** The backing that a description asks for. */
export function createBacking({ name, backing }: PoolDescription, probe: Filesystems["probe"]): PoolBacking {
  switch (backing.kind) {
    case "loop":
      return new LoopFiles(name, backing);
    case "devices":
      return new NamedDevices(name, backing, probe);
    case "directLvm":
    case "existing":
      throw new DmthinError({ code: "pool-refused", pool: name, reason: `backing ${backing.kind} is not there yet`, remedy: "choose another one" });
  }
}
