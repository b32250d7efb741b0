import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { z } from "zod";
import { DOCKER_OPTIONS, dockerDefaults } from "../../../src/config/docker-options.ts";
import { translate } from "../../../src/config/docker-daemon.ts";
import { BACKING_KINDS } from "../../../src/config/pool-description.ts";
import { standaloneDocument } from "../../../src/config/standalone.ts";
import { at } from "../../../src/config/document-paths.ts";
import { readYaml } from "../../../src/config/load.ts";
import { GiB, KiB } from "../../../src/units.ts";
import { complaints, loopPool, parse, problemsOf } from "./document.ts";

const pool = (storageOpts: readonly string[], rest: object = {}) => parse({ pools: [{ name: "a", storageOpts, ...rest }] }).pools[0];
const wrong = (storageOpts: readonly string[], rest: object = {}) => complaints({ pools: [{ name: "a", storageOpts, ...rest }] });

describe("a pool in Docker's words", () => {
  test("has Docker's defaults: files, xfs, 2 GiB of metadata", () => {
    expect(pool([])).toMatchObject({
      name: "a",
      backing: { kind: "loop", directory: "/var/lib/dmthin/a", dataSize: 100 * GiB, metadataSize: 2 * GiB, maximumDataSize: 100 * GiB },
      chunkSize: 64 * KiB,
      filesystem: "xfs",
      defaultVolumeSize: 10 * GiB,
      discardOnDelete: true,
      minimumFree: { dataPercent: 10, metadataPercent: 10 },
    });
  });

  test("is where the state is", () => {
    const [found] = parse({ pools: [{ name: "a", storageOpts: [] }], stateDirectory: "/srv/state" }).pools;
    expect(found?.backing).toMatchObject({ directory: "/srv/state/a" });
  });

  test("on a whole disk has Docker's shares, chunks and extension", () => {
    expect(pool(["dm.directlvm_device=/dev/xvdf", "dm.directlvm_device_force=true"])).toMatchObject({
      backing: { kind: "directLvm", devices: ["/dev/xvdf"], force: true, thinpPercent: 95, thinpMetaPercent: 1, volumeGroup: "dmthin-a" },
      chunkSize: 512 * KiB,
      discardOnDelete: false,
      autoextend: { thresholdPercent: 80, percent: 20 },
    });
  });

  test("says each thing as it is said now", () => {
    const options = ["DM.BaseSize = 20G", "dm.fs=ext4", "dm.blocksize=128KB", "dm.min_free_space=0%", "dm.blkdiscard=F", "dm.loopdatasize=1.5t"];
    expect(pool([...options, "dm.loopmetadatasize=4g", "dm.use_deferred_removal=1", "dm.use_deferred_deletion=true"])).toMatchObject({
      defaultVolumeSize: 20 * GiB,
      filesystem: "ext4",
      chunkSize: 128 * KiB,
      minimumFree: { dataPercent: 0, metadataPercent: 0 },
      discardOnDelete: false,
      backing: { dataSize: 1536 * GiB, metadataSize: 4 * GiB },
    });
    const shares = ["dm.thinp_percent=90", "dm.thinp_metapercent=2%", "dm.thinp_autoextend_threshold=70", "dm.thinp_autoextend_percent=100"];
    expect(pool(["dm.directlvm_device=/dev/sdb", ...shares])).toMatchObject({
      backing: { thinpPercent: 90, thinpMetaPercent: 2 },
      autoextend: { thresholdPercent: 70, percent: 100 },
    });
  });

  test("extends from 50 %, where LVM was told less", () => {
    expect(pool(["dm.directlvm_device=/dev/sdb", "dm.thinp_autoextend_threshold=10"])?.autoextend.thresholdPercent).toBe(50);
  });

  test("on a pool that exists, by the name of its device, which is LVM's", () => {
    const named = (name: string) => pool([`dm.thinpooldev=${name}`])?.backing;
    expect(named("/dev/mapper/docker-thinpool")).toEqual({ kind: "existing", pool: "docker/thinpool" });
    expect(named("my--group-thin--pool")).toEqual({ kind: "existing", pool: "my-group/thin-pool" });
    expect(named("/dev/group/pool")).toEqual({ kind: "existing", pool: "group/pool" });
    expect(named("bare")).toEqual({ kind: "existing", pool: "bare" });
    expect(named("a-b-c")).toEqual({ kind: "existing", pool: "a-b-c" });
    expect(pool(["dm.datadev=/dev/sdb", "dm.metadatadev=/dev/sdc"])?.backing).toEqual({ kind: "devices", data: "/dev/sdb", metadata: "/dev/sdc" });
  });

  test("may say the rest in our words", () => {
    expect(pool(["dm.basesize=1G"], loopPool({ name: "b", overcommitRatio: 2 }))).toMatchObject({
      defaultVolumeSize: GiB,
      overcommitRatio: 2,
      backing: { directory: "/var/lib/dmthin/fast" },
    });
  });
});

