import { expect, test } from "@jest/globals";
import { describeClusterPool, type WrittenPool } from "../../../src/config/cluster-pool.ts";
import { parse, problemsOf } from "./document.ts";

const place = (...others: WrittenPool[]) => ({ stateDirectory: "/var/lib/dmthin", runDirectory: "/run/dmthin", others });
const complaints = (pool: WrittenPool, ...others: WrittenPool[]): readonly string[] =>
  problemsOf(() => describeClusterPool(pool, place(...others))).map(({ path, message }) => `${path}: ${message}`);

const loop = (directory: string, more: object = {}): object => ({ backing: { loop: { directory, dataSize: "1Gi" } }, ...more });

test("a ThinPool's spec says the same as an entry of the standalone file; what only the cluster knows is left aside", () => {
  const spec = loop("/srv/fast", { filesystem: "xfs", overcommitRatio: 30, nodeSelector: { matchLabels: { a: "b" } }, deletionPolicy: "Wipe" });
  const [standalone] = parse({ pools: [{ name: "fast", ...loop("/srv/fast", { filesystem: "xfs", overcommitRatio: 30, default: false }) }] }).pools;
  expect(describeClusterPool({ name: "fast", spec }, place())).toEqual(standalone);
});

test("Docker's words are written out, below the node's state directory", () => {
  const pool = describeClusterPool({ name: "old", spec: { storageOpts: ["dm.basesize=20G"] } }, place());
  expect(pool).toMatchObject({ defaultVolumeSize: 20 * 2 ** 30, backing: { kind: "loop", directory: "/var/lib/dmthin/old" } });
});

test("every problem is told at once, each by its place in the object", () => {
  const spec = { backing: { loop: { directory: "srv", dataSize: "1Gi", metadataSize: "1Ti" } }, filesystem: "ntfs", minimumFree: 10, colour: "red" };
  expect(complaints({ name: "Fast_1", spec })).toEqual([
    expect.stringMatching(/^metadata\.name: "Fast_1" is not a pool name/),
    expect.stringMatching(/^spec\.backing\.loop\.directory: "srv" is not an absolute path/),
    expect.stringMatching(/^spec\.backing\.loop\.metadataSize: /),
    expect.stringMatching(/^spec\.minimumFree: /),
    expect.stringMatching(/^spec\.filesystem: "ntfs" is none of/),
    expect.stringMatching(/^spec\.colour: there is no such option/),
  ]);
  expect(complaints({ name: "none", spec: {} })).toEqual(["spec.backing: is required"]);
  expect(complaints({ name: "text", spec: "x" })).toEqual(["spec.backing: is required"]);
});

const disks = (name: string): WrittenPool => ({ name, spec: { backing: { directLvm: { devices: ["/dev/disk/by-id/nvme-*"] } } } });

test("what another pool of the node has, it cannot have: that one is called by its name", () => {
  const first = { name: "first", spec: loop("/srv/pools") };
  expect(complaints({ name: "second", spec: loop("/srv/pools/second") }, first)).toEqual([
    expect.stringMatching(/^spec\.backing\.loop\.directory: \/srv\/pools\/second and \/srv\/pools \(ThinPool first\.backing\.loop\.directory\) overlap/),
  ]);
  const twice = { name: "twice", spec: { backing: { directLvm: { devices: ["/dev/sda"], metadataDevices: ["/dev/sd?"] } } } };
  expect(complaints(twice)).toEqual([expect.stringMatching(/metadataDevices\[0\]: .* in use already: spec\.backing\.directLvm\.devices\[0\]$/)]);
  expect(complaints(disks("second"), disks("first"))).toEqual([expect.stringMatching(/^spec\.backing\.directLvm\.devices\[0\]: .* ThinPool first/)]);
});

test("a problem of another pool is that pool's", () => {
  const broken = { name: "broken", spec: { backing: {} } };
  expect(describeClusterPool({ name: "fast", spec: loop("/srv/fast") }, place(broken))).toMatchObject({ name: "fast", backing: { kind: "loop" } });
});
