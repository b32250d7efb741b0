import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { labDisks } from "../../harness/standing.ts";
import { afterEach, expect, jest, test } from "@jest/globals";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { disks, fileIn, GiB, Place, POOL, putFile, sh } from "./place.ts";

jest.setTimeout(180_000);

const MiB = 1024 ** 2;
let place: Place | undefined;
afterEach(() => {
  place?.dispose();
  place = undefined;
});

/** Writes to a mounted volume without a pause, until it is ended; then what it wrote is on the disk. */
function writer(folder: string) {
  const script = `while [ ! -e ${folder}/stop ]; do dd if=/dev/urandom of=${folder}/noise bs=1M count=16 conv=fsync status=none || exit 1; done`;
  const child = spawn("sh", ["-c", script], { stdio: "ignore" });
  return {
    end: async (): Promise<number | null> => {
      const ended = once(child, "exit") as Promise<[number | null]>;
      sh("touch", `${folder}/stop`);
      return (await ended)[0];
    },
  };
}

/** A driver with a volume that is written to while the pool is extended. */
async function extendedUnderWriter(at: Place, extend: () => void): Promise<void> {
  const { driver, user } = await at.start();
  const id = await user().create("busy", GiB);
  await user().stage(id);
  const folder = await user().publish(id);
  const sum = putFile(folder, 8 * MiB);
  const busy = writer(folder);
  extend();
  expect(await busy.end()).toBe(0);
  expect(fileIn(folder)).toBe(sum);
  await user().release(id);
  await driver.stop();
}

/** Of the pool's device, as the kernel has it. */
function poolBytes(): number {
  const dm = new KernelDeviceMapper();
  try {
    const uuid = dm.list().find(({ name }) => name === `dmthin-${POOL}-pool`)?.uuid ?? "";
    return (dm.table(uuid)[0]?.length ?? 0) * 512;
  } finally {
    dm.close();
  }
}

test("a loop pool's files grow by hand under a writer, data and metadata, to a size and by a size; less than now changes nothing", async () => {
  const at = new Place("extend", { autoextendThreshold: "100%" });
  place = at;
  const extend = (...args: readonly string[]) => at.dmthin("pool", "extend", POOL, "--socket", at.socket, ...args);
  await extendedUnderWriter(at, () => {
    const grown = extend("--data", "3Gi", "--metadata", "+16Mi");
    expect(grown.output).toBe("metadata: 32 MiB now, 16 MiB before\ndata: 3 GiB now, 2 GiB before\n");
    expect(poolBytes()).toBe(3 * GiB);
    expect([statSync(join(at.loopFolder, "data.img")).size, statSync(join(at.loopFolder, "metadata.img")).size]).toEqual([3 * GiB, 32 * MiB]);
    expect(extend("--data", "1Gi").output).toBe("data: as large already: 3 GiB\n");
    const much = extend("--data", "100Ti");
    expect(much.code).toBe(1);
    expect(much.error).toContain("more can be had now");
  });
  // What was made larger stays so, whatever the description says of a new pool.
  const { driver } = await at.start();
  expect(poolBytes()).toBe(3 * GiB);
  await driver.stop();
});

test("a pool on devices takes what they have grown by, under a writer", async () => {
  const [, disk] = disks();
  const at = new Place("extend", {
    backing: { devices: { data: "/dev/mapper/hand-data", metadata: "/dev/mapper/hand-metadata" } },
    autoextendThreshold: "100%",
  });
  place = at;
  sh("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=64", "status=none");
  const sectors = GiB / 512;
  const metadata = (32 * MiB) / 512;
  const table = (length: number): string => `0 ${length} linear ${disk} ${metadata}`;
  sh("dmsetup", "create", "hand-metadata", "--table", `0 ${metadata} linear ${disk} 0`);
  sh("dmsetup", "create", "hand-data", "--table", table(sectors));
  await extendedUnderWriter(at, () => {
    sh("dmsetup", "reload", "hand-data", "--table", table(2 * sectors));
    sh("dmsetup", "resume", "hand-data");
    const { output } = at.dmthin("pool", "extend", POOL, "--socket", at.socket, "--data", "max");
    expect(output).toBe("data: 2 GiB now, 1 GiB before\n");
    expect(poolBytes()).toBe(2 * GiB);
  });
  expect(at.pool("check").code).toBe(0);
});

/** The disks of all volume groups. */
const members = (): readonly string[] =>
  sh("pvs", "--noheadings", "--options", "pv_name,vg_name")
    .split("\n")
    .flatMap((row) =>
      row
        .trim()
        .split(/\s+/)
        .filter((word) => word.startsWith("/dev/")),
    )
    .toSorted();

test("a disk is added to a pool on whole disks, and its room taken, under a writer; it is there again when the driver starts, and given back with the others", async () => {
  const [, disk] = disks();
  const [, , added = ""] = labDisks;
  for (const each of [disk, added]) sh("dd", "if=/dev/zero", `of=${each}`, "bs=1M", "count=8", "status=none");
  const at = new Place("extend", { backing: { directLvm: { devices: [disk] } }, autoextendThreshold: "100%" });
  place = at;
  const sizeOfData = (): number => {
    const { pools } = JSON.parse(at.dmthin("info", "--json", "--socket", at.socket).output) as {
      readonly pools: readonly [{ readonly chunkBytes: number; readonly figures: { readonly data: { readonly total: number } } }];
    };
    return pools[0].figures.data.total;
  };
  let larger = 0;
  await extendedUnderWriter(at, () => {
    const before = sizeOfData();
    const grown = at.dmthin("pool", "extend", POOL, "--socket", at.socket, "--add-device", added, "--data", "max");
    expect(grown).toMatchObject({ code: 0, error: expect.stringContaining("volumes stay in use") });
    expect(grown.output).toMatch(new RegExp(`^added: ${added}; .*\\ndata: \\S+ GiB now, \\S+ GiB before\\n$`));
    larger = sizeOfData();
    expect(larger - before).toBeGreaterThan(1.8 * GiB);
    expect(members()).toEqual([disk, added]);
    const again = at.dmthin("pool", "extend", POOL, "--socket", at.socket, "--add-device", added);
    expect(again.code).toBe(0);
  });
  at.useConfig((text) => text.replace(`"devices":["${disk}"]`, `"devices":["${disk}","${added}"]`));
  const { driver, user } = await at.start();
  expect(sizeOfData()).toBe(larger);
  await user().delete(volumeId("busy"));
  await driver.stop();
  expect(at.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 0 });
  expect([disk, added].map((each) => sh("wipefs", each))).toEqual(["", ""]);
});
