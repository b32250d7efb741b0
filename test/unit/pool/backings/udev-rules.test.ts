import { expect, test } from "@jest/globals";
import type { Backing, PoolDescription } from "../../../../src/config/pool-description.ts";
import { tenantsDevices, udevRules } from "../../../../src/pool/backings/udev-rules.ts";
import { bytes } from "../../../../src/units.ts";

const pool = (backing: Backing) => ({ name: "p", backing }) as PoolDescription;
const size = bytes(0);
const patterns = (...backings: readonly Backing[]) =>
  tenantsDevices(
    backings.map((backing) => pool(backing)),
    (path) => (path === "/dev/disk/by-id/there" ? "sdb" : undefined),
  ).map(({ attribute, pattern }) => `${attribute} ${pattern}`);

const OURS = "dm/uuid DMTHIN-?*";
const loop = (directory: string): Backing => ({ kind: "loop", directory, dataSize: size, metadataSize: size, maximumDataSize: size, hostReserve: size });
const devices = (data: string): Backing => ({ kind: "devices", data, metadata: "/dev/sdz" });
const existing = (made: string): Backing => ({ kind: "existing", pool: made });
const directLvm = (volumeGroup: string): Backing => ({
  kind: "directLvm",
  devices: ["/dev/sdc"],
  metadataDevices: [],
  volumeGroup,
  thinpPercent: 95,
  thinpMetaPercent: 1,
  force: false,
});

test("a pool's data device is covered on each backing, and a disk that is not there is left out", () => {
  expect(patterns(loop("/var/lib/pool"), devices("/dev/disk/by-id/there"), devices("/dev/gone"))).toEqual([
    OURS,
    "loop/backing_file /var/lib/pool/data.img",
    "kernel-name sdb",
  ]);
  expect(patterns(directLvm("dmthin-a"), existing("my-group/my-pool"), existing("bare-pool"))).toEqual([
    OURS,
    "dm/name dmthin--a-[!-]*",
    "dm/name my--group-my--pool",
    "dm/name bare-pool",
  ]);
});

test("nothing of a path can become a rule of its own", () => {
  const rules = udevRules(tenantsDevices([pool(loop('/srv/a"\nRUN+="/bin/sh $x{y}" [b]?'))], () => undefined));
  expect(rules).toContain('ATTR{loop/backing_file}=="/srv/a*RUN+*/bin/sh*x*y*b*/data.img"');
  expect(rules).not.toContain("/bin/sh $");
  expect(rules.split("\n").filter((line) => line.startsWith("RUN"))).toEqual([]);
});
