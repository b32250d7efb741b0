import { expect } from "@jest/globals";
import type { ObjectsApi } from "../../../src/cluster/api/objects-api.ts";
import { unclaimedIn } from "../../../src/cluster/node/unclaimed.ts";
import type { ApiObject } from "../../../src/cluster/objects/meta.ts";
import { SimulatedWorld } from "../../contract/volumes/simulated-world.ts";
import { MortalProcess } from "../mortal-process.ts";
import { ProcessEnded } from "../../simulation/process.ts";
import { Cluster, isAccepted, type Agent } from "../../unit/cluster/node/cluster-node.ts";

export type End = "its process is killed" | "the power is cut";

/** A node of a cluster whose driver dies between any two of its steps: towards the API server, and towards the kernel. */
export class MortalNode implements AsyncDisposable {
  readonly cluster = new Cluster();
  readonly world = new SimulatedWorld();
  readonly #end: End;
  #process = new MortalProcess();
  #agent: Agent | undefined;

  constructor(end: End) {
    this.#end = end;
  }

  /** Told each step from now on; `die` ends the life there. */
  async begin({ untilSynced = true } = {}): Promise<void> {
    const process = new MortalProcess();
    this.#process = process;
    this.world.process = process;
    this.world.observe = process.observe;
    await this.world.start();
    if (this.#end === "the power is cut") process.onDeath(() => this.world.machine.kernel.powerCut());
    this.#agent = this.cluster.startAgent({
      pools: [this.world.pool],
      local: this.world.local,
      through: (api) => mortal(api, process),
    });
    if (untilSynced) await Promise.all([this.agent.volumes, this.agent.snapshots, this.agent.groups].map(async ({ cache }) => cache.synced));
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error("it has not begun");
    return this.#agent;
  }

  get isDead(): boolean {
    return this.#process.dead;
  }

  /** The steps that it takes from now on; the nth is its last. */
  watch(at: number | undefined): readonly string[] {
    const moments: string[] = [];
    this.#process.onMoment = (moment, process) => {
      moments.push(moment);
      if (moments.length - 1 === at) process.die();
    };
    return moments;
  }

  /** The steps that it takes from now on; what `strike` throws is what the nth is answered. */
  trouble(at: number | undefined, strike: (moment: string) => void): readonly string[] {
    const moments: string[] = [];
    this.#process.onMoment = (moment) => {
      moments.push(moment);
      if (moments.length - 1 === at) strike(moment);
    };
    return moments;
  }

  /** Nothing goes wrong any more. */
  calm(): void {
    this.#process.onMoment = () => undefined;
  }

  /** Nothing is being done, in this life. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (!this.isDead && this.agent.reconciler.busy > 0) quiet = -1;
    }
  }

  /** Objects, catalogue and kernel say the same. */
  async expectAgreement(): Promise<void> {
    const { world, cluster, agent } = this;
    while (![...world.view.thins.values()].every(({ state }) => state === "ready")) await new Promise((resolve) => setTimeout(resolve, 2));
    for (const api of [cluster.volumes, cluster.snapshots] as const) {
      for (const { metadata, status } of (await api.list()).items) {
        const record = world.view.thins.get(metadata.name);
        const told = { phase: status.phase, size: status.sizeBytes, number: status.deviceNumber, generation: status.observedGeneration };
        const isMade = record !== undefined;
        const facts = { phase: isMade ? "Ready" : "Failed", size: record?.sizeBytes, number: record?.number, generation: metadata.generation };
        expect({ name: metadata.name, accepted: isAccepted({ metadata }), ...told }).toEqual({ name: metadata.name, accepted: isMade, ...facts });
      }
    }
    for (const { metadata, status } of (await cluster.groups.list()).items) {
      const group = world.view.groups.get(metadata.name);
      expect({ name: metadata.name, phase: status.phase, members: status.snapshots.map(({ id }) => id) }).toEqual({
        name: metadata.name,
        phase: group === undefined ? "Failed" : "Ready",
        members: group?.snapshotIds ?? [],
      });
    }
    const objects = { volumes: agent.volumes.cache.items, snapshots: agent.snapshots.cache.items, groups: agent.groups.cache.items };
    expect(unclaimedIn(world.pool, objects)).toEqual([]);
    expect(await world.pool.calls.inventory()).toEqual({ orphans: [], discrepancies: [] });
    const numbers = (await world.thins()).map(({ number }) => number);
    expect(numbers).toEqual([...world.view.thins.values()].map(({ number }) => number).toSorted((left, right) => left - right));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.world.dispose();
  }
}

/** A dead process asks nothing any more; one that dies after a request does not hear its answer. */
function mortal<Item extends ApiObject>(api: ObjectsApi<Item>, process: MortalProcess): ObjectsApi<Item> {
  const tell = (moment: string): void => {
    if (process.dead) throw new ProcessEnded();
    process.onMoment(moment, process);
  };
  const step = async <Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> => {
    tell(`before ${what}`);
    const answer = await ask();
    tell(`after ${what}`);
    return answer;
  };
  return {
    list: async (...args) => api.list(...args),
    watch: async (...args) => api.watch(...args),
    get: async (...args) => step("GET", async () => api.get(...args)),
    create: async (...args) => step("POST", async () => api.create(...args)),
    patch: async (name, patch, options, signal) =>
      step(options?.subresource === "status" ? "PATCH status" : "PATCH", async () => api.patch(name, patch, options, signal)),
    delete: async (...args) => step("DELETE", async () => api.delete(...args)),
  };
}
