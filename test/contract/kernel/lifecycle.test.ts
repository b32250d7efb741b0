import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { errnoOf, filled, line, path, Pools, until } from "./pools.ts";

describe(`the life of devices on ${worldName}`, () => {
  const pools = Pools.forEachTest();

  test("a device that is removed while open goes when its user closes it, and its thin can be deleted soon after", async () => {
    const { dm, hold } = pools.kernel;
    const thin = pools.newThin(pools.pool(), 1);
    const release = hold(path(thin));
    dm.remove(thin.uuid, { deferred: true });
    expect(pools.info(thin.uuid)).toMatchObject({ deferredRemove: true, openCount: 1, hasActiveTable: true });
    expect(errnoOf(() => dm.message("POOL", "delete 1"))).toBe("EBUSY");
    release();
    await until(() => dm.info(thin.uuid) === undefined);
    // The device is out of the list before it has let go of its thin: EBUSY goes on for a moment.
    await until(() => errnoOf(() => dm.message("POOL", "delete 1")) === "");
    expect(errnoOf(() => dm.message("POOL", "delete 1"))).toBe("ENODATA");
  });

  test("a removal that waits is called off, and the device stays when its user closes it", () => {
    const { dm, hold } = pools.kernel;
    const thin = pools.newThin(pools.pool(), 1);
    const release = hold(path(thin));
    dm.remove(thin.uuid, { deferred: true });
    dm.message(thin.uuid, "@cancel_deferred_remove");
    expect(pools.info(thin.uuid).deferredRemove).toBe(false);
    release();
    expect(pools.info(thin.uuid)).toMatchObject({ openCount: 0 });
    dm.message(thin.uuid, "@cancel_deferred_remove");
  });

  test("nobody's minor is safe: the next device gets the one that was let go", () => {
    const { dm } = pools.kernel;
    const first = pools.device("first", [line(8, "error", "")]);
    dm.remove(first.uuid);
    const second = pools.device("second", [line(8, "error", "")]);
    expect(second.minor).toBe(first.minor);
    expect(second.uuid).not.toBe(first.uuid);
  });

  test("one thin number can be active under two names: only uuids keep two users of it apart", async () => {
    const { write, read } = pools.kernel;
    const pool = pools.pool();
    const one = pools.newThin(pool, 1, { name: "one" });
    const two = pools.thin(pool, 1, { name: "two" });
    await write(path(one), 0, filled(1, 5));
    expect((await read(path(two), 0, 4096)).every((byte) => byte === 5)).toBe(true);
  });

  test("a copy of an active volume that was not suspended is made all the same: nothing but the driver protects it", () => {
    const { dm } = pools.kernel;
    pools.newThin(pools.pool(), 1);
    expect(dm.message("POOL", "create_snap 2 1")).toBe("");
  });

  test("what is written to a suspended volume waits, and is there when it is resumed", async () => {
    const { write, read, slow, dm } = pools.kernel;
    const thin = pools.newThin(pools.pool(), 1);
    await slow.suspend(thin.uuid, 10_000).done;
    let written = false;
    const writing = write(path(thin), 0, filled(1, 1)).then(() => (written = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(written).toBe(false);
    dm.resume(thin.uuid);
    await writing;
    expect((await read(path(thin), 0, 4096)).every((byte) => byte === 1)).toBe(true);
  });

  test("a read-only device takes no writes", async () => {
    const { dm, write } = pools.kernel;
    const pool = pools.pool();
    dm.message("POOL", "create_thin 1");
    dm.create("contract-readonly", "READONLY");
    dm.load("READONLY", [line(1024, "thin", `${pool.major}:${pool.minor} 1`)], { readOnly: true });
    dm.resume("READONLY");
    await expect(write(path(pools.info("READONLY")), 0, Buffer.alloc(4096, 1))).rejects.toThrow();
    expect(pools.status("READONLY")).toBe("0 -");
  });
});
