import { types } from "node:util";
import { formatBytes } from "../units.ts";
import type { DriverUpkeep, VolumeSeen } from "./driver-upkeep.ts";
import type { Terminal } from "./terminal.ts";

export interface TrimOptions {
  /** Empty: of all pools. */
  readonly pool: string;
  /** Ids or names; none: all that are staged. */
  readonly which: readonly string[];
  readonly json: boolean;
}

interface Trimmed extends Pick<VolumeSeen, "id" | "name" | "pool"> {
  readonly givenBackBytes: number;
  /** Why there was nothing to do, else empty. */
  readonly leftAlone: string;
  /** Why it was not done, else empty. */
  readonly failure: string;
}

/** Has one filesystem after the other give back what it does not use. Answers the exit code: 1 when one was not, of those named, or has failed. */
export async function trimVolumes(driver: DriverUpkeep, { pool, which, json }: TrimOptions, { output, error }: Terminal): Promise<number> {
  const { volumes, notServing } = await driver.volumes(pool);
  const unknown = notServing.map((name) => `pool ${name} does not serve, so its volumes are not known: see "dmthin info"`);
  const chosen = which.length === 0 ? { found: volumes.filter(isStaged), absent: [] } : named(volumes, which);
  const problems = [
    ...chosen.absent.map((one) => `there is no volume ${one}: see "dmthin volume ls"`),
    ...(which.length === 0 || chosen.absent.length > 0 ? unknown : []),
  ];
  for (const problem of problems) error.write(`dmthin: ${problem}\n`);
  if (problems.length === 0 && chosen.found.length === 0 && !json) output.write("No volume is in use here.\n");
  const done: Trimmed[] = [];
  for (const [index, volume] of chosen.found.entries()) {
    error.write(`Trimming ${nameOf(volume)}, ${index + 1} of ${chosen.found.length}; it stays in use.\n`);
    const outcome = await trimOne(driver, volume);
    done.push(outcome);
    if (!json) tell(outcome, { output, error });
  }
  if (json) output.write(`${JSON.stringify(done, undefined, 2)}\n`);
  const isDone = ({ leftAlone, failure }: Trimmed): boolean => failure === "" && (leftAlone === "" || which.length === 0);
  return problems.length === 0 && done.every(isDone) ? 0 : 1;
}

const isStaged = ({ kind, stagedPath, deleting }: VolumeSeen): boolean => kind === "VOLUME" && stagedPath !== "" && !deleting;

/** An id before a name, each volume once. */
function named(volumes: readonly VolumeSeen[], which: readonly string[]): { readonly found: readonly VolumeSeen[]; readonly absent: readonly string[] } {
  const matches = which.map((one) => {
    const byId = volumes.filter(({ id }) => id === one);
    return byId.length > 0 ? byId : volumes.filter(({ name }) => name === one);
  });
  return { found: [...new Set(matches.flat())], absent: which.filter((_, index) => matches[index]?.length === 0) };
}

/** What the driver refuses is told of the one volume, and the next is asked for; without a driver nothing more is. */
async function trimOne(driver: DriverUpkeep, { id, name, pool }: VolumeSeen): Promise<Trimmed> {
  try {
    return { id, name, pool, ...(await driver.trim(id, pool)), failure: "" };
  } catch (error) {
    if (!types.isNativeError(error) || !("isSilent" in error) || error.isSilent === true) throw error;
    return { id, name, pool, givenBackBytes: 0, leftAlone: "", failure: error.message };
  }
}

function tell(trimmed: Trimmed, { output, error }: Terminal): void {
  const { givenBackBytes, leftAlone, failure } = trimmed;
  if (failure !== "") error.write(`dmthin: ${nameOf(trimmed)} is not trimmed: ${failure}\n`);
  else output.write(`${nameOf(trimmed)}: ${leftAlone === "" ? `${formatBytes(givenBackBytes)} given back` : `left alone: ${leftAlone}`}\n`);
}

const nameOf = ({ id, name }: Pick<VolumeSeen, "id" | "name">): string => `${id} (${name})`;
