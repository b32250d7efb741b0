import { afterEach, beforeEach, expect } from "@jest/globals";
import type { ErrorCode } from "../../../src/errors.ts";
import { Client } from "../../contract/volumes/client.ts";
import { SimulatedWorld } from "../../contract/volumes/simulated-world.ts";
import type { WorldOptions } from "../../contract/volumes/world.ts";

/** A simulated node for each test of a file, with the driver running. */
export function nodeForEachTest(options: WorldOptions = {}): { readonly world: SimulatedWorld; readonly client: Client } {
  let world: SimulatedWorld | undefined;
  beforeEach(async () => {
    world = new SimulatedWorld(options);
    await world.start();
  });
  afterEach(async () => world?.dispose());
  const current = (): SimulatedWorld => {
    if (world === undefined) throw new Error("no node before the test begins");
    return world;
  };
  return {
    get world() {
      return current();
    },
    get client() {
      return new Client(current());
    },
  };
}

export async function expectRefusal(work: Promise<unknown>, code: ErrorCode, facts: object = {}): Promise<void> {
  await expect(work).rejects.toMatchObject({ facts: { code, ...facts } });
}
