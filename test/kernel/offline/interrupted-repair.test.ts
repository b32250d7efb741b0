import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { disks, fileIn, GiB, metadataOnDisk, Place, POOL, putFile, scribble, sh } from "./place.ts";

jest.setTimeout(240_000);

/** Found before LVM's own by whoever looks along the path. */
const IN_FRONT_OF_LVM = "/usr/local/sbin/lvm";
let place: Place;

beforeEach(() => {
  const [, disk] = disks();
  sh("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=8", "status=none");
  place = new Place("lvm-interrupted", { backing: { directLvm: { devices: [disk] } } });
});
afterEach(() => {
  rmSync(IN_FRONT_OF_LVM, { force: true });
  place.dispose();
});

/** Whoever lets LVM repair a pool is killed as it begins, or as soon as it has: the swap is done, and nobody has followed. */
function killWhoRepairs(when: "before" | "after"): void {
  const kill = "kill -KILL $PPID";
  const [before, after] = when === "before" ? [`${kill}; exit 1`, ":"] : [":", kill];
  const script = [
    "#!/bin/sh",
    `case " $* " in`,
    `*" --repair "*) ${before}; /usr/sbin/lvm "$@"; code=$?; ${after}; exit $code ;;`,
    `*) exec /usr/sbin/lvm "$@" ;;`,
    "esac",
  ];
  writeFileSync(IN_FRONT_OF_LVM, `${script.join("\n")}\n`, { mode: 0o755 });
}

test.each(["before", "after"] as const)(
  "a repair that is killed just %s LVM has swapped the metadata is said again: the catalogue follows, and nothing is lost",
  async (when) => {
    const { driver, user } = await place.start();
    const ids = [];
    for (const name of ["one", "two"]) ids.push(await user().create(name, GiB));
    const [id = "", second = ""] = ids;
    await user().stage(id);
    const sum = putFile(await user().publish(id), 8 * 1024 * 1024);
    await user().release(id);
    await user().delete(second); // the pool's transaction id is beyond that of all that is in it: thin_repair sets another
    await driver.stop();
    expect(place.pool("check").code).toBe(0); // which takes the pool down: the kernel writes to it no more
    const { disk, offset } = metadataOnDisk();
    scribble(disk, offset, Buffer.alloc(4096, 0x5a));
    sh("sync");

    const mark = join(place.state, POOL, "repairing");
    killWhoRepairs(when);
    expect(place.pool("repair", "--yes").code).toBe(null);
    rmSync(IN_FRONT_OF_LVM);
    expect(existsSync(mark)).toBe(true);
    const isSwapped = sh("lvs", "--all", "--noheadings", "--options", "lv_name").includes("pool_meta0");
    expect(isSwapped).toBe(when === "after");

    const repaired = place.pool("repair", "--yes");
    expect(repaired).toMatchObject({ code: 0, output: expect.stringMatching(new RegExp(`intact +volume ${id} `)) });
    expect(existsSync(mark)).toBe(false);
    const again = await place.start();
    const as = again.user();
    await as.stage(id);
    expect(fileIn(await as.publish(id))).toBe(sum);
    await as.release(id);
    expect(await as.create("three", GiB)).not.toBe("");
    await again.driver.stop();
  },
);
