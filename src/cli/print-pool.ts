import { formatBytes } from "../units.ts";
import type { BackingInfo, FiguresInfo, InventoryInfo, PoolInfo, SpaceInfo } from "./driver-info.ts";
import { bar, percent, wrap, type Paint } from "./terminal.ts";

const WIDTH = 80;
const LABEL = 14;
const INDENT = "  ";

/** A pool in lines of at most 80 columns. `now` in milliseconds since 1970, for how long something has been stuck. */
export function printPool(pool: PoolInfo, paint: Paint, now: number): string {
  const lines: readonly (string | undefined)[] = [
    heading(pool, paint),
    ...attention(pool, now).map((text) => paint("yellow", wrap(text, WIDTH, `${INDENT}! `).replaceAll(/\n {2}! /g, "\n    "))),
    ...backing(pool.backing),
    ...(pool.figures === undefined ? [line("space", "not known yet: the kernel was not asked so far")] : space(pool.figures, paint)),
    line("chunks", `${formatBytes(pool.chunkBytes)}, ${pool.zeroNewBlocks ? "zeroed before use" : "not zeroed before use"}`),
    line("volumes", counts(pool)),
    line("promised", isCounted(pool) ? promised(pool) : undefined),
    line("new volumes", pool.filesystem === "" ? undefined : `${pool.filesystem} when nothing else is asked for`),
    line("when full", pool.figures && (pool.figures.queuesWhenFull ? "writes wait for room, a minute by default" : "writes fail")),
    line("on delete", discard(pool)),
    line("transaction", pool.figures && String(pool.figures.transactionId)),
    line("orphans", orphans(pool.inventory)),
    ...discrepancies(pool.inventory).map((text) => paint("yellow", line("", text) ?? "")),
  ];
  return lines.filter((text) => text !== undefined).join("\n");
}

const line = (label: string, value: string | undefined): string | undefined =>
  value === undefined
    ? undefined
    : wrap(value, WIDTH, " ".repeat(INDENT.length + LABEL)).replace(" ".repeat(INDENT.length + LABEL), INDENT + label.padEnd(LABEL));

function heading(pool: PoolInfo, paint: Paint): string {
  const left = `${pool.name}${pool.isDefault ? "  (default)" : ""}`;
  const state = pool.figures === undefined ? "" : `, ${pool.figures.state}`;
  const right = `${pool.status.toLowerCase()}${state}`;
  const well = pool.status === "READY" && (pool.figures === undefined || pool.figures.state === "rw") && pool.stuck === undefined;
  const gap = " ".repeat(Math.max(WIDTH - left.length - right.length, 2));
  return paint("bold", left) + gap + paint(well ? "green" : pool.status === "REFUSED" ? "red" : "yellow", right);
}

/** What somebody should know or do, in sentences. */
function attention(pool: PoolInfo, now: number): readonly string[] {
  const sentences: string[] = [];
  if (pool.status === "RECOVERING")
    sentences.push(pool.refusal === "" ? "It is being started, and takes no calls yet." : `It cannot be started: ${pool.refusal}. It is tried again.`);
  if (pool.status === "LOCKED") sentences.push("Another process has this pool. It is taken over when that ends.");
  if (pool.status === "REFUSED") sentences.push(`It is not used: ${pool.refusal}. To do: ${pool.remedy}.`);
  if (pool.stuck !== undefined) {
    const seconds = Math.max(Math.round((now - pool.stuck.since) / 1000), 0);
    sentences.push(`${pool.stuck.operation} has waited ${seconds} s for the kernel: look at the disks below the pool.`);
  }
  for (const resource of ["data", "metadata"] as const) {
    const figures = pool.figures?.[resource];
    if (figures !== undefined && isLow(figures))
      sentences.push(`Less ${resource} space is free than its minimum: no new volumes and snapshots until some are deleted or the pool grows.`);
  }
  if (pool.figures !== undefined && pool.figures.state !== "rw")
    sentences.push(STATES[pool.figures.state] ?? `Its state is ${pool.figures.state}: it takes no changes.`);
  return sentences;
}