describe("what Docker refused, and what makes no sense here", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["dm.basesize"], "dm.basesize is not an option such as dm.basesize=20G"],
    [["dm.basesiz=1G"], "dm.basesiz: there is no such option: did you mean dm.basesize?"],
    [["dm.toString=1"], expect.stringContaining("dm.tostring: there is no such option") as unknown as string],
    [["dm.basesize=20X"], 'dm.basesize: "20X" is not a size such as 20G'],
    [["dm.fs=btrfs"], 'dm.fs: "btrfs" is neither xfs nor ext4: Docker had these two'],
    [["dm.blkdiscard=yes"], 'dm.blkdiscard: "yes" is not true or false'],
    [["dm.min_free_space=10"], 'dm.min_free_space: "10" is not a percentage from 0% to 99%'],
    [["dm.thinp_autoextend_percent=20"], "dm.thinp_autoextend_percent needs dm.directlvm_device: this pool is on files"],
    [["dm.directlvm_device_force=true"], "dm.directlvm_device_force needs dm.directlvm_device: this pool is on files"],
    [["dm.use_deferred_deletion=false"], expect.stringMatching(/^dm.use_deferred_deletion: .*always deleted.*: leave it out$/) as unknown as string],
    [["dm.use_deferred_removal=false"], expect.stringMatching(/^dm.use_deferred_removal: .*always removed.*: leave it out$/) as unknown as string],
    [["dm.override_udev_sync_check=true"], expect.stringMatching(/udev is never waited for/) as unknown as string],
    [["dm.libdm_log_level=7"], expect.stringMatching(/libdm is not used here.*log\.level/) as unknown as string],
    [["dm.xfs_nospace_max_retries=0"], expect.stringMatching(/parameter xfsNospaceMaxRetries, "0"/) as unknown as string],
    [["dm.mkfsarg=-m crc=0"], expect.stringMatching(/parameter mkfsOptions, "-m crc=0"/) as unknown as string],
    [["dm.mountopt=nodiscard"], expect.stringMatching(/mountOptions\), "nodiscard"/) as unknown as string],
  ];
  test.each(cases)("%j", (options, message) => {
    expect(problemsOf(() => pool(options))).toEqual([{ path: "pools[0].storageOpts[0]", message }]);
  });

  test("two backings, and what belongs to another", () => {
    expect(wrong(["dm.thinpooldev=x-y", "dm.directlvm_device=/dev/sdb"])).toEqual([
      "pools[0].storageOpts[1]: dm.directlvm_device is for pools on dm.directlvm_device, and this one is on dm.thinpooldev",
    ]);
    expect(wrong(["dm.thinpooldev=x-y", "dm.loopdatasize=1G"])).toEqual([
      "pools[0].storageOpts[1]: dm.loopdatasize is for pools on files, and this one is on dm.thinpooldev",
    ]);
  });

  test("one without the other", () => {
    expect(wrong(["dm.directlvm_device=/dev/sdb", "dm.thinp_percent=90"])).toEqual([
      "pools[0].storageOpts[1]: dm.thinp_percent needs dm.thinp_metapercent beside it",
    ]);
    expect(wrong(["dm.metadatadev=/dev/sdb"])[0]).toBe("pools[0].storageOpts[0]: dm.metadatadev needs dm.datadev beside it");
  });

  test("the same thing twice, in either spelling", () => {
    expect(wrong(["dm.fs=xfs", "dm.fs=ext4"])).toEqual(["pools[0].storageOpts[1]: dm.fs is given twice"]);
    expect(wrong(["dm.fs=xfs"], { filesystem: "ext4" })).toEqual(["pools[0].storageOpts[0]: dm.fs and filesystem say the same: give one of them"]);
  });

  test("what the schema finds is said of the option that said it", () => {
    expect(wrong(["dm.fs=ext4", "dm.blocksize=100K"])).toEqual(["pools[0].storageOpts[1]: 100 KiB is not a multiple of 64 KiB"]);
    expect(wrong(["dm.directlvm_device=sdb"])).toEqual(['pools[0].storageOpts[0]: "sdb" is not an absolute path']);
  });

  test("options that are no list of text are the schema's to refuse", () => {
    expect(complaints({ pools: [{ ...loopPool(), storageOpts: { a: 1 } }] })).toEqual(['pools[0].storageOpts: {"a":1} is not a list']);
  });
});

