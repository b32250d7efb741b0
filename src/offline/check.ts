import { judgeMetadata } from "../devicemapper/thin-repair.ts";
import type { ThinSuperblock } from "../devicemapper/thin-superblock.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { compare } from "../pool/inventories.ts";
import { formatBytes } from "../units.ts";
import type { OfflinePool } from "./offline-pool.ts";
import { counted, type Finding, type Progress } from "./report.ts";

/** Looks all of a pool's metadata through, and compares it with the catalogue. Changes nothing. */
export async function checkPool(pool: OfflinePool, progress: Progress): Promise<readonly Finding[]> {
  const catalog = await pool.openCatalog();
  try {
    const { devices, superblock } = await pool.attachIdle();
    const findings = [...catalogFindings(pool.name, catalog), ...superblockFindings(pool.name, superblock, catalog)];
    if (superblock.kind !== "thin-pool") return findings;
    progress(`Checking ${formatBytes(devices.metadata.sizeBytes)} of metadata on ${devices.metadata.path}.`);
    const verdict = await judgeMetadata(devices.metadata.path);
    if (verdict.kind === "damaged") {
      return [...findings, { severity: "problem", subject: "metadata", text: `thin_check finds damage: ${verdict.findings}`, remedy: repair(pool.name) }];
    }
    findings.push({ severity: "ok", subject: "metadata", text: "thin_check finds nothing wrong" });
    if (catalog === undefined) return findings;
    progress("Comparing it with the catalogue.");
    const listings = await pool.tools.list(devices.metadata.path, { live: false });
    return [...findings, ...comparison(pool, catalog, listings)];
  } finally {
    catalog?.close();
  }
}

const repair = (pool: string): string => `dmthin pool repair ${pool}`;

function catalogFindings(pool: string, catalog: Catalog | undefined): Finding[] {
  if (catalog === undefined) return [{ severity: "problem", subject: "catalogue", text: "there is none", remedy: `dmthin pool import ${pool}` }];
  const thins = [...catalog.thins.values()];
  const volumes = thins.filter(({ kind }) => kind === "volume").length;
  return [{ severity: "ok", subject: "catalogue", text: `it knows ${counted(volumes, "volume")} and ${counted(thins.length - volumes, "snapshot")}` }];
}

function superblockFindings(pool: string, superblock: ThinSuperblock, catalog: Catalog | undefined): readonly Finding[] {
  const subject = "superblock";
  if (superblock.kind === "blank")
    return [{ severity: "problem", subject, text: "it is nothing but zeros: the metadata is gone, or never was there", remedy: repair(pool) }];
  if (superblock.kind === "other") return [{ severity: "problem", subject, text: "it is not a thin pool's", remedy: repair(pool) }];
  const findings: Finding[] = [{ severity: "ok", subject, text: `a thin pool at transaction id ${superblock.transactionId}` }];
  if (superblock.needsCheck)
    findings.push({ severity: "problem", subject, text: "it is marked needs_check: an operation on it has failed", remedy: repair(pool) });
  const { identity, intent } = catalog ?? {};
  const expected = identity === undefined ? [superblock.transactionId] : intent === undefined ? [identity.transactionId] : [intent.from, intent.from + 1];
  if (!expected.includes(superblock.transactionId)) {
    const text = `the catalogue is at transaction id ${expected.join(" or ")}: they are not of the same time, or not of the same pool`;
    findings.push({ severity: "problem", subject, text, remedy: "put the catalogue back that belongs to these disks" });
  }
  return findings;
}

function comparison(pool: OfflinePool, catalog: Catalog, listings: Parameters<typeof compare>[0]): readonly Finding[] {
  const { orphans, discrepancies } = compare(listings, [...catalog.thins.values()], pool.description.chunkSize);
  const found: Finding[] = discrepancies.map(({ id, number, reason }) => ({
    severity: "problem",
    subject: id,
    text: reason === "missing" ? `its thin device ${number} is missing` : `thin device ${number} is not the one that was made for it`,
  }));
  if (orphans.length > 0) {
    const text = `${counted(orphans.length, "thin device")} that no record knows: ${orphans.map(({ number }) => number).join(", ")}`;
    found.push({ severity: "warning", subject: "orphans", text, remedy: `dmthin pool orphans ${pool.name}, when the driver runs` });
  }
  return found.length > 0 ? found : [{ severity: "ok", subject: "thin devices", text: "each is as the catalogue says, and no other is there" }];
}
