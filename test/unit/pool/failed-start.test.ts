import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { silentLogger } from "../../../src/logger.ts";
import { PoolEngine } from "../../../src/pool/engine.ts";
import { GiB, MiB } from "../../../src/units.ts";
import { describePool } from "../../crash/bench.ts";
import { SimulatedBacking, simulatedSuperblock } from "../../simulation/backing.ts";
import { SimulatedDeviceMapper } from "../../simulation/device-mapper.ts";
import { SimulatedMachine } from "../../simulation/machine.ts";
import { SimulatedProcess } from "../../simulation/process.ts";
import { SimulatedSlowCalls } from "../../simulation/slow-calls.ts";
import { SimulatedThinTools } from "../../simulation/thin-tools.ts";

const DISKS = { data: "/dev/simulated0", metadata: "/dev/simulated1" };

test("a start that fails once the pool is open leaves nothing that the next attempt would stumble over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dmthin-failed-start-"));
  const machine = new SimulatedMachine();
  machine.kernel.addDisk(DISKS.data, GiB);
  machine.kernel.addDisk(DISKS.metadata, 16 * MiB);
  const process = new SimulatedProcess();
  const parts = {
    description: describePool("failing", DISKS),
    dm: new SimulatedDeviceMapper(machine.kernel, process),
    slow: new SimulatedSlowCalls(machine, process),
    tools: new SimulatedThinTools(machine.kernel, process),
    backing: new SimulatedBacking(machine.kernel, process, DISKS),
    readSuperblock: simulatedSuperblock(machine.kernel, process),
    deadMan: { arm: () => undefined, disarm: () => undefined, close: () => undefined },
    stateDirectory: folder,
    bootId: "boot",
    logger: silentLogger,
    observe: () => undefined,
  };
  const told: string[] = [];
  const failing = PoolEngine.start(parts, ({ kind }) => {
    if (kind === "figures") throw new Error("out of luck");
  });
  await expect(failing).rejects.toThrow("out of luck");
  const engine = await PoolEngine.start(parts, (news) => told.push(news.kind === "status" ? news.status.kind : news.kind));
  expect(told).toContain("ready");
  await engine.close();
  rmSync(folder, { recursive: true });
});
