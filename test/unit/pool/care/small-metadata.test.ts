import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Logger } from "../../../../src/logger.ts";
import { GiB, MiB } from "../../../../src/units.ts";
import { until } from "../../../contract/kernel/pools.ts";
import { call } from "../../../contract/volumes/client.ts";
import { expectRefusal, nodeForEachTest } from "../../volumes/node.ts";

const heard: string[] = [];
const ignore = (): void => undefined;
const logger: Logger = { debug: ignore, info: ignore, warn: (message) => void heard.push(message), error: ignore, child: () => logger };
beforeEach(() => void heard.splice(0));

const told = (): readonly string[] => heard.filter((message) => message.includes("too small for any snapshot"));

describe("a pool whose metadata, a thousandth of its data, stays as it is", () => {
  const node = nodeForEachTest({ dataBytes: 8 * GiB, metadataBytes: 8 * MiB, logger });

  test("says so when it is first looked at, before a snapshot is refused for it", async () => {
    await node.world.look();
    await until(() => told().length > 0);
    const { record } = await node.client.create("a");
    await node.world.look();
    await expectRefusal(node.world.volumes.createSnapshot({ name: "s", sourceVolumeId: record.id }, call()), "pool-low", { forCopies: true });
    expect(told()).toHaveLength(1);
  });
});

describe("a pool whose metadata is a 500th of its data", () => {
  const node = nodeForEachTest({ dataBytes: 8 * GiB, metadataBytes: 16 * MiB, logger });

  test("says nothing, and takes snapshots", async () => {
    const { record } = await node.client.create("a");
    await node.world.look();
    await until(() => node.world.view.care !== undefined);
    await node.world.volumes.createSnapshot({ name: "s", sourceVolumeId: record.id }, call());
    expect(told()).toEqual([]);
  });
});
