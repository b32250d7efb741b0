import { formatBytes } from "../units.ts";
import type { DriverInfo, PoolInfo } from "./driver-info.ts";
import { DEADLINE_MS, type AskDriver } from "./info.ts";
import { ago, line } from "./lines.ts";
import { silence } from "./silence.ts";
import { paintFor, type Terminal } from "./terminal.ts";
import type { VolumeInfo, VolumesInfo } from "./volume-info.ts";

export interface AskedVolumes {
  /** Empty: of all pools. */
  readonly pool: string;
  /** How long what each maps alone may be measured; 0: as it was measured last. */
  readonly measureMs: number;
}

/** Asks the driver behind an admin socket; rejects when none answers in time, or with its refusal. */
export type AskVolumes = (socket: string, asked: AskedVolumes, deadlineMs: number) => Promise<VolumesInfo>;

/** The driver is asked what its pools are at, too: what a pool does not tell is not what it does not have. */
export interface Asking {
  readonly askVolumes: AskVolumes;
  readonly askDriver: AskDriver;
}

interface Options extends AskedVolumes {
  readonly socket: string;
  readonly json: boolean;
}

const ANSWER_MS = 5000;

/** Lists volumes and snapshots. Answers the exit code. */
export async function listVolumes(options: Options, asking: Asking, terminal: Terminal): Promise<number> {
  return answered(options, asking, terminal, ({ volumes, notMeasured }, notServing) => {
    // One that has served tells what it knew.
    const silent = notServing.filter(({ name }) => !volumes.some(({ pool }) => pool === name));
    const problem = notKnown(silent);
    if (problem !== undefined && volumes.length === 0) return { problem };
    const sorted = volumes.toSorted((left, right) => compare(left.pool, right.pool) || compare(left.name, right.name) || compare(left.id, right.id));
    if (options.json) return { text: `${JSON.stringify(sorted, undefined, 2)}\n`, problem };
    noteUnmeasured(
      notMeasured.filter((name) => !silent.some((pool) => pool.name === name)),
      terminal,
    );
    return { text: volumes.length === 0 ? "There are no volumes and no snapshots.\n" : table(sorted, terminal), problem };
  });
}

/** Shows one volume or snapshot by its id or its name. Answers the exit code. */
export async function showVolume(options: Options & { readonly which: string }, asking: Asking, terminal: Terminal): Promise<number> {
  return answered(options, asking, terminal, ({ volumes, notMeasured }, notServing) => {
    const byId = volumes.filter(({ id }) => id === options.which);
    const found = byId.length > 0 ? byId : volumes.filter(({ name }) => name === options.which);
    if (found.length === 0) return { problem: notKnown(notServing) ?? `there is no volume or snapshot ${options.which}: see "dmthin volume ls"` };
    if (options.json) return { text: `${JSON.stringify(found.length === 1 ? found[0] : found, undefined, 2)}\n` };
    noteUnmeasured(notMeasured, terminal);
    const paint = paintFor(terminal.output);
    return { text: found.map((volume) => `${paint("bold", volume.id)}\n${details(volume, volumes)}\n`).join("\n") };
  });
}

async function answered(
  { socket, pool, measureMs }: Options,
  { askVolumes, askDriver }: Asking,
  terminal: Terminal,
  print: (answer: VolumesInfo, notServing: readonly PoolInfo[]) => { readonly text?: string; readonly problem?: string | undefined },
): Promise<number> {
  const complain = (problem: string): number => {
    terminal.error.write(`dmthin: ${problem}\n`);
    return 1;
  };
  // Before the volumes: a pool that serves by then has told them.
  const driver = await askDriver(socket, DEADLINE_MS).catch((error: unknown) => ({ error }));
  if ("error" in driver) return complain(await silence(socket, driver.error));
  const answer = await askVolumes(socket, { pool, measureMs }, measureMs + ANSWER_MS).catch((error: unknown) => ({ error }));
  if ("error" in answer) return complain(refusalOf(answer.error) ?? (await silence(socket, answer.error)));
  const { text, problem } = print(answer, notServingOf(driver, pool));
  if (text !== undefined) terminal.output.write(text);
  return problem === undefined ? 0 : complain(problem);
}

const notServingOf = ({ pools }: DriverInfo, asked: string): readonly PoolInfo[] =>
  pools.filter(({ name, status }) => status !== "READY" && (asked === "" || name === asked));

/** undefined: of no pool. */
function notKnown(pools: readonly PoolInfo[]): string | undefined {
  if (pools.length === 0) return undefined;
  const said = pools.map(({ name, status }) => `pool ${name} ${WHILES[status] ?? "does not serve"}`).join(", ");
  return `${said}, so ${pools.length === 1 ? "its" : "their"} volumes are not known: see "dmthin info"`;
}

const WHILES: Readonly<Record<string, string>> = { REFUSED: "is refused", RECOVERING: "is being started", LOCKED: "is another process's" };

