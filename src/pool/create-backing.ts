import type { PoolDescription } from "../config/pool-description.ts";
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
  }
}
