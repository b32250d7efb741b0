import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { disks, Place, POOL, sh } from "./place.ts";

jest.setTimeout(240_000);

const PART = "group-added";
const ADDED = `/dev/mapper/${PART}`;
let place: Place;
beforeEach(() => {
  const [, disk] = disks();
  sh("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=8", "status=none");
  const half = Math.floor(Number(sh("blockdev", "--getsz", disk)) / 2);
  sh("dmsetup", "create", "group-first", "--table", `0 ${half} linear ${disk} 0`);
  sh("dmsetup", "create", PART, "--table", `0 ${half} linear ${disk} ${half}`);
  for (const name of ["group-first", PART]) {
    sh("wipefs", "--all", "--quiet", `/dev/mapper/${name}`);
    sh("blkdiscard", "--zeroout", "--length", "8388608", `/dev/mapper/${name}`);
  }
  place = new Place("group", { backing: { directLvm: { devices: ["/dev/mapper/group-first"] } } });
});
afterEach(() => place.dispose());

test("a wipe names the disks that were added by hand too, and gives them back; said again, it tells that nothing is there, and touches nothing", async () => {
  const { driver } = await place.start();
  expect(place.dmthin("pool", "extend", POOL, "--socket", place.socket, "--add-device", ADDED)).toMatchObject({ code: 0 });
  await driver.stop();
  const asked = place.pool("remove", "--wipe");
  expect(asked).toMatchObject({ code: 1, error: expect.stringContaining("/dev/mapper/group-first") });
  expect(asked.error).toContain(ADDED);
  const removed = place.pool("remove", "--wipe", "--yes");
  // What it wrote on the way is told with a failure.
  expect(removed.code === 0 ? removed.output : removed.error).toContain("its disks are clean");
  expect(sh("wipefs", ADDED)).toBe("");
  sh("mkfs.ext4", "-q", "-F", ADDED);
  expect(place.pool("remove", "--yes")).toMatchObject({ code: 0, output: expect.stringContaining("nothing was done") });
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 1, output: "", error: expect.stringContaining("never made here") });
  expect(sh("wipefs", ADDED)).toContain("ext4");
});
