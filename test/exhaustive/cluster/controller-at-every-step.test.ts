import { describe, expect, jest, test } from "@jest/globals";
import { Controller } from "../../../src/cluster/controller/controller.ts";
import { THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { DmthinError, type ErrorCode } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Volumes } from "../../../src/volumes/volumes.ts";
import { ClusterWorld, CONTROLLER } from "../../contract/volumes/cluster-world.ts";
import { eventually } from "../../harness/eventually.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { call, SCENARIOS, type Scenario } from "./controller-scenarios.ts";
import { ControllerDied, HAPPENINGS, MortalApi, type Happening } from "./mortal-api.ts";

jest.setTimeout(60_000);

/** What sidecars repeat. Source: csi/codes.ts. */
const REPEATED: readonly ErrorCode[] = ["in-progress", "being-deleted", "api-unreachable", "api-conflict", "deadline"];

/** A cluster with one node, and controllers that come and go. */
class Trial implements AsyncDisposable {
  readonly server = new SimulatedApiServer();
  readonly world = new ClusterWorld({}, this.server);
  readonly #controllers: Controller[] = [];

  async begin(scenario: Scenario): Promise<void> {
    await this.world.start();
    await scenario.prepare(this.world.controller.volumes, this.server);
  }

  async controller(api = new MortalApi(this.server)): Promise<Volumes> {
    const controller = new Controller({ ...CONTROLLER, api, logger: silentLogger });
    this.#controllers.push(controller);
    await controller.volumes.list({ maxEntries: 0, startingToken: "" }, call());
    return controller.volumes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#controllers.map(async (each) => each.close()));
    await this.world.dispose();
  }

  /** Catalogue and objects are of one opinion, and nobody waits for anything. */
  async expectAgreement({ holds }: Scenario): Promise<void> {
    await eventually(() => {
      expect([...this.world.view.thins.keys()].toSorted()).toEqual([...holds].toSorted());
      const [volumes, snapshots, groups] = [THIN_VOLUME, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP].map((kind) => [...this.server.stored(kind).values()]);
      for (const { metadata, status } of [...(volumes ?? []), ...(snapshots ?? []), ...(groups ?? [])]) {
        expect(metadata.deletionTimestamp).toBeUndefined();
        expect(status).toMatchObject({ phase: "Ready", observedGeneration: metadata.generation });
      }
      const members = (groups ?? []).flatMap(({ status }) =>
        (status as { readonly snapshots: readonly { readonly id: string }[] }).snapshots.map(({ id }) => id),
      );
      const known = [...(volumes ?? []), ...(snapshots ?? [])].map(({ metadata }) => metadata.name);
      expect([...known, ...members].toSorted()).toEqual([...holds].toSorted());
    });
  }
}

/** Asks until the answer is one that is not repeated, with a new controller when the one that was asked has died. */
async function persist(trial: Trial, scenario: Scenario, first: Volumes): Promise<"done" | ErrorCode> {
  let volumes = first;
  for (;;) {
    try {
      await scenario.ask(volumes);
      return "done";
    } catch (error) {
      if (error instanceof ControllerDied) volumes = await trial.controller();
      else if (!(error instanceof DmthinError)) throw error;
      else if (!REPEATED.includes(error.facts.code)) return error.facts.code;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Answers how many requests the controller makes when nothing goes wrong. */
async function run(scenario: Scenario, at: number | undefined, happening: Happening): Promise<number> {
  await using trial = new Trial();
  await trial.begin(scenario);
  const api = new MortalApi(trial.server);
  const volumes = await trial.controller(api);
  const other = await trial.controller();
  api.strike(at, happening, async () => void (await scenario.ask(other).catch(() => undefined)));
  expect(await persist(trial, scenario, volumes)).toBe(scenario.ends);
  const count = api.requests.length;
  await trial.expectAgreement(scenario);
  expect(await persist(trial, scenario, other)).toBe(scenario.ends);
  await trial.expectAgreement(scenario);
  return count;
}

describe.each(HAPPENINGS)("a controller that at any of its requests %s", (happening) => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("%s ends as it should, and objects and pool agree", async (_, scenario) => {
    const count = await run(scenario, undefined, happening);
    expect(count).toBeGreaterThan(0);
    for (let at = 0; at < count; at++) await run(scenario, at, happening);
  });
});
