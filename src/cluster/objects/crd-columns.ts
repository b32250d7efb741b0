/** A column of `kubectl get`; with a priority above 0 it is shown by `-o wide` alone. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date" | "boolean";
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

const column = (name: string, jsonPath: string, description: string, type: Column["type"] = "string"): Column => ({ name, type, jsonPath, description });
const wide = (each: Column): Column => ({ ...each, priority: 1 });

const AGE = column("Age", ".metadata.creationTimestamp", "Since when the object is there.", "date");
const PHASE = column("Phase", ".status.phase", "Pending, Ready or Failed.");
const NODE = column("Node", ".spec.nodeName", "The node that has it.");
const POOL = column("Pool", ".spec.poolName", "Its ThinPool.");
const REASON = column("Reason", ".status.failure.code", "Why the last thing asked for was not done.");
const MESSAGE = wide(column("Message", ".status.failure.message", "The same in words, with what to do."));
const condition = (type: string, part: "reason" | "message"): string => `.status.conditions[?(@.type=="${type}")].${part}`;

/** What tells the whole story of each kind in a line. */
export const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  ThinPool: [
    column("Nodes", ".status.desiredNodes", "How many nodes shall have it.", "integer"),
    column("Ready", ".status.readyNodes", "How many have it.", "integer"),
    column("Status", condition("Ready", "reason"), "How it is, in a word."),
    column("Deleting", condition("Deleting", "reason"), "Why its deletion waits."),
    column("Default", ".spec.default", "Whether volumes that name no pool are made here.", "boolean"),
    AGE,
    wide(column("Message", condition("Ready", "message"), "How it is, in words.")),
    wide(column("Waits", condition("Deleting", "message"), "What its deletion waits for, in words.")),
  ],
  NodeThinPool: [
    POOL,
    NODE,
    column("Phase", ".status.phase", "Pending, Ready, Refused or Removing."),
    column("State", ".status.state", "The kernel's: rw is well."),
    column("Status", condition("Ready", "reason"), "How it is, in a word: Serves is well."),
    column("Volumes", ".status.volumes", "How many volumes it has.", "integer"),
    column("Snapshots", ".status.snapshots", "How many snapshots it has.", "integer"),
    column("Available", ".status.available", "What a new volume may ask for."),
    AGE,
    wide(column("Message", ".status.message", "What goes on, or what is wrong and what to do.")),
    wide(column("Backing", ".status.backing", "What it lies on.")),
    wide(column("Data", ".status.data.total", "All of its data space.")),
    wide(column("Used", ".status.data.used", "What of that is in use.")),
    wide(column("Promised", ".status.promised", "The sizes of its volumes together.")),
    wide(column("Orphans", ".status.orphans", "Thin devices that nobody knows.", "integer")),
    wide(column("Version", ".status.driverVersion", "The driver's version on that node.")),
  ],
  ThinVolume: [
    PHASE,
    NODE,
    POOL,
    column("Size", ".status.size", "The device's size."),
    column("Namespace", ".spec.claim.namespace", "Of the claim that it was made for."),
    column("Claim", ".spec.claim.name", "The claim that it was made for."),
    column("Health", condition("PoolHealthy", "reason"), "Whether its pool serves it."),
    REASON,
    AGE,
    wide(column("Source", ".spec.source.id", "What it is a copy of.")),
    wide(column("Unclaimed", condition("Unclaimed", "reason"), "Whether nobody knows of it any more.")),
    wide(column("Filesystem", ".status.filesystem", "Its filesystem.")),
    wide(column("Name", ".spec.name", "What CSI calls it: its PersistentVolume.")),
    MESSAGE,
  ],
  ThinSnapshot: [
    PHASE,
    column("Volume", ".spec.sourceVolume", "What it is a snapshot of."),
    NODE,
    POOL,
    column("Size", ".status.size", "The size that it shows."),
    column("Moment", ".status.createdAt", "What moment it shows."),
    REASON,
    AGE,
    wide(column("Name", ".spec.name", "What CSI calls it.")),
    MESSAGE,
  ],
  ThinSnapshotGroup: [
    PHASE,
    column("Volumes", ".spec.sourceVolumes", "What it has snapshots of."),
    NODE,
    POOL,
    column("Moment", ".status.createdAt", "What moment they show."),
    REASON,
    AGE,
    wide(column("Name", ".spec.name", "What CSI calls it.")),
    MESSAGE,
  ],
};