const from = (options: readonly string[], rest: object = {}) =>
  translate({ "storage-driver": "devicemapper", "storage-opts": options, ...rest }, "daemon.json");

describe("Docker's daemon.json", () => {
  test("becomes a configuration that works, and what was left out is said", () => {
    const { yaml, warnings } = from(["dm.directlvm_device=/dev/xvdf", "dm.libdm_log_level=3", "dm.mkfsarg=-K", "overlay2.size=1G"]);
    expect(parse(readYaml(yaml, "x")).pools).toEqual([pool(["dm.directlvm_device=/dev/xvdf"], { name: "docker", default: true })]);
    expect(warnings).toEqual([
      expect.stringMatching(/images and containers are not taken over/),
      expect.stringMatching(/^left out: dm.libdm_log_level: /),
      expect.stringMatching(/^left out: dm.mkfsarg: .*mkfsOptions, "-K"$/),
      "left out: overlay2.size=1G is not an option of devicemapper",
      expect.stringMatching(/\/dev\/xvdf holds Docker's volume group/),
      expect.stringMatching(/64Ki is better here/),
    ]);
  });

  test("with no options is a pool in files", () => {
    expect(parse(readYaml(from([]).yaml, "x")).pools[0]).toEqual(pool([], { name: "docker" }));
  });

  test.each([
    [{ "storage-driver": "overlay2" }, 'storage-driver: is "overlay2", and only devicemapper\'s options are known here'],
    [{ debug: true }, ": says nothing of the devicemapper storage driver"],
    [{ "storage-driver": "devicemapper", "storage-opts": "dm.fs=xfs" }, "storage-opts: is not a list of options"],
    [{ "storage-opts": ["overlay2.size=1", "dm.fs=zfs"] }, 'storage-opts[1]: dm.fs: "zfs" is neither xfs nor ext4: Docker had these two'],
  ])("that cannot be translated: %j", (daemon, complaint) => {
    expect(problemsOf(() => translate(daemon, "daemon.json")).map(({ path, message }) => `${path}: ${message}`)).toEqual([complaint]);
  });
});

/** Issue 4's list: Docker's own, none left out. */
const ALL = `basesize loopdatasize loopmetadatasize fs mkfsarg mountopt thinpooldev datadev metadatadev blocksize blkdiscard
  override_udev_sync_check use_deferred_removal use_deferred_deletion min_free_space xfs_nospace_max_retries libdm_log_level directlvm_device
  directlvm_device_force thinp_percent thinp_metapercent thinp_autoextend_threshold thinp_autoextend_percent`.split(/\s+/);

const page = async () => readFile(new URL("../../../docs/migration-from-docker.md", import.meta.url), "utf8");

const unquoted = (cell = ""): string => /^`([^`]*)`/.exec(cell)?.[1] ?? "";

test("docs/migration-from-docker.md has a row for every option: its name now, its default then and now", async () => {
  const rows = [...(await page()).matchAll(/^\| `(dm\.[^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \| (\S[^|]*) \|$/gm)];
  const said = rows.map(([, name = "", becomes, before, now]) => [name, [becomes, before, now].map(unquoted)]);
  const wanted = Object.entries(DOCKER_OPTIONS).map(([name, { becomes = "", dockerDefault }]) => [
    name,
    [becomes, dockerDefault, becomes === "" ? "" : defaultOf(becomes)],
  ]);
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(wanted));
  expect(rows.map((row) => row[1])).toEqual(ALL.map((name) => `dm.${name}`));
});

/** As one writes it, in the pool that says no more than it must; "" where it depends on something else. */
function defaultOf(path: string): string {
  const shape = z.toJSONSchema(standaloneDocument, { io: "input", unrepresentable: "any" });
  const found = at(shape, ["properties", "pools", "items", ...path.split(".").flatMap((key) => ["properties", key]), "default"]);
  return typeof found === "string" || typeof found === "boolean" ? `${found}` : "";
}

test("the defaults that a pool in Docker's words gets are those that the table calls Docker's", () => {
  for (const kind of BACKING_KINDS) {
    for (const [path, value] of Object.entries(dockerDefaults(kind, "/x"))) {
      const option = Object.values(DOCKER_OPTIONS).find(({ becomes }) => becomes === path);
      if (option === undefined || ["chunkSize", "discardOnDelete"].includes(path)) continue;
      const read = option.read(option.dockerDefault);
      expect({ path, read }).toEqual({ path, read: { value } });
    }
  }
});
