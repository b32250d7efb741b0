import type { EngineParts } from "./engine-parts.ts";
import type { Mailbox } from "./mailbox.ts";
import type { MappedVolumes } from "./mapped-volumes.ts";
import type { PoolFigures, PoolNews } from "./pool-calls.ts";
import type { OpenPool } from "./recovery.ts";

/** What the parts of an engine share: the open pool, one turn at a time, and where news goes. */
export interface Workbench extends OpenPool {
  readonly parts: EngineParts;
  readonly mailbox: Mailbox;
  /** Suspended thin devices and table changes exclude each other: together they can deadlock in the kernel. Taken before the mailbox. */
  readonly gate: Mailbox;
  readonly mapped: MappedVolumes;
  readonly publish: (news: PoolNews) => void;
  readonly publishFigures: (options?: { readonly exact: boolean }) => PoolFigures;
}
