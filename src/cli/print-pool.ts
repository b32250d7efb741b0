import { formatBytes } from "../units.ts";
import { attention } from "./attention.ts";
import type { BackingInfo, CareInfo, FiguresInfo, InventoryInfo, PoolInfo, SetupInfo } from "./driver-info.ts";
import { ago, duration, gauge, line, warning, WIDTH } from "./lines.ts";
import type { Paint } from "./terminal.ts";

const EVENTS = 3;
const SHOWN = 8;

/** A pool in lines of at most 80 columns. `now` in milliseconds since 1970, for how long ago things were. */
export function printPool(pool: PoolInfo, paint: Paint, now: number): string {
  return join([
    ...printHead(pool, paint, now),
    ...backing(pool.backing),
    ...disks(pool),
    ...gauges(pool, paint),
    ...room(pool, now),
    ...devices(pool.setup),
    line("chunks", chunks(pool)),
    ...contents(pool),
    line("new volumes", pool.filesystem === "" ? undefined : `${formatBytes(pool.defaultVolumeBytes)} and ${pool.filesystem} when nothing else is asked for`),
    line("when full", pool.figures && whenFull(pool)),
    line("discards", discards(pool)),
    line("deferred", deferred(pool)),
    line("transaction", pool.figures && String(pool.figures.transactionId)),
    line("orphans", orphans(pool)),
    ...discrepancies(pool.inventory).map((text) => paint("yellow", line("", text) ?? "")),
    ...events(pool.care, now),
  ]);
}

/** What changes while one looks, for `--watch`. */
export const printPoolBriefly = (pool: PoolInfo, paint: Paint, now: number): string =>
  join([...printHead(pool, paint, now), ...gauges(pool, paint), ...room(pool, now), ...contents(pool), ...events(pool.care, now)]);

const join = (lines: readonly (string | undefined)[]): string => lines.filter((text) => text !== undefined).join("\n");

const printHead = (pool: PoolInfo, paint: Paint, now: number): readonly string[] => [
  heading(pool, paint),
  ...attention(pool, now).map((text) => paint("yellow", warning(text))),
];

function heading(pool: PoolInfo, paint: Paint): string {
  const left = `${pool.name}${pool.isDefault ? "  (default)" : ""}`;
  const state = pool.figures === undefined ? "" : `, ${pool.figures.state}`;
  const right = `${pool.status.toLowerCase()}${state}`;
  const well = pool.status === "READY" && (pool.figures === undefined || pool.figures.state === "rw") && pool.stuck === undefined;
  const gap = " ".repeat(Math.max(WIDTH - left.length - right.length, 2));
  return paint("bold", left) + gap + paint(well ? "green" : pool.status === "REFUSED" ? "red" : "yellow", right);
}

function backing(described: BackingInfo | undefined): readonly (string | undefined)[] {
  if (described === undefined) return [];
  if ("loop" in described) return [line("backing", `loop: two files in ${described.loop.directory}`)];
  if ("existing" in described) return [line("backing", `existing: ${described.existing.pool}`)];
  if ("devices" in described) return [line("backing", "devices"), line("  data", described.devices.data), line("  metadata", described.devices.metadata)];
  const { volumeGroup, devices: disks, metadataDevices } = described.directLvm;
  const apart = metadataDevices.length === 0 ? "" : `, metadata on ${metadataDevices.join(", ")}`;
  return [line("backing", `directLvm: volume group ${volumeGroup} of ${disks.join(", ")}${apart}`)];
}

/** A pool that was refused says nothing of itself, and will not. */
const unknown = ({ status }: PoolInfo, meanwhile: string): string => (status === "REFUSED" ? "not known: the pool is not used" : `not known yet: ${meanwhile}`);

function gauges(pool: PoolInfo, paint: Paint): readonly (string | undefined)[] {
  const { figures } = pool;
  if (figures === undefined) return [line("space", unknown(pool, "the kernel was not asked so far"))];
  // The kernel tells nothing of a pool that has failed: that is not a pool of no size.
  if (figures.data.total === 0) return [line("space", "not known: the kernel tells no figures of a pool in this state")];
  return [gauge("data", figures.data, paint), gauge("metadata", figures.metadata, paint), minimum(figures)];
}

function minimum({ data, metadata, host }: FiguresInfo): string | undefined {
  const below = host === undefined ? "" : `; ${formatBytes(host.free)} free below its files, ${formatBytes(host.reserve)} kept`;
  return line("minimum free", `${formatBytes(data.minimumFree)} of data, ${formatBytes(metadata.minimumFree)} of metadata${below}`);
}

/** Data and metadata grow by the same room, except where each has disks of its own. */
const isShared = (described: BackingInfo | undefined): boolean =>
  described !== undefined && !("devices" in described) && !("directLvm" in described && described.directLvm.metadataDevices.length > 0);

