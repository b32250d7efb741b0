import type { PoolDescription } from "../../config/pool-description.ts";
import type { DeviceMapper } from "../../devicemapper/device-mapper.ts";
import { run } from "../../exec/run.ts";
import type { Filesystems } from "../../filesystem/filesystems.ts";
import type { Logger } from "../../logger.ts";
import type { PoolBacking } from "./backing.ts";
import { NamedDevices } from "./devices-backing.ts";
import { DirectLvm } from "./direct-lvm.ts";
import { ExistingDevice } from "./existing-device.ts";
import { ExistingLvmPool } from "./existing-lvm.ts";
import { LoopFiles } from "./loop-backing.ts";
import type { StepObserver } from "../transition.ts";

export interface BackingParts {
  readonly probe: Filesystems["probe"];
  readonly dm: DeviceMapper;
  /** The pool's own folder in the state directory. */
  readonly stateDirectory: string;
  /** The path of the lock that LVM's commands hold while they run; undefined where nobody else can be at work. */
  readonly lvmLock: string | undefined;
  readonly logger: Logger;
  /** Of a pool on whole disks: whether it is being imported just now. */
  readonly isImporting?: () => boolean;
  /** Told of the steps of making it. */
  readonly observe?: StepObserver;
}

/** The backing that a description asks for. */
export function createBacking(description: PoolDescription, parts: BackingParts): PoolBacking {
  const { name, backing } = description;
  switch (backing.kind) {
    case "loop":
      return new LoopFiles(name, backing);
    case "devices":
      return new NamedDevices(name, backing, parts.probe);
    case "directLvm":
      return new DirectLvm({ observe: () => undefined, ...parts, description, backing, run });
    case "existing": {
      const [group = "", volume] = backing.pool.split("/");
      return volume === undefined
        ? new ExistingDevice({ pool: name, name: group, zeroNewBlocks: description.zeroNewBlocks }, parts.dm)
        : new ExistingLvmPool({ ...parts, description, group, volume, run });
    }
  }
}