/** In the driver's own words: what it found wrong with the question, NOT_FOUND of gRPC. */
const NOT_FOUND = 5;
const refusalOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && error.code === NOT_FOUND && "details" in error ? String(error.details) : undefined;

function noteUnmeasured(pools: readonly string[], { error }: Terminal): void {
  if (pools.length > 0) error.write(`dmthin: not measured anew in time, so what is shown is older, or "-": ${pools.join(", ")}\n`);
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
const size = (bytes: number | undefined): string => (bytes === undefined ? "-" : formatBytes(bytes));

/** Where each is staged and published, by the kubelet's long paths, "volume show" tells. */
const COLUMNS: readonly { readonly head: string; readonly right?: boolean; readonly cell: (volume: VolumeInfo) => string }[] = [
  { head: "ID", cell: ({ id }) => id },
  { head: "POOL", cell: ({ pool }) => pool },
  { head: "SIZE", right: true, cell: ({ virtualBytes }) => formatBytes(virtualBytes) },
  { head: "MAPPED", right: true, cell: ({ mappedBytes }) => size(mappedBytes) },
  { head: "EXCLUSIVE", right: true, cell: ({ exclusiveBytes }) => size(exclusiveBytes) },
  { head: "NAME", cell: ({ name }) => name },
  { head: "ORIGIN", cell: ({ origin }) => (origin === "" ? "-" : origin) },
  { head: "STAGED", cell: ({ deleting, stagedPath }) => (deleting ? "(being deleted)" : stagedPath === "" ? "-" : "yes") },
];

function table(volumes: readonly VolumeInfo[], { output }: Terminal): string {
  const columns = COLUMNS.map(({ head, right = false, cell }) => {
    const cells = [head, ...volumes.map(cell)];
    const width = Math.max(...cells.map((text) => text.length));
    return cells.map((text) => (right ? text.padStart(width) : text.padEnd(width)));
  });
  const paint = paintFor(output);
  const most = widthOf(output);
  const rows = (columns[0] ?? []).map((_, row) =>
    cut(
      columns
        .map((cells) => cells[row] ?? "")
        .join("  ")
        .trimEnd(),
      most,
    ),
  );
  return `${rows.map((text, row) => (row === 0 ? paint("dim", text) : text)).join("\n")}\n`;
}

/** A terminal's width, if it says; a line that is broken in two is hard to read, and "volume show" tells all. */
const widthOf = (stream: NodeJS.WritableStream): number =>
  "columns" in stream && typeof stream.columns === "number" && stream.columns > 0 ? stream.columns : Infinity;
const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function details(volume: VolumeInfo, all: readonly VolumeInfo[]): string {
  const named = (id: string): string => `${id}${nameOf(id, all)}`;
  const made = all.filter(({ origin }) => origin === volume.id).map(({ id }) => named(id));
  const formatted = volume.filesystem === "" ? "none: a block volume" : `${volume.filesystem}${FILESYSTEM_STATES[volume.filesystemState] ?? ""}`;
  const lines = [
    line("name", volume.name),
    line("kind", volume.kind.toLowerCase()),
    line("pool", volume.pool),
    line("size", formatBytes(volume.virtualBytes)),
    line("mapped", volume.mappedBytes === undefined ? "not known" : `${formatBytes(volume.mappedBytes)} of the pool`),
    line("exclusive", volume.exclusiveBytes === undefined ? "not known" : `${formatBytes(volume.exclusiveBytes)}: what its deletion would give back`),
    line("origin", volume.origin === "" ? "none: made blank" : named(volume.origin)),
    line("made of it", made.length === 0 ? undefined : made.join(", ")),
    line("group", volume.group === "" ? undefined : volume.group),
    line("filesystem", formatted),
    line("staged", volume.kind === "SNAPSHOT" ? undefined : volume.stagedPath === "" ? "no" : volume.stagedPath),
    line("published", volume.publishedPaths.length === 0 ? undefined : volume.publishedPaths.join(", ")),
    line("created", `${new Date(volume.createdAt).toISOString()}, ${ago(volume.createdAt, Date.now())}`),
    line("thin device", `number ${volume.number}`),
    line("deletion", volume.deleting ? (DELAYS[volume.deletionDelay] ?? "under way") : undefined),
  ];
  return lines.filter((text) => text !== undefined).join("\n");
}

function nameOf(id: string, all: readonly VolumeInfo[]): string {
  const found = all.find((volume) => volume.id === id);
  return found === undefined ? " (deleted)" : ` (${found.name})`;
}

const FILESYSTEM_STATES: Readonly<Record<string, string>> = { none: ", made when it is first staged", formatting: ", being made" };

const DELAYS: Readonly<Record<string, string>> = {
  "held-open": "waits until its device is closed: somebody has it open",
  "pool-not-writable": "waits until the pool takes changes",
  failed: "has failed, and is tried again: see the driver's log",
};
