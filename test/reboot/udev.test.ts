import { expect, jest, test } from "@jest/globals";
import { Disk } from "../lab/disk.ts";
import { startGuest } from "../lab/start.ts";
import type { BackingKind } from "./backings.ts";

jest.setTimeout(300_000);

test.each<readonly [BackingKind]>([["loop"], ["devices"], ["directLvm"], ["existing"]])(
  "on %s: a host's udev and LVM see nothing of what tenants write into volumes, and all of what others have",
  async (backing) => {
    using disks = new DisposableStack();
    const images = await Promise.all(["2G", "2G", "64M", "64M"].map(async (size) => disks.use(await Disk.create(size))));
    await using guest = await startGuest({
      command: ["node", "--disable-warning=ExperimentalWarning", "test/reboot/tenant.ts", backing],
      disks: images,
      udev: true,
    });
    await guest.said("all is well");
    expect(await guest.exit).toBe(0);
  },
);
