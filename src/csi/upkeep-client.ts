import { status } from "@grpc/grpc-js";
import { types } from "node:util";
import { Connection, type Asked } from "./client.ts";

/** Looking a large pool's metadata through, or writing a metadata file out, takes its time. */
const DEADLINE_MS = 15 * 60_000;

export type Target = { readonly to: number } | { readonly by: number } | "max";

/** The calls for work on a running driver's pools, in numbers; they reject with the driver's own words, or `isSilent` where none answers. */
export function askUpkeep(socket: string) {
  return {
    orphans: async (pool: string) => {
      const { orphans } = await asked(socket, (admin) => admin.ListOrphans({ pool }, LIMIT));
      return orphans.map(({ number, mappedBytes, transactionId, notBefore, notAfter }) => ({
        number,
        mappedBytes: Number(mappedBytes),
        transactionId: Number(transactionId),
        notBefore: dateOf(notBefore),
        notAfter: dateOf(notAfter),
      }));
    },
    adopt: async (pool: string, wanted: { readonly number: number; readonly name: string; readonly sizeBytes: number | undefined }) => {
      const { number, name, sizeBytes = 0 } = wanted;
      const answer = await asked(socket, (admin) => admin.AdoptOrphan({ pool, number, name, sizeBytes: String(sizeBytes) }, LIMIT));
      return { ...answer, sizeBytes: Number(answer.sizeBytes) };
    },
    remove: async (pool: string, number: number) => asked(socket, (admin) => admin.DeleteOrphan({ pool, number }, LIMIT)),
    makeKnown: async (volume: string, pool: string) => asked(socket, (admin) => admin.VolumeManifest({ volume, pool }, LIMIT)),
    volumes: async (pool: string) => {
      const { pools } = await asked(socket, (admin) => admin.Info({}, LIMIT));
      if (pools.length === 0 && pool === "") return { volumes: [], notServing: [] };
      const { volumes } = await asked(socket, (admin) => admin.Volumes({ pool, measureMs: 0 }, LIMIT));
      return { volumes, notServing: pools.filter(({ name, status }) => status !== "READY" && (pool === "" || name === pool)).map(({ name }) => name) };
    },
    // As long as it takes: it waits for others, and a large filesystem for its disk.
    trim: async (volumeId: string, pool: string) => {
      const { givenBackBytes, leftAlone } = await asked(socket, (admin) => admin.TrimVolume({ volumeId, pool }));
      return { givenBackBytes: Number(givenBackBytes), leftAlone };
    },
    addDevices: async (pool: string, devices: readonly string[]) => {
      await asked(socket, (admin) => admin.AddDevices({ pool, devices }, LIMIT));
    },
    extend: async (pool: string, part: "data" | "metadata", target: Target) => {
      const size = target === "max" ? { max: true } : "to" in target ? { toBytes: String(target.to) } : { byBytes: String(target.by) };
      const answer = await asked(socket, (admin) => admin.ExtendPool({ pool, part: part === "data" ? "DATA" : "METADATA", ...size }, LIMIT));
      return { fromBytes: Number(answer.fromBytes), toBytes: Number(answer.toBytes) };
    },
  };
}

const LIMIT = { deadlineMs: DEADLINE_MS };

/** gRPC's code goes before its text: the text alone is what the driver said. */
async function asked<Answer>(socket: string, ask: (admin: Asked<"dmthin.admin.v1.Admin">) => Promise<Answer>): Promise<Answer> {
  using connection = new Connection(socket);
  try {
    return await ask(connection.service("dmthin.admin.v1.Admin"));
  } catch (error) {
    if (!types.isNativeError(error) || !("details" in error) || !("code" in error)) throw error;
    const details = String(error.details);
    throw Object.assign(new Error(details, { cause: error }), { isSilent: error.code === status.UNAVAILABLE && NOBODY.test(details) });
  }
}

/** A driver that is not ready answers UNAVAILABLE too, in its own words. These are grpc-js's. */
const NOBODY = /^No connection established/;

const dateOf = (milliseconds: string): Date | undefined => (Number(milliseconds) === 0 ? undefined : new Date(Number(milliseconds)));
