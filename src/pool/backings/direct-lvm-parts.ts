import type { DirectLvmBacking } from "../../config/pool-description.ts";
import type { PoolDescription } from "../../config/pool-description.ts";
import type { DeviceMapper } from "../../devicemapper/device-mapper.ts";
import { DmthinError } from "../../errors.ts";
import type { Run } from "../../exec/run.ts";
import type { Logger } from "../../logger.ts";
import type { StepObserver } from "../transition.ts";

/** What a pool on whole disks is made with. */
export interface DirectLvmParts {
  readonly description: PoolDescription;
  readonly backing: DirectLvmBacking;
  readonly dm: DeviceMapper;
  readonly run: Run;
  /** Where the mark is, and the catalogue volume is mounted. */
  readonly stateDirectory: string;
  /** See pool-lock.ts. */
  readonly lvmLock: string | undefined;
  readonly logger: Logger;
  /** Whether it is asked for by who imports the pool: for others one whose import was interrupted is none yet. */
  readonly isImporting?: () => boolean;
  readonly observe: StepObserver;
}

/** The names of its logical volumes. The pool's is the data's before it is one. */
export const CATALOG = "catalog";
export const METADATA = "metadata";
export const POOL = "pool";

export const refused = ({ description }: Pick<DirectLvmParts, "description">, reason: string, remedy: string, cause?: unknown): DmthinError =>
  new DmthinError({ code: "pool-refused", pool: description.name, reason, remedy }, { cause });

/** Of what was asked of a pool that serves. */
export const unchanged = ({ description }: Pick<DirectLvmParts, "description">, reason: string, remedy: string): DmthinError =>
  new DmthinError({ code: "pool-unchanged", pool: description.name, reason, remedy });

/** Of what may pass by itself, such as a disk that comes up late: it is tried again. */
export const notReady = ({ description }: Pick<DirectLvmParts, "description">, reason: string): DmthinError =>
  new DmthinError({ code: "pool-not-ready", pool: description.name, reason });
