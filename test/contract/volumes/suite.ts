import { afterEach, beforeEach, expect, jest } from "@jest/globals";
import type { ErrorCode } from "../../../src/errors.ts";
import { FILESYSTEM_TYPES } from "../../../src/filesystem/filesystems.ts";
import { apiKubeconfig, isReal, isThroughObjects } from "../choice.ts";
import { Client } from "./client.ts";
import type { World, WorldOptions } from "./world.ts";

export const FILESYSTEMS = FILESYSTEM_TYPES.map((type) => [type] as const);

/** A world for each test of a file. */
export class Suite {
  #world: World | undefined;

  get world(): World {
    if (this.#world === undefined) throw new Error("no world before the test begins");
    return this.#world;
  }

  get client(): Client {
    return new Client(this.world);
  }

  static forEachTest(options: WorldOptions = {}): Suite {
    jest.setTimeout(isReal || apiKubeconfig !== undefined ? 120_000 : 20_000);
    const suite = new Suite();
    beforeEach(async () => {
      suite.#world = await newWorld(options);
      await suite.world.start();
    });
    afterEach(async () => {
      await suite.world.dispose();
    });
    return suite;
  }
}

async function newWorld(options: WorldOptions): Promise<World> {
  if (isThroughObjects && apiKubeconfig !== undefined) return (await import("./real-api-world.ts")).RealApiWorld.create(options, apiKubeconfig);
  if (isThroughObjects) return new (await import("./cluster-world.ts")).ClusterWorld(options);
  if (!isReal) return new (await import("./simulated-world.ts")).SimulatedWorld(options);
  return (await import("./real-world.ts")).RealWorld.create(options);
}

/** That a call is refused for this reason. */
export async function expectRefusal(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ facts: { code } });
}
