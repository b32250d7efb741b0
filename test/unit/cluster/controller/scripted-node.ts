import type { ObjectsApi } from "../../../../src/cluster/api/objects-api.ts";
import { WatchCache } from "../../../../src/cluster/api/watch-cache.ts";
import { failureOf } from "../../../../src/cluster/objects/failure.ts";
import { THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { isAccepted, isTerminating, NODE_FINALIZER, type ApiObject } from "../../../../src/cluster/objects/meta.ts";
import type { ThinSnapshotGroup } from "../../../../src/cluster/objects/thin-snapshot-group.ts";
import type { ThinSnapshot } from "../../../../src/cluster/objects/thin-snapshot.ts";
import type { ThinVolume } from "../../../../src/cluster/objects/thin-volume.ts";
import { DmthinError, isError } from "../../../../src/errors.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { memberName, snapshotId } from "../../../../src/volumes/ids.ts";
import type { SimulatedApiServer } from "../../../simulation/api-server.ts";

type Placed = ThinVolume | ThinSnapshot | ThinSnapshotGroup;

/** What a node does with what is asked of it: all of it, nothing, only the finalizer, or a refusal. */
export type Script = "works" | "sleeps" | "accepts" | DmthinError;

const MADE = { poolUUID: "uuid-of-pool", createdAt: "2026-01-01T00:00:00.000Z" };

/** A node's reconciler, as far as the objects show it, with a will of its own. */
export class ScriptedNode {
  script: Script = "works";
  /** What it does when something is to be deleted. */
  whenDeleting: Script = "works";
  /** Objects that exist here, whatever the cluster thinks. */
  readonly made = new Set<string>();
  readonly #caches: WatchCache<Placed>[];
  readonly #name: string;
  #numbers = 0;

  constructor(api: SimulatedApiServer, name: string) {
    this.#name = name;
    this.#caches = [this.#follow(api.objects(THIN_VOLUME)), this.#follow(api.objects(THIN_SNAPSHOT)), this.#follow(api.objects(THIN_SNAPSHOT_GROUP))];
  }

  /** Does by its script what was left undone. */
  wake(script: Script): void {
    this.script = script;
    this.whenDeleting = script;
    for (const cache of this.#caches) for (const item of cache.items.values()) cache.note(item);
    this.#again.forEach((look) => look());
  }

  async close(): Promise<void> {
    await Promise.all(this.#caches.map(async (cache) => cache.close()));
  }

  readonly #again: (() => void)[] = [];

  #follow<Item extends Placed>(api: ObjectsApi<Item>): WatchCache<Placed> {
    const cache = new WatchCache(api, { logger: silentLogger, selection: { fieldSelector: `spec.nodeName=${this.#name}` } });
    const look = (item: Item | undefined): void => {
      if (item === undefined) return;
      const handled = isTerminating(item) ? this.#remove(api, item) : this.#make(api, item);
      handled.catch((error: unknown) => {
        if (!isError(error, "api-conflict") && !isError(error, "api-unreachable")) throw error;
      });
    };
    cache.onChange((_, item) => look(item));
    this.#again.push(() => [...cache.items.values()].forEach(look));
    return cache as unknown as WatchCache<Placed>;
  }

  async #make<Item extends Placed>(api: ObjectsApi<Item>, item: Item): Promise<void> {
    const { name, generation, finalizers } = item.metadata;
    if (this.script === "sleeps" || item.status.observedGeneration === generation) return;
    if (this.script instanceof DmthinError) {
      const isMade = item.status.phase === "Ready";
      const status = { phase: isMade ? "Ready" : "Failed", observedGeneration: generation, failure: failureOf(this.script, generation) };
      return this.#patch(api, item, { status }, "status");
    }
    if (!isAccepted(item)) return this.#patch(api, item, { metadata: { finalizers: [...finalizers, NODE_FINALIZER] } });
    if (this.script === "accepts") return;
    this.made.add(name);
    const status = { phase: "Ready", observedGeneration: generation, failure: null, ...MADE, ...this.#facts(item) };
    await this.#patch(api, item, { status }, "status");
  }

  async #remove<Item extends Placed>(api: ObjectsApi<Item>, item: Item): Promise<void> {
    const { name, generation, finalizers } = item.metadata;
    if (!isAccepted(item) || this.whenDeleting === "sleeps" || this.whenDeleting === "accepts") return;
    if (this.whenDeleting instanceof DmthinError) {
      if (item.status.failure?.generation === generation) return;
      return this.#patch(api, item, { status: { failure: failureOf(this.whenDeleting, generation) } }, "status");
    }
    this.made.delete(name);
    await this.#patch(api, item, { metadata: { finalizers: finalizers.filter((each) => each !== NODE_FINALIZER) } });
  }

  async #patch<Item extends ApiObject>(
    api: ObjectsApi<Item>,
    { metadata }: Item,
    patch: Readonly<Record<string, unknown>>,
    subresource?: "status",
  ): Promise<void> {
    const { name, uid, resourceVersion } = metadata;
    await api.patch(name, patch, { ...(subresource === undefined ? {} : { subresource }), preconditions: { uid, resourceVersion } });
  }

  #facts(item: Placed): Readonly<Record<string, unknown>> {
    const deviceNumber = ++this.#numbers;
    if ("sourceVolumes" in item.spec) {
      const { name, sourceVolumes } = item.spec;
      const snapshots = sourceVolumes.map((sourceVolume, index) => ({
        id: snapshotId(memberName(name, sourceVolume)),
        sourceVolume,
        sizeBytes: 1_073_741_824,
        deviceNumber: deviceNumber * 100 + index,
      }));
      return { snapshots };
    }
    if ("sourceVolume" in item.spec) return { sizeBytes: 1_073_741_824, deviceNumber };
    const { requiredBytes, filesystem = "ext4", parameters } = item.spec;
    const isBlock = item.spec.capabilities.every(({ access }) => access === "block");
    return {
      sizeBytes: requiredBytes === 0 ? 1_073_741_824 : requiredBytes,
      deviceNumber,
      ...(isBlock ? {} : { filesystem }),
      parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto", ...parameters },
    };
  }
}
