import type { ExtendTarget } from "../pool/care/care-report.ts";
import { bytes } from "../units.ts";
import { invalid } from "../volumes/invalid.ts";
import type { PoolUpkeep } from "../volumes/upkeep.ts";
import type { ExtendPoolRequest } from "./generated/admin.ts";
import type { Handlers } from "./handler.ts";

/** What an operator does to pools by hand. */
export const upkeepHandlers = (upkeep: PoolUpkeep): Handlers<"dmthin.admin.v1.Admin"> => ({
  ListOrphans: async ({ pool }) => ({
    orphans: (await upkeep.orphans(pool)).map(({ number, mappedBytes, transactionId, notBefore, notAfter }) => ({
      number,
      mappedBytes: String(mappedBytes),
      transactionId: String(transactionId),
      notBefore: String(notBefore?.getTime() ?? 0),
      notAfter: String(notAfter?.getTime() ?? 0),
    })),
  }),
  AdoptOrphan: async ({ pool, number, name, sizeBytes }, call) => {
    if (name === "") throw invalid("an adopted orphan needs a name");
    const size = Number(sizeBytes);
    const { record, manifest = "", letGoFirst = [] } = await upkeep.adoptOrphan({ pool, number, name, sizeBytes: size === 0 ? undefined : bytes(size) }, call);
    return { id: record.id, sizeBytes: String(record.sizeBytes), filesystem: record.filesystem.type ?? "", manifest, letGoFirst };
  },
  DeleteOrphan: async ({ pool, number }, call) => ({ waiting: (await upkeep.deleteOrphan({ pool, number }, call)) === "waiting" }),
  VolumeManifest: async ({ volume, pool }, call) => {
    if (volume === "") throw invalid("say which volume");
    const { record, manifest, letGoFirst = [] } = await upkeep.makeKnown({ volume, pool: pool === "" ? undefined : pool }, call);
    return { id: record.id, manifest, letGoFirst };
  },
  AddDevices: async ({ pool, devices }) => {
    const relative = devices.filter((path) => !path.startsWith("/"));
    if (relative.length > 0 || devices.length === 0) throw invalid(`a disk is named by its absolute path: ${relative.join(", ")}`);
    await upkeep.addDevices(pool, devices);
    return {};
  },
  ExtendPool: async (request) => {
    const { fromBytes, toBytes } = await upkeep.extend(request.pool, request.part === "DATA" ? "data" : "metadata", targetOf(request));
    return { fromBytes: String(fromBytes), toBytes: String(toBytes) };
  },
});

function targetOf({ toBytes, byBytes, max }: ExtendPoolRequest): ExtendTarget {
  if (toBytes !== undefined) return { to: bytes(Number(toBytes)) };
  if (byBytes !== undefined) return { by: bytes(Number(byBytes)) };
  if (max === true) return "max";
  throw invalid("say how large it is to be");
}