function room({ backing: described, care, autoextendPercent }: PoolInfo, now: number): readonly (string | undefined)[] {
  if (care === undefined) return [];
  const { data, metadata } = care;
  const threshold = data.thresholdPercent === 0 ? "never by itself" : `at ${Number(data.thresholdPercent.toFixed(1))} % of data, by ${autoextendPercent} %`;
  const or = isShared(described) && data.headroom > 0 && metadata.headroom > 0 ? " or" : ",";
  const left = data.headroom + metadata.headroom === 0 ? "none" : `${formatBytes(data.headroom)} of data${or} ${formatBytes(metadata.headroom)} of metadata`;
  const extended = (["data", "metadata"] as const).flatMap((part) => {
    const last = care[part].lastExtension;
    return last === undefined ? [] : [`${part} from ${formatBytes(last.from)} to ${formatBytes(last.to)}, ${ago(last.at, now)}`];
  });
  return [line("room to grow", `${left}; ${threshold}`), line("last extended", extended.length === 0 ? undefined : extended.join("; "))];
}

/** Which of the description's disks are the pool's, and why the others are not: a pattern may find more than it should. */
function disks({ memberDisks, excludedDisks }: PoolInfo): readonly (string | undefined)[] {
  const members = line("  disks", memberDisks.length === 0 ? undefined : memberDisks.join(", "));
  const excluded = excludedDisks.map(({ path, reason }, index) => line(index === 0 ? "  left out" : "", `${path}: ${reason}`));
  return [members, ...excluded];
}

const spell = ({ path, file }: SetupInfo["data"]): string => (file === "" ? path : `${path}, ${file}`);

function devices(setup: SetupInfo | undefined): readonly (string | undefined)[] {
  if (setup === undefined) return [];
  return [line("pool device", `${setup.path}, ${setup.name}`), line("data on", spell(setup.data)), line("metadata on", spell(setup.metadata))];
}

/** A pool that was made by somebody else has its own, which it tells when it is open. */
const chunks = (pool: PoolInfo): string =>
  pool.figures === undefined && pool.backing !== undefined && "existing" in pool.backing
    ? unknown(pool, "its chunks are its own")
    : `${formatBytes(pool.chunkBytes)}, ${pool.zeroNewBlocks ? "zeroed before use" : "not zeroed before use"}`;

/** A pool that never served here has not said what it holds: no volumes seen are not no volumes. */
const isCounted = ({ status, volumes, snapshots }: PoolInfo): boolean => status === "READY" || volumes + snapshots > 0;

function contents(pool: PoolInfo): readonly (string | undefined)[] {
  if (!isCounted(pool)) return [line("volumes", unknown(pool, "it is being started"))];
  const groups = pool.groups === 0 ? "" : `, group snapshots ${pool.groups}`;
  return [line("volumes", `${pool.volumes}, snapshots ${pool.snapshots}${groups}`), line("promised", promised(pool))];
}

function promised({ provisionedBytes, overcommitRatio, figures }: PoolInfo): string {
  const times = figures === undefined || figures.data.total === 0 ? "" : `, ${Number((provisionedBytes / figures.data.total).toFixed(1))} times the pool`;
  return `${formatBytes(provisionedBytes)}${times} (at most ${overcommitRatio} times)`;
}

const whenFull = ({ figures, whenFull: wanted }: PoolInfo): string =>
  `${figures?.queuesWhenFull === true ? "writes wait for room, a minute by default" : "writes fail"} (${wanted})`;

function discards({ discardOnDelete, figures, trimIntervalMs }: PoolInfo): string {
  const trimmed = trimIntervalMs === 0 ? "filesystems are not trimmed" : `filesystems are trimmed every ${duration(trimIntervalMs / 1000)}`;
  const deleted = discardOnDelete ? "volumes are discarded before they are deleted" : "volumes are deleted without being discarded";
  const passed = figures === undefined ? "" : figures.discardPassdown ? "passed down to the disk; " : `not passed down: ${figures.discardHindrance}; `;
  return `${passed}${deleted}; ${trimmed}`;
}

const deferred = ({ deferredDeletions }: PoolInfo): string =>
  `removal and deletion, while a device is held open; ${deferredDeletions === 0 ? "no deletions wait" : deferredDeletions === 1 ? "1 deletion waits" : `${deferredDeletions} deletions wait`}`;

function orphans(pool: PoolInfo): string {
  const { inventory } = pool;
  if (inventory === undefined) return unknown(pool, "the inventory follows after start");
  if (inventory.orphans.length === 0) return "none";
  const mapped = inventory.orphans.reduce((sum, { mappedBytes }) => sum + mappedBytes, 0);
  const shown = inventory.orphans.slice(0, SHOWN).map(({ number }) => number);
  const more = inventory.orphans.length > shown.length ? " and more" : "";
  return `${inventory.orphans.length} that no record knows, ${formatBytes(mapped)}: number ${shown.join(", ")}${more}. They are left alone: see "dmthin pool orphans ${pool.name}".`;
}

const discrepancies = (inventory: InventoryInfo | undefined): readonly string[] =>
  (inventory?.discrepancies ?? [])
    .slice(0, SHOWN)
    .map(({ id, number, reason }) =>
      reason === "missing"
        ? `${id} has no thin device in the pool: number ${number} is missing`
        : `${id}: thin device ${number} is not the one that was made for it`,
    );

const events = (care: CareInfo | undefined, now: number): readonly (string | undefined)[] =>
  (care?.events ?? []).slice(-EVENTS).map(({ at, message }, index) => line(index === 0 ? "events" : "", `${ago(at, now)}: ${message}`));
