import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { disks, GiB, Place, sh } from "./place.ts";

jest.setTimeout(240_000);

const SECTORS = (mebibytes: number): number => mebibytes * 2048;
const PARTS = [
  ["bare-metadata", 0, 16],
  ["bare-data", 16, 1024],
] as const;
let place: Place;

beforeEach(() => {
  const [, disk] = disks();
  place = new Place("bare", { backing: { existing: { pool: "bare-pool" } } });
  sh("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=16", "status=none");
  for (const [name, from, size] of PARTS) sh("dmsetup", "create", name, "--table", `0 ${SECTORS(size)} linear ${disk} ${SECTORS(from)}`);
  const table = `0 ${SECTORS(1024)} thin-pool /dev/mapper/bare-metadata /dev/mapper/bare-data 512 0`;
  sh("dmsetup", "create", "bare-pool", "--uuid", "ADMIN-bare-pool", "--table", table);
});
afterEach(() => place.dispose());

test("an administrator's pool that stays up is not called damaged, and is let go of as it is once the catalogue knows nothing in it", async () => {
  const { driver, user } = await place.start();
  const id = await user().create("one", GiB / 4);
  await driver.stop();
  for (const verb of ["check", "repair"]) {
    const { code, output, error } = place.pool(verb);
    expect(code).toBe(1);
    expect(error.replaceAll(/\s+/g, " ")).toContain("bare-pool is active");
    expect(`${output}${error}`).not.toContain("thin_check finds damage");
  }
  expect(place.pool("remove", "--yes").error).toContain("it holds 1 volume");
  const again = await place.start();
  await again.user().delete(id);
  await again.driver.stop();
  const removed = place.pool("remove", "--yes");
  expect(removed).toMatchObject({ code: 0 });
  expect(sh("dmsetup", "status", "bare-pool")).toContain("thin-pool");
});
