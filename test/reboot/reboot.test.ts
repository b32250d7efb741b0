import { expect, jest, test } from "@jest/globals";
import { Disk } from "../lab/disk.ts";
import { startGuest } from "../lab/start.ts";
import type { BackingKind } from "./node.ts";

jest.setTimeout(300_000);

/** Two power cuts, each while volumes are mounted and written to: after each boot all is there, with what had been synced. */
test.each<readonly [BackingKind, boolean]>([
  ["loop", true],
  ["devices", true],
  ["directLvm", true],
  ["existing", true],
  // Without udev nobody else activates a volume group.
  ["existing", false],
])(
  "a node that loses its power with volumes on %s (udev: %s) has them all again at its next boot, with their contents, and nobody had to do anything",
  async (backing, udev) => {
    using disks = new DisposableStack();
    const images = await Promise.all(["2G", "2G", "64M"].map(async (size) => disks.use(await Disk.create(size))));
    for (const boot of [1, 2]) {
      const command = ["node", "--disable-warning=ExperimentalWarning", "test/reboot/node.ts", backing, String(boot)];
      await using guest = await startGuest({ command, disks: images, udev });
      await guest.said(`boot ${boot} is done`);
      await guest.kill();
    }
    const command = ["node", "--disable-warning=ExperimentalWarning", "test/reboot/node.ts", backing, "3"];
    await using last = await startGuest({ command, disks: images, udev });
    expect(await last.exit).toBe(0);
    expect(last.output).toContain("boot 3 is done");
  },
);
