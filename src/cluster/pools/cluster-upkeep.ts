import { writeManifest } from "../../config/manifest.ts";
import { DmthinError, isError } from "../../errors.ts";
import type { ExtendTarget, Extension } from "../../pool/care/care-report.ts";
import type { Part } from "../../pool/backings/growth.ts";
import type { Pool } from "../../pool/pool.ts";
import { BYTES_PER_METADATA_BLOCK, exactQuantity } from "../../units.ts";
import { isSnapshotId, isVolumeId, volumeId } from "../../volumes/ids.ts";
import { invalid } from "../../volumes/invalid.ts";
import type { Adopted, AdoptionWanted, PoolUpkeep, ToCluster, Unknown } from "../../volumes/upkeep.ts";
import type { Call, Volume, Volumes } from "../../volumes/volumes.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import type { PoolSeen } from "./pool-status.ts";
import { manifestsOf, thinVolumeOf, type DriverNames } from "./volume-manifest.ts";

export interface ClusterUpkeepParts {
  /** Does it, on this machine. */
  readonly local: PoolUpkeep & Pick<Volumes, "get">;
  readonly pools: { seen(): ReadonlyMap<string, Pick<PoolSeen, "pool">> };
  /** The object that the cluster has of this volume here. @throws DmthinError `pools-unknown` as long as it has not told all of them */
  readonly objectOf: (volumeId: string) => ThinVolume | undefined;
  readonly names: DriverNames;
}

/**
 * What an operator does by hand on a node of a cluster. A pool's description is its ThinPool, and nothing else: what would
 * change it is refused, with the patch of the ThinPool that does it. All else is done as on any machine.
 */
export class ClusterUpkeep implements PoolUpkeep {
  readonly #local: ClusterUpkeepParts["local"];
  readonly #pools: ClusterUpkeepParts["pools"];
  readonly #objectOf: ClusterUpkeepParts["objectOf"];
  readonly #names: DriverNames;

  constructor({ local, pools, objectOf, names }: ClusterUpkeepParts) {
    this.#local = local;
    this.#pools = pools;
    this.#objectOf = objectOf;
    this.#names = names;
  }

  readonly orphans: PoolUpkeep["orphans"] = async (pool) => this.#local.orphans(pool);
  readonly deleteOrphan: PoolUpkeep["deleteOrphan"] = async (wanted, call) => this.#local.deleteOrphan(wanted, call);

  /** The volume is there then, and the cluster does not know it: its objects are an administrator's to make. */
  async adoptOrphan(wanted: AdoptionWanted, call: Call): Promise<Adopted> {
    this.#objectOf(volumeId(wanted.name)); // else what is known would be made a second time
    const adopted = await this.#local.adoptOrphan(wanted, call);
    return { ...adopted, ...this.#toCluster(adopted) };
  }

  /** Also what was never an orphan: its object was removed by force, or its node was forgotten and came back. */
  async makeKnown({ volume: which, pool }: { readonly volume: string; readonly pool: string | undefined }, call: Call): Promise<Unknown> {
    if (isSnapshotId(which)) throw invalid(`${which} is a snapshot, and there is a manifest of volumes alone`);
    const id = isVolumeId(which) ? which : volumeId(which);
    const object = this.#objectOf(id);
    const volume = await this.#local.get(id, call).catch((error: unknown) => {
      throw isError(error, "not-found") ? absent(which) : error;
    });
    if (pool !== undefined && volume.pool !== pool) throw absent(which);
    // Deleted, that one would take what its own pool has with it.
    if (object !== undefined && object.spec.poolName !== volume.pool)
      throw invalid(`the cluster's ThinVolume ${id} is of pool ${object.spec.poolName}, and this volume is in pool ${volume.pool}: an id has one object`);
    const toCluster = this.#toCluster(volume);
    if (toCluster === undefined) throw invalid(`the cluster knows volume ${id}: see "kubectl describe thinvolume ${id}"`);
    return { ...volume, ...toCluster };
  }

  /** undefined: the cluster has its object. */
  #toCluster(volume: Volume): ToCluster | undefined {
    const object = this.#objectOf(volume.record.id);
    if (object === undefined) return { manifest: writeManifest(manifestsOf(volume, this.#names)) };
    const { poolUUID } = object.status;
    const isIts = poolUUID === undefined || poolUUID === this.#pools.seen().get(volume.pool)?.pool?.view.poolUuid;
    return isIts ? undefined : replacement(volume);
  }

  async addDevices(name: string, paths: readonly string[]): Promise<void> {
    const pool = this.#pools.seen().get(name)?.pool;
    const backing = pool?.description.backing;
    // Another backing has no place for disks, which is for it to say.
    if (backing?.kind !== "directLvm") return this.#local.addDevices(name, paths);
    throw described(name, { directLvm: { devices: [...new Set([...backing.devices, ...paths])] } });
  }

  async extend(name: string, part: Part, target: ExtendTarget): Promise<Extension> {
    const pool = this.#pools.seen().get(name)?.pool;
    // On disks a pool takes what they have left: nothing is said of that in a description.
    if (pool?.description.backing.kind !== "loop") return this.#local.extend(name, part, target);
    const { maximumDataSize } = pool.description.backing;
    const size = wantedSize(pool, part, target);
    const data = { dataSize: exactQuantity(size), ...(maximumDataSize < size ? { maximumDataSize: exactQuantity(size) } : {}) };
    throw described(name, { loop: part === "data" ? data : { metadataSize: exactQuantity(size) } });
  }
}

/** Of a pool that was imported by its metadata alone, which is another one to the cluster. PersistentVolume and claim are those that are there. */
function replacement(volume: Volume): ToCluster {
  const { id } = volume.record;
  const letGoFirst = [`kubectl delete thinvolume ${id} --wait=false`, `kubectl patch thinvolume ${id} --type=merge --patch '{"metadata":{"finalizers":null}}'`];
  return { manifest: writeManifest([thinVolumeOf(volume)]), letGoFirst };
}

const absent = (which: string): DmthinError => new DmthinError({ code: "not-found", kind: "volume", id: which });

function wantedSize({ description, view }: Pool, part: Part, target: ExtendTarget): number {
  const { figures, care } = view;
  if (figures === undefined) throw new DmthinError({ code: "pool-not-ready", pool: description.name, reason: "its size is not known yet" });
  const now = part === "data" ? figures.data.total * figures.chunkSize : figures.metadata.total * BYTES_PER_METADATA_BLOCK;
  if (target === "max") return now + (care?.[part].headroomBytes ?? 0);
  return "to" in target ? target.to : now + target.by;
}

function described(pool: string, backing: object): DmthinError {
  const patch = JSON.stringify({ spec: { backing } }).replaceAll("'", String.raw`'\''`);
  return new DmthinError({
    code: "pool-unchanged",
    pool,
    reason: "in a cluster its ThinPool describes it, on each node that has it",
    remedy: `change that: kubectl patch thinpool ${pool} --type=merge --patch '${patch}'`,
  });
}
