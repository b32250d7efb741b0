import { deepStrictEqual } from "node:assert";
import { writeSync } from "node:fs";
import { snapshotId, volumeId } from "../../src/volumes/ids.ts";
import { SIZE, until } from "./bench.ts";
import { expectOwnInventory, expectRealAgreement } from "./real-agreement.ts";
import { dm, openReal, waitForLock, type Place } from "./real-driver.ts";

/** As JSON in the only argument. */
export interface FlushOrders {
  readonly place: Place;
  /** The uuid of a log-writes device: what is acknowledged is marked in its log. None: only compare. */
  readonly log: string | undefined;
  /** The names that the pool must hold, no others. */
  readonly expected: readonly string[] | undefined;
}

const ROUNDS = 4;
const orders = JSON.parse(process.argv[2] ?? "") as FlushOrders;
const pool = await openReal(orders.place, await waitForLock(orders.place), () => undefined);
const { calls, view } = pool;
const names = (): readonly string[] => [...view.thins.values()].map(({ kind, name }) => `${kind} ${name}`).toSorted();

/** A call was answered: from now on it must survive. */
function acknowledged(log: string, mark: string): void {
  dm.message(log, `mark ${mark}`);
  writeSync(1, `${JSON.stringify({ mark, names: names() })}\n`);
}

async function work(log: string): Promise<void> {
  const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
  for (let round = 0; round < ROUNDS; round++) {
    const name = `f${round}`;
    const id = volumeId(name);
    await calls.createVolume({ id, name, sizeBytes: SIZE, origin: { kind: "blank" }, filesystem: undefined, capabilities: [], mkfsOptions: [], parameters });
    acknowledged(log, `create-${round}`);
    await calls.createSnapshots([{ id: snapshotId(name), name, sourceVolumeId: id }], undefined);
    acknowledged(log, `snapshot-${round}`);
    if (round % 2 === 0) continue;
    await calls.remove(id);
    await until(() => !view.thins.has(id));
    acknowledged(log, `remove-${round}`);
  }
}

if (orders.expected !== undefined) {
  await expectOwnInventory(orders.place, pool);
  await expectRealAgreement(orders.place, pool);
  deepStrictEqual(names(), orders.expected);
}
if (orders.log !== undefined) await work(orders.log);
await pool.close(10_000);
process.kill(process.pid, "SIGTERM");
