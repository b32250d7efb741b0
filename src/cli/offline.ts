import type { OfflineWork, Which } from "../offline/commands.ts";
import { counted, isLoss, type Confirm, type Finding, type Progress, type SurvivorReport } from "../offline/report.ts";
import { EXIT_FAILURE, EXIT_OK } from "./command.ts";
import { paintFor, wrap, type Paint, type Terminal } from "./terminal.ts";

export interface OfflineParts {
  readonly terminal: Terminal;
  /** Asks who sits before the terminal; undefined: nobody does. */
  readonly ask: (question: string) => Promise<boolean | undefined>;
  readonly offline: () => Promise<OfflineWork>;
}

const WIDTH = 80;

export async function checkPool(parts: OfflineParts, which: Which, json: boolean): Promise<number> {
  const { output } = parts.terminal;
  const findings = await (await parts.offline()).check(which, progressOn(parts.terminal));
  if (json) output.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else output.write(printFindings(findings, paintFor(output)));
  return findings.some(({ severity }) => severity === "problem") ? EXIT_FAILURE : EXIT_OK;
}

export async function repairPool(parts: OfflineParts, which: Which, options: { readonly yes: boolean; readonly onto: string | undefined }): Promise<number> {
  const { output } = parts.terminal;
  const confirm = confirmOn(parts, options.yes);
  const report = await (await parts.offline()).repair(which, { onto: options.onto, confirm, progress: progressOn(parts.terminal) });
  if (report === undefined) return nothingDone(parts.terminal);
  const { metadata, survivors, remaining } = report;
  output.write(`${METADATA[metadata]}\n${survivors === undefined ? UNKNOWN : printSurvivors(survivors, paintFor(output))}`);
  for (const step of remaining) output.write(`${wrap(step, WIDTH, "       ").replace("       ", "To do: ")}\n`);
  return survivors?.some(isLoss) === true ? EXIT_FAILURE : EXIT_OK;
}

const UNKNOWN = "What it holds was not looked at: there is no catalogue that tells.\n";

const METADATA = {
  sound: "The metadata was sound, and is as it was.",
  "mark-cleared": "The metadata was sound, and its mark is cleared.",
  rewritten: "The metadata was written anew.",
} as const;

export async function importPool(parts: OfflineParts, which: Which, options: { readonly yes: boolean; readonly copy: string | undefined }): Promise<number> {
  const { output } = parts.terminal;
  const confirm = confirmOn(parts, options.yes);
  const report = await (await parts.offline()).import(which, { copy: options.copy, confirm, progress: progressOn(parts.terminal) });
  if (report === undefined) return nothingDone(parts.terminal);
  const { source, volumes, snapshots, missing, orphans } = report;
  output.write(`Pool ${which.pool} is back, from ${SOURCES[source]}: ${counted(volumes, "volume")}, ${counted(snapshots, "snapshot")}.\n`);
  for (const { id, name } of missing) output.write(`  ${id} (${name}) is not there any more: deleted since the copy was made, or lost\n`);
  if (orphans > 0)
    output.write(
      `${counted(orphans, "thin device")} ${orphans === 1 ? "is an orphan" : "are orphans"}: when the driver runs, see "dmthin pool orphans ${which.pool}".\n`,
    );
  return EXIT_OK;
}

const SOURCES = { catalogue: "its own catalogue", copy: "a copy of its catalogue", metadata: "its metadata alone" } as const;

export async function removePool(parts: OfflineParts, which: Which, options: { readonly yes: boolean; readonly wipe: boolean }): Promise<number> {
  const { output } = parts.terminal;
  const confirm = confirmOn(parts, options.yes);
  const report = await (await parts.offline()).remove(which, { wipe: options.wipe, confirm, progress: progressOn(parts.terminal) });
  if (report === undefined) return nothingDone(parts.terminal);
  if (!report.wasKnown) {
    output.write(`Pool ${which.pool} was never made here, or was removed before: nothing was done.\n`);
    return EXIT_OK;
  }
  output.write(
    `Pool ${which.pool} is removed${report.isClean ? ", and its disks are clean" : ""}. Take it out of ${which.configFile} before the driver starts again.\n`,
  );
  if (report.kept !== undefined) output.write(`What was on record of it here is kept as ${report.kept}.\n`);
  return EXIT_OK;
}

const progressOn =
  ({ error }: Terminal): Progress =>
  (text) =>
    void error.write(`${text}\n`);

function nothingDone({ error }: Terminal): number {
  error.write("Nothing was done.\n");
  return EXIT_FAILURE;
}

/** Shows the plan; what cannot be asked has to be said with --yes. */
const confirmOn =
  ({ terminal: { error }, ask }: OfflineParts, yes: boolean): Confirm =>
  async (steps) => {
    error.write("What will be done:\n");
    for (const step of steps) error.write(`${wrap(step, WIDTH, "    ").replace("    ", "  - ")}\n`);
    if (yes) return true;
    const answer = await ask("Go on?");
    if (answer === undefined) error.write('Say it again with "--yes" to let it be done.\n');
    return answer === true;
  };

const COLOURS = { ok: "green", warning: "yellow", problem: "red" } as const;
const SEVERITY = 9;

/** One finding a paragraph, what to do about it below. */
export function printFindings(findings: readonly Finding[], paint: Paint): string {
  const indent = " ".repeat(SEVERITY);
  return findings
    .flatMap(({ severity, subject, text, remedy }) => [
      wrap(`${subject}: ${text}`, WIDTH, indent).replace(indent, paint(COLOURS[severity], severity.padEnd(SEVERITY))),
      ...(remedy === undefined ? [] : [wrap(`to do: ${remedy}`, WIDTH, indent)]),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

const STATES = { intact: "green", repaired: "yellow", unchecked: "dim", damaged: "red", lost: "red" } as const;
const STATE = 11;

/** What is left, volume by volume, and what is not. */
function printSurvivors(survivors: readonly SurvivorReport[], paint: Paint): string {
  if (survivors.length === 0) return "The pool holds no volumes and no snapshots.\n";
  const indent = " ".repeat(STATE);
  const lines = survivors.map(({ id, name, kind, state, detail }) =>
    wrap(`${kind} ${id} (${name}): ${detail}`, WIDTH, indent).replace(indent, paint(STATES[state], state.padEnd(STATE))),
  );
  const lost = survivors.filter(isLoss).length;
  const sum =
    lost === 0 ? `Nothing was lost: ${survivors.length} looked at.` : `${lost} of ${survivors.length} have lost something: restore them from a backup.`;
  return `${lines.join("\n")}\n${sum}\n`;
}
