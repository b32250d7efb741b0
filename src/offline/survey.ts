import { join } from "node:path";
import type { ThinRecord } from "../catalog/records.ts";
import type { ThinListing } from "../devicemapper/thin-tools.ts";
import { isError } from "../errors.ts";
import { run } from "../exec/run.ts";
import { examine, type Examined } from "../filesystem/examine.ts";
import { probe } from "../filesystem/probe.ts";
import type { OpenPool } from "../pool/recovery.ts";
import { bytes, chunksToBytes, formatBytes, type Bytes } from "../units.ts";
import type { OfflinePool } from "./offline-pool.ts";
import type { Progress, SurvivorReport } from "./report.ts";

type Survivor = Pick<SurvivorReport, "state" | "detail">;

/** Looks at every volume and snapshot of an open pool that nobody uses: whether it is there, and what its filesystem says. */
export async function survey(
  pool: OfflinePool,
  open: OpenPool,
  lists: { readonly before: readonly ThinListing[] | undefined; readonly after: readonly ThinListing[] },
  progress: Progress,
): Promise<readonly SurvivorReport[]> {
  const { chunkSize } = pool.description;
  const mapped = (list: readonly ThinListing[] | undefined, number: number): Bytes | undefined =>
    list === undefined ? undefined : chunksToBytes(list.find((each) => each.number === number)?.mappedChunks ?? (0 as ThinListing["mappedChunks"]), chunkSize);
  const records = [...open.catalog.thins.values()].filter(({ state }) => state === "ready");
  const reports: SurvivorReport[] = [];
  for (const [index, record] of records.entries()) {
    progress(`Looking at ${record.id} (${index + 1} of ${records.length}).`);
    const mappedBefore = mapped(lists.before, record.number);
    const mappedAfter = mapped(lists.after, record.number) ?? bytes(0);
    const seen = await survivorOf(pool, open, record, lists.after).catch(unreadable);
    const { id, name, kind } = record;
    reports.push({ id, name, kind, mappedBefore, mappedAfter, ...lessIsDamage(seen, mappedBefore, mappedAfter) });
  }
  return reports;
}

async function survivorOf(pool: OfflinePool, { thins }: OpenPool, record: ThinRecord, after: readonly ThinListing[]): Promise<Survivor> {
  const listing = after.find(({ number }) => number === record.number);
  if (listing === undefined) return { state: "lost", detail: `its thin device ${record.number} is gone` };
  if (listing.transactionId !== record.transactionId)
    return { state: "lost", detail: `thin device ${record.number} is another than the one that was made for it` };
  const { type, state } = record.filesystem;
  if (type === undefined || state !== "formatted")
    return { state: "unchecked", detail: type === undefined ? "a block volume" : "no filesystem was made on it yet" };
  const readOnly = record.kind === "snapshot";
  // Nothing of the pool was active when it was opened: so none is found that would be suspended.
  const device = thins.activate(record, { readOnly });
  try {
    const found = await probe(run, device.path, undefined);
    if (found?.type !== type) return { state: "damaged", detail: `where its ${type} was is ${found?.type ?? "nothing that can be recognised"}` };
    return survivor(await examine(run, type, device.path, { readOnly, mountPoint: join(pool.runDirectory, `repair-${pool.name}`) }));
  } finally {
    thins.deactivate(record.id);
  }
}

function survivor(examined: Examined): Survivor {
  switch (examined.state) {
    case "clean":
      return { state: "intact", detail: "its filesystem is clean" };
    case "repaired":
      return { state: "repaired", detail: `its filesystem was repaired: ${examined.detail}` };
    case "damaged":
      return { state: "damaged", detail: examined.detail };
  }
}

/** The others are looked at all the same. */
function unreadable(error: unknown): Survivor {
  if (!isError(error, "foreign-content") && !isError(error, "program-failed")) throw error;
  return { state: "damaged", detail: error.message };
}

/** A filesystem may be clean where files have lost what they held. */
function lessIsDamage(seen: Survivor, before: Bytes | undefined, after: Bytes): Survivor {
  if (seen.state === "lost" || before === undefined || after >= before) return seen;
  return { state: "damaged", detail: `${formatBytes(before - after)} of the ${formatBytes(before)} that it held are gone; ${seen.detail}` };
}
