import { setTimeout as sleep } from "node:timers/promises";
import { expect, jest, test } from "@jest/globals";
import { Disk } from "../lab/disk.ts";
import { startGuest } from "../lab/start.ts";
import type { Acknowledged } from "./driver.ts";

jest.setTimeout(600_000);
const CUTS = 6;
/** In the guest the driver's pool lies on what this test was asked for. */
const environment = { LAB_BACKING: process.env["LAB_BACKING"] ?? "" };

/** What must be there after what a guest has said up to its end. What had begun and was not done may be there or not. */
function after(before: Acknowledged, output: string): Acknowledged {
  const lines = output.split("\n").map((line) => line.trim());
  const said = (beginning: string): readonly string[] => lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
  const going = new Set(said("begin remove "));
  const kept = (names: readonly string[]): readonly string[] => names.filter((name) => !going.has(name));
  return {
    volumes: kept([...before.volumes, ...said("done volume ")]),
    snapshots: kept([...before.snapshots, ...said("done snapshot ")]),
    removed: [...before.removed, ...said("done remove ")],
    next: before.next + said("begin v").length,
  };
}

/** Not for missing flushes: a guest's end keeps what its host has in memory. */
test("the power fails again and again: what was acknowledged is there with its content, what was removed is gone, nothing is leaked", async () => {
  using disks = new DisposableStack();
  const [state, data, metadata] = [disks.use(await Disk.create("512M")), disks.use(await Disk.create("2G")), disks.use(await Disk.create("64M"))];
  let acknowledged: Acknowledged = { volumes: [], snapshots: [], removed: [], next: 0 };
  for (let cut = 0; cut < CUTS; cut++) {
    const command = ["node", "--disable-warning=ExperimentalWarning", "test/power-cut/driver.ts", JSON.stringify(acknowledged)];
    await using guest = await startGuest({ command, disks: [state, data, metadata], environment });
    await guest.said("ready");
    await sleep(200 + Math.random() * 1500);
    await guest.kill();
    acknowledged = after(acknowledged, guest.output);
  }
  expect(acknowledged.removed.length).toBeGreaterThan(0);
  expect(acknowledged.volumes.length).toBeGreaterThan(0);
});
