import Table from "cli-table3";
import { formatBytes } from "../units.ts";
import type { DriverUpkeep, OrphanInfo } from "./driver-upkeep.ts";
import type { Terminal } from "./terminal.ts";
import { printToCluster } from "./to-cluster.ts";

/** Lists what no record knows. Answers the exit code. */
export async function listOrphans(driver: DriverUpkeep, pool: string, json: boolean, { output }: Terminal): Promise<number> {
  const orphans = await driver.orphans(pool);
  if (json) output.write(`${JSON.stringify(orphans, undefined, 2)}\n`);
  else output.write(orphans.length === 0 ? `Every thin device of pool ${pool} has its record.\n` : `${tableOf(orphans)}\n${whatNext(pool, orphans)}`);
  return 0;
}

export async function adoptOrphan(
  driver: DriverUpkeep,
  pool: string,
  wanted: { readonly number: number; readonly name: string; readonly sizeBytes: number | undefined },
  { output, error }: Terminal,
): Promise<number> {
  const { id, sizeBytes, filesystem, manifest, letGoFirst } = await driver.adopt(pool, wanted);
  const adopted = `Thin device ${wanted.number} is volume ${id} now, ${wanted.name}: ${formatBytes(sizeBytes)}, ${filesystem === "" ? "block" : filesystem}.\n`;
  (manifest === "" ? output : error).write(adopted);
  if (manifest === "") return 0;
  return printToCluster({ id, manifest, letGoFirst }, { output, error });
}

export async function deleteOrphan(driver: DriverUpkeep, pool: string, number: number, { output }: Terminal): Promise<number> {
  const { waiting } = await driver.remove(pool, number);
  output.write(waiting ? `Thin device ${number} is held open, and goes as soon as that ends.\n` : `Thin device ${number} is deleted.\n`);
  return 0;
}

const BARE = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" };
const BORDERLESS = { ...BARE, left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " };

function tableOf(orphans: readonly OrphanInfo[]): string {
  const table = new Table({
    head: ["NUMBER", "MAPPED", "TRANSACTION", "MADE"],
    chars: BORDERLESS,
    colAligns: ["right", "right", "right", "left"],
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const { number, mappedBytes, transactionId, ...made } of orphans) table.push([number, formatBytes(mappedBytes), transactionId, between(made)]);
  return table.toString();
}

/** The metadata has no times: other volumes' records say what they can. */
function between({ notBefore, notAfter }: Pick<OrphanInfo, "notBefore" | "notAfter">): string {
  const [after, before] = [notBefore, notAfter].map((date) => date?.toISOString().slice(0, 16).replace("T", " "));
  if (after !== undefined && before !== undefined) return after === before ? `about ${after}` : `${after} to ${before}`;
  if (after !== undefined) return `after ${after}`;
  return before === undefined ? "not known" : `before ${before}`;
}

function whatNext(pool: string, [first]: readonly OrphanInfo[]): string {
  const number = first?.number ?? 1;
  return [
    "",
    "They are left alone until somebody says what becomes of them:",
    `  dmthin pool orphans ${pool} --adopt ${number} --name NAME   gives one a name: it is a volume then`,
    `  dmthin pool orphans ${pool} --delete ${number}              deletes one, with what it holds`,
    "",
  ].join("\n");
}
