import type { SlowCalls } from "../devicemapper/device-mapper.ts";
import type { Bytes } from "../units.ts";
import type { RecoveryParts } from "./recovery.ts";

/** What a pool's engine is made of: the real kernel's, or the simulated one's. */
export interface EngineParts extends RecoveryParts {
  readonly slow: SlowCalls;
  readonly deadMan: DeadMan;
  /** What the machine has in memory for its disks. Default: nothing. */
  readonly unwrittenBytes?: () => Bytes;
}

/**
 * The dead man's handle: a process beside ours that resumes, when we die, what it was told that we suspend. Told before
 * the suspend and after the resume. See dead-man.ts.
 */
export interface DeadMan {
  arm(uuids: readonly string[]): void;
  disarm(uuids: readonly string[]): void;
  /** Nothing more will be suspended. What is armed still stays armed until the process ends. */
  close(): void;
}
