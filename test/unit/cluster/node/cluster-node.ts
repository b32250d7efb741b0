import { WatchCache } from "../../../../src/cluster/api/watch-cache.ts";
import { THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME, type Kind } from "../../../../src/cluster/objects/kinds.ts";
import { NODE_FINALIZER, type ApiObject } from "../../../../src/cluster/objects/meta.ts";
import type { ThinSnapshotGroup } from "../../../../src/cluster/objects/thin-snapshot-group.ts";
import type { ThinSnapshot } from "../../../../src/cluster/objects/thin-snapshot.ts";
import type { ThinVolume, ThinVolumeSpec } from "../../../../src/cluster/objects/thin-volume.ts";
import { NodeReconciler } from "../../../../src/cluster/node/node-reconciler.ts";
import type { Store } from "../../../../src/cluster/api/store.ts";
import { silentLogger } from "../../../../src/logger.ts";
import type { WorkQueueOptions } from "../../../../src/cluster/node/work-queue.ts";
import type { Pool } from "../../../../src/pool/pool.ts";
import type { LocalVolumes } from "../../../../src/volumes/local-volumes.ts";
import { groupId, snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { capability, SIZE } from "../../../contract/volumes/client.ts";
import { NODE, POOL } from "../../../contract/volumes/description.ts";
import { SimulatedApiServer } from "../../../simulation/api-server.ts";
import type { ObjectsApi } from "../../../../src/cluster/api/objects-api.ts";

export interface Told {
  readonly object: string;
  readonly reason: string;
}

/** What runs on the node: caches and reconciler, over some driver's pools. */
export interface Agent {
  readonly reconciler: NodeReconciler;
  readonly volumes: Store<ThinVolume>;
  readonly snapshots: Store<ThinSnapshot>;
  readonly groups: Store<ThinSnapshotGroup>;
  close(): Promise<void>;
}

export interface AgentOptions {
  readonly pools: Iterable<Pool>;
  readonly local: Pick<LocalVolumes, "within">;
  /** Puts something between the agent and the API server, such as its death. */
  readonly queue?: WorkQueueOptions;
  readonly through?: <Item extends ApiObject>(api: ObjectsApi<Item>) => ObjectsApi<Item>;
}

/** A cluster as one of its nodes sees it: the API server, and in place of the controller the test. */
export class Cluster {
  readonly server = new SimulatedApiServer();
  readonly volumes = this.server.objects(THIN_VOLUME);
  readonly snapshots = this.server.objects(THIN_SNAPSHOT);
  readonly groups = this.server.objects(THIN_SNAPSHOT_GROUP);
  readonly events: Told[] = [];
  readonly #agents: Agent[] = [];

  startAgent({ pools, local, queue = { minimumMs: 1, maximumMs: 20 }, through = (api) => api }: AgentOptions): Agent {
    const store = <Item extends ApiObject>(kind: Kind<Item>): Store<Item> => {
      const api = through(this.server.objects(kind));
      return {
        api,
        cache: new WatchCache(api, { logger: silentLogger, selection: { fieldSelector: `spec.nodeName=${NODE}` }, backoff: { minimumMs: 1, maximumMs: 5 } }),
      };
    };
    const stores = { volumes: store(THIN_VOLUME), snapshots: store(THIN_SNAPSHOT), groups: store(THIN_SNAPSHOT_GROUP) };
    const recorder = { event: ({ metadata: { name } }: ApiObject, _: unknown, reason: string) => void this.events.push({ object: name, reason }) };
    const reconciler = new NodeReconciler({
      node: NODE,
      pools,
      local,
      ...stores,
      recorder,
      logger: silentLogger,
      queue,
      lookMs: 10,
    });
    const agent: Agent = {
      ...stores,
      reconciler,
      close: async () => {
        await reconciler.close();
        await Promise.all([stores.volumes.cache.close(), stores.snapshots.cache.close(), stores.groups.cache.close()]);
      },
    };
    this.#agents.push(agent);
    return agent;
  }

  /** As the controller makes it. */
  async volume(name: string, spec: Partial<ThinVolumeSpec> = {}): Promise<ThinVolume> {
    const { filesystem, ...rest } = capability("ext4");
    return this.volumes.create({
      metadata: { name: volumeId(name) },
      spec: { name, nodeName: NODE, poolName: POOL, requiredBytes: SIZE, capabilities: [{ ...rest, filesystem }], mkfsOptions: [], parameters: {}, ...spec },
    });
  }

  async snapshot(name: string, sourceVolume: string): Promise<ThinSnapshot> {
    return this.snapshots.create({ metadata: { name: snapshotId(name) }, spec: { name, nodeName: NODE, poolName: POOL, sourceVolume } });
  }

  async group(name: string, sourceVolumes: readonly string[]): Promise<ThinSnapshotGroup> {
    return this.groups.create({ metadata: { name: groupId(name) }, spec: { name, nodeName: NODE, poolName: POOL, sourceVolumes } });
  }

  /** What the API server has, as soon as it is so. */
  async until<Item extends ApiObject>(api: ObjectsApi<Item>, name: string, judge: (item: Item | undefined) => boolean): Promise<Item | undefined> {
    for (let turn = 0; turn < 5_000; turn++) {
      const item = await this.#look(api, name);
      if (judge(item)) return item;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error(`${name} does not become what it should be; it is ${JSON.stringify(await this.#look(api, name), null, 1)}`);
  }

  async ready(name: string): Promise<ThinVolume> {
    const item = await this.until(this.volumes, volumeId(name), (each) => each?.status.phase === "Ready");
    if (item === undefined) throw new Error("it is gone");
    return item;
  }

  async failed(name: string): Promise<ThinVolume> {
    const item = await this.until(this.volumes, volumeId(name), (each) => each?.status.phase === "Failed");
    if (item === undefined) throw new Error("it is gone");
    return item;
  }

  async gone<Item extends ApiObject>(api: ObjectsApi<Item>, name: string): Promise<void> {
    await this.until(api, name, (item) => item === undefined);
  }

  /** What the node has asked of the API server, without the test's own looks. */
  get asked(): readonly string[] {
    return this.server.requests.filter(({ verb }) => verb.startsWith("patch")).map(({ verb, kind }) => `${verb} ${kind}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.#agents.map(async (agent) => agent.close()));
  }

  async #look<Item extends ApiObject>(api: ObjectsApi<Item>, name: string): Promise<Item | undefined> {
    return api.get(name);
  }
}

export const isAccepted = ({ metadata }: ApiObject): boolean => metadata.finalizers.includes(NODE_FINALIZER);
