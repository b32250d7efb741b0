import { deepStrictEqual } from "node:assert";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { parsePoolTarget } from "../../src/devicemapper/thin-table.ts";
import { run } from "../../src/exec/run.ts";
import type { Orphan } from "../../src/pool/pool-calls.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { sectors } from "../../src/units.ts";
import { SIZE, until } from "./bench.ts";
import { dm, leftovers, POOL, type Place } from "./real-driver.ts";

/** What other people have in the pool, as it was when it was made. */
function strangersOf({ state }: Place): readonly Orphan[] {
  const path = join(state, "strangers.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as readonly Orphan[]) : [];
}

function poolUuid(): string {
  const found = dm.list().find(({ name }) => name === `dmthin-${POOL}-pool` || name === `dmthin--${POOL}-pool`);
  if (found === undefined) throw new Error("the pool's device is not active");
  return found.uuid;
}

function metadataOf({ backing, metadata }: Place): string {
  const [target] = backing === undefined ? [] : dm.table(poolUuid());
  return target === undefined ? metadata : `/dev/dm-${parsePoolTarget(target)?.metadata.minor}`;
}

/** "number transaction-id" of every thin device, as an administrator asks for it. Without the count of blocks thin_ls takes no time. */
async function listThins(place: Place): Promise<readonly string[]> {
  dm.message(poolUuid(), "reserve_metadata_snap");
  try {
    const { stdout } = await run(["thin_ls", "--no-headers", "--format", "DEV,TRANSACTION", "--metadata-snap", metadataOf(place)]);
    return stdout
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => line.trim().split(/\s+/).join(" "))
      .toSorted();
  } finally {
    dm.message(poolUuid(), "release_metadata_snap");
  }
}

/** Makes a thin device behind the driver's back, with the number that it would take next, and with content. */
export async function plantStranger(place: Place, pool: Pool): Promise<void> {
  const number = (await lastNumber(pool)) + 1;
  dm.message(poolUuid(), `create_thin ${number}`);
  await fill(number);
  const { orphans } = await pool.calls.inventory();
  deepStrictEqual(orphans.find((orphan) => orphan.number === number)?.mappedBytes, 65_536);
  writeFileSync(join(place.state, "strangers.json"), JSON.stringify(orphans), { flush: true });
}

/** The one that the driver has just used, for a volume that is gone again. */
async function lastNumber({ calls, view }: Pool): Promise<number> {
  const id = `vol-${"a".repeat(26)}`;
  const { number } = await calls.createVolume({
    id,
    name: "last",
    sizeBytes: SIZE,
    origin: { kind: "blank" },
    filesystem: undefined,
    capabilities: [],
    mkfsOptions: [],
    parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
  });
  await calls.remove(id);
  await until(() => !view.thins.has(id));
  return number;
}

async function fill(number: number): Promise<void> {
  const { major, minor } = dm.info(poolUuid()) ?? { major: 0, minor: 0 };
  dm.create("crash-stranger", "STRANGER");
  dm.load("STRANGER", [{ start: sectors(0), length: sectors(2048), type: "thin", parameters: `${major}:${minor} ${number}` }]);
  dm.resume("STRANGER");
  const file = await open(`/dev/dm-${dm.info("STRANGER")?.minor}`, "r+");
  await file.write(Buffer.alloc(65_536, 0xee), 0, 65_536, 0);
  await file.sync();
  await file.close();
  dm.remove("STRANGER");
}

/** What the driver itself finds when it starts: nothing that it does not know but what is other people's, as it was. */
export async function expectOwnInventory(place: Place, { view }: Pool): Promise<void> {
  await until(() => view.inventory !== undefined && [...view.thins.values()].every(({ state }) => state === "ready"));
  deepStrictEqual(view.inventory?.orphans, strangersOf(place));
  deepStrictEqual(view.inventory.discrepancies, []);
}

/** Catalogue, thin_ls and kernel say the same; nothing is suspended or left half done. */
export async function expectRealAgreement(place: Place, pool: Pool): Promise<void> {
  await until(() => [...pool.view.thins.values()].every(({ state }) => state === "ready"));
  const known = [...pool.view.thins.values(), ...strangersOf(place)];
  deepStrictEqual(await listThins(place), known.map(({ number, transactionId }) => `${number} ${transactionId}`).toSorted());
  deepStrictEqual(leftovers(), { suspended: [], inactiveTables: [] });
}
