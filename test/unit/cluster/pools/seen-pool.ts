import { describeClusterPool } from "../../../../src/config/cluster-pool.ts";
import type { PoolDescription } from "../../../../src/config/pool-description.ts";
import type { SnapshotRecord, VolumeRecord } from "../../../../src/catalog/records.ts";
import type { PoolCalls, PoolFigures, PoolStatus } from "../../../../src/pool/pool-calls.ts";
import type { Pool } from "../../../../src/pool/pool.ts";
import { LiveView } from "../../../../src/pool/worker/view.ts";
import { chunks, metadataBlocks } from "../../../../src/units.ts";
import { HEALTHY } from "../../records.ts";

export const DIRECTORIES = { stateDirectory: "/var/lib/dmthin", runDirectory: "/run/dmthin" };

export const loop = (name: string, more: object = {}): Readonly<Record<string, unknown>> => ({
  backing: { loop: { directory: `/srv/${name}`, dataSize: "100Gi" } },
  ...more,
});

export const described = (name: string, spec: unknown = loop(name)): PoolDescription => describeClusterPool({ name, spec }, { ...DIRECTORIES, others: [] });

/** 100 GiB, a tenth of them used. */
export const FIGURES: PoolFigures = {
  ...HEALTHY,
  data: { used: chunks(163_840), total: chunks(1_638_400) },
  metadata: { used: metadataBlocks(10), total: metadataBlocks(50_000) },
};

/** A pool as its view tells it, with no actor behind. */
export class SeenPool implements Pool {
  readonly description: PoolDescription;
  view = new LiveView();
  /** The disks that were added by a call. */
  readonly added: string[] = [];
  isClosed = false;

  constructor(description: PoolDescription) {
    this.description = description;
  }

  readonly calls = { addDevices: async (paths: readonly string[]) => void this.added.push(...paths) } as unknown as PoolCalls;

  close = async (): Promise<void> => {
    this.isClosed = true;
  };

  is(status: PoolStatus): this {
    this.view.apply({ kind: "status", status });
    return this;
  }

  /** Refused before it ever was one. */
  neverMade(refusal: { readonly reason: string; readonly remedy: string }): void {
    this.view = new LiveView();
    this.is({ kind: "refused", ...refusal });
  }

  serves(figures: Partial<PoolFigures> = {}, thins: readonly (VolumeRecord | SnapshotRecord)[] = []): this {
    this.view.apply({ kind: "catalog", poolUuid: `uuid of ${this.description.name}`, thins, groups: [] });
    this.view.apply({ kind: "figures", figures: { ...FIGURES, ...figures } });
    this.view.apply({ kind: "inventory", inventory: { orphans: [], discrepancies: [] } });
    return this.is({ kind: "ready" });
  }
}