const STATES: Readonly<Record<string, string>> = {
  ro: "It is read-only: the kernel could not write its metadata. Deletions are kept and carried out later.",
  out_of_data_space: "It has no room left: volumes cannot write to new blocks until some are freed or the pool grows.",
  needs_check: "Its metadata must be checked before the kernel writes to it again.",
  Fail: "It has failed: the kernel can neither read nor write its metadata.",
  Error: "It does not answer: the kernel cannot tell its figures.",
};

const isLow = ({ used, total, minimumFree }: SpaceInfo): boolean => total - used < minimumFree;

function backing(described: BackingInfo | undefined): readonly (string | undefined)[] {
  if (described === undefined) return [];
  if ("loop" in described) return [line("backing", `loop: two files in ${described.loop.directory}`)];
  if ("directLvm" in described)
    return [line("backing", `directLvm: volume group ${described.directLvm.volumeGroup} of ${described.directLvm.devices.join(", ")}`)];
  if ("existing" in described) return [line("backing", `existing: ${described.existing.pool}`)];
  const { data, metadata } = described.devices;
  return [line("backing", "devices"), line("  data", data), line("  metadata", metadata)];
}

const BAR = 22;

function space({ data, metadata }: FiguresInfo, paint: Paint): readonly string[] {
  const row = (label: string, figures: SpaceInfo): string => {
    const { used, total, minimumFree } = figures;
    const nearlyLow = total - used < 2 * minimumFree;
    const style = isLow(figures) ? "red" : nearlyLow ? "yellow" : "green";
    return `${INDENT}${label.padEnd(LABEL)}${paint(style, bar(used, total, BAR))} ${percent(used, total).padStart(5)}  ${formatBytes(used)} of ${formatBytes(total)}`;
  };
  const minimum = line("minimum free", `${formatBytes(data.minimumFree)} of data, ${formatBytes(metadata.minimumFree)} of metadata`) ?? "";
  return [row("data", data), row("metadata", metadata), minimum];
}

/** A pool that never served here has not said what it holds: no volumes seen are not no volumes. */
const isCounted = ({ status, volumes, snapshots }: PoolInfo): boolean => status === "READY" || volumes + snapshots > 0;

const counts = (pool: PoolInfo): string =>
  isCounted(pool) ? `${pool.volumes}, snapshots ${pool.snapshots}${pool.groups === 0 ? "" : `, group snapshots ${pool.groups}`}` : "not known yet";

function promised({ provisionedBytes, overcommitRatio, figures }: PoolInfo): string {
  const times = figures === undefined || figures.data.total === 0 ? "" : `, ${Number((provisionedBytes / figures.data.total).toFixed(1))} times the pool`;
  return `${formatBytes(provisionedBytes)}${times} (at most ${overcommitRatio} times)`;
}

function discard({ discardOnDelete, figures }: PoolInfo): string {
  const passed = figures === undefined ? "" : figures.discardPassdown ? "; the pool passes discards down" : "; the pool keeps discards to itself";
  return `${discardOnDelete ? "blocks are discarded first" : "blocks are not discarded"}${passed}`;
}

function orphans(inventory: InventoryInfo | undefined): string {
  if (inventory === undefined) return "not known yet: the inventory follows after start";
  if (inventory.orphans.length === 0) return "none";
  const mapped = inventory.orphans.reduce((sum, { mappedBytes }) => sum + mappedBytes, 0);
  const shown = inventory.orphans.slice(0, 8).map(({ number }) => number);
  const more = inventory.orphans.length > shown.length ? " and more" : "";
  return `${inventory.orphans.length} that no record knows, ${formatBytes(mapped)}: number ${shown.join(", ")}${more}. They are left alone.`;
}

const discrepancies = (inventory: InventoryInfo | undefined): readonly string[] =>
  (inventory?.discrepancies ?? [])
    .slice(0, 8)
    .map(({ id, number, reason }) =>
      reason === "missing"
        ? `${id} has no thin device in the pool: number ${number} is missing`
        : `${id}: thin device ${number} is not the one that was made for it`,
    );
