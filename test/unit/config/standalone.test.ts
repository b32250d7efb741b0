import { describe, expect, test } from "@jest/globals";
import { GiB, KiB, MiB } from "../../../src/units.ts";
import { complaints, loopPool, parse } from "./document.ts";

describe("a configuration that is right", () => {
  test("needs no more than a pool's name and directory; the rest has the documented defaults", () => {
    expect(parse({ pools: [loopPool()] })).toEqual({
      pools: [
        {
          name: "fast",
          isDefault: true,
          backing: {
            kind: "loop",
            directory: "/var/lib/dmthin/fast",
            dataSize: 100 * GiB,
            metadataSize: 219 * MiB,
            maximumDataSize: 100 * GiB,
            hostReserve: GiB,
          },
          chunkSize: 64 * KiB,
          zeroNewBlocks: true,
          minimumFree: { dataPercent: 10, metadataPercent: 10 },
          overcommitRatio: 10,
          defaultVolumeSize: 10 * GiB,
          filesystem: "ext4",
          discardOnDelete: true,
          autoextend: { thresholdPercent: 80, percent: 20 },
          whenFull: "auto",
          trim: { intervalMs: 7 * 86_400_000, atOnce: 1 },
        },
      ],
      socket: "/run/dmthin/csi.sock",
      socketMode: 0o600,
      adminSocket: "/run/dmthin/admin.sock",
      nodeName: "node1",
      stateDirectory: "/var/lib/dmthin",
      runDirectory: "/run/dmthin",
      log: { level: "info", format: "json" },
      shutdownDeadlineMs: 30_000,
      alphaCapabilities: false,
      metrics: { listen: undefined, perVolume: true, exclusiveIntervalMs: 3_600_000 },
      testing: { enableAttach: false, attachLimit: undefined },
    });
  });

  test("keeps everything that was said", () => {
    const config = parse({
      pools: [
        {
          name: "b1g-1",
          default: false,
          backing: { devices: { data: "/dev/disk/by-id/x-part2/", metadata: "/dev//sdb1" } },
          chunkSize: "512Ki",
          zeroNewBlocks: false,
          minimumFree: { data: "2.5%", metadata: "0%" },
          overcommitRatio: 1.5,
          defaultVolumeSize: 1024 ** 3,
          filesystem: "xfs",
          discardOnDelete: true,
          autoextendThreshold: "100%",
          autoextendPercent: "1%",
          whenFull: "error",
          trim: { interval: "1.5h", atOnce: 3 },
        },
      ],
      socket: "/tmp/a.sock",
      socketMode: "0660",
      adminSocket: "unix:/tmp/b.sock",
      nodeName: "Node_7.example",
      stateDirectory: "/srv/state",
      runDirectory: "/run/other",
      log: { level: "debug", format: "text" },
      shutdownDeadline: "1.5m",
      alphaCapabilities: true,
      testing: { enableAttach: true, attachLimit: 2 },
    });
    expect(config.pools[0]).toEqual({
      name: "b1g-1",
      isDefault: false,
      backing: { kind: "devices", data: "/dev/disk/by-id/x-part2", metadata: "/dev/sdb1" },
      chunkSize: 512 * KiB,
      zeroNewBlocks: false,
      minimumFree: { dataPercent: 2.5, metadataPercent: 0 },
      overcommitRatio: 1.5,
      defaultVolumeSize: GiB,
      filesystem: "xfs",
      discardOnDelete: true,
      autoextend: { thresholdPercent: 100, percent: 1 },
      whenFull: "error",
      trim: { intervalMs: 5_400_000, atOnce: 3 },
    });
    expect(config).toMatchObject({
      socket: "/tmp/a.sock",
      socketMode: 0o660,
      adminSocket: "/tmp/b.sock",
      nodeName: "Node_7.example",
      stateDirectory: "/srv/state",
      runDirectory: "/run/other",
      log: { level: "debug", format: "text" },
      shutdownDeadlineMs: 90_000,
      alphaCapabilities: true,
      testing: { enableAttach: true, attachLimit: 2 },
    });
  });

  test("one percentage of minimumFree goes for data and metadata", () => {
    expect(parse({ pools: [loopPool({ minimumFree: "25%" })] }).pools[0]?.minimumFree).toEqual({ dataPercent: 25, metadataPercent: 25 });
    expect(parse({ pools: [loopPool({ minimumFree: { data: "5%" } })] }).pools[0]?.minimumFree).toEqual({ dataPercent: 5, metadataPercent: 10 });
  });

  test("blocks of deleted volumes go back to the disk by default only where the pool is a file", () => {
    const devices = { name: "b", backing: { devices: { data: "/dev/a", metadata: "/dev/b" } } };
    expect(parse({ pools: [loopPool(), devices] }).pools.map((pool) => pool.discardOnDelete)).toEqual([true, false]);
    expect(parse({ pools: [loopPool({ discardOnDelete: false })] }).pools[0]?.discardOnDelete).toBe(false);
  });

  test("of several pools none is the default unless it says so", () => {
    const pools = [loopPool(), loopPool({ name: "b" }, { directory: "/b" })];
    expect(parse({ pools }).pools.map((pool) => pool.isDefault)).toEqual([false, false]);
    expect(parse({ pools: [loopPool(), loopPool({ name: "b", default: true }, { directory: "/b" })] }).pools.map((pool) => pool.isDefault)).toEqual([
      false,
      true,
    ]);
  });
});

describe("a configuration that is wrong", () => {
  test("is told every problem at once, fields and what is between them", () => {
    const document = {
      pools: [
        loopPool({ name: "Fast", chunkSize: "100Ki" }, { dataSize: "10 apples", directory: "var/x" }),
        loopPool({ name: "b", default: true }, { directory: "/b", metadataSize: "2Mi" }),
        loopPool({ name: "b", default: true, filesystem: "ext3" }, { directory: "/b/c" }),
      ],
      log: { level: "loud" },
      sockt: "/x",
    };
    expect(complaints(document)).toEqual([
      expect.stringMatching(/^pools\[0\]\.name: "Fast" is not a pool name: .*at most 40 characters/),
      'pools[0].backing.loop.directory: "var/x" is not an absolute path',
      'pools[0].backing.loop.dataSize: "10 apples" is not a size: use bytes, or a number with Ki, Mi, Gi, Ti',
      "pools[0].chunkSize: 100 KiB is not a multiple of 64 KiB",
      'pools[2].filesystem: "ext3" is none of ext4, xfs, btrfs',
      'log.level: "loud" is none of debug, info, warn, error',
      "sockt: there is no such option: did you mean socket?",
      "pools[1].backing.loop.metadataSize: 2 MiB cannot map 100 GiB in chunks of 64 KiB: at least 51 MiB, better 219 MiB",
      "pools[2].name: b is the name of another pool already, pools[1]",
      "pools[2].default: only one pool is the default, and pools[1] is it already",
      "pools[2].backing.loop.directory: /b/c and /b (pools[1].backing.loop.directory) overlap: give each pool a directory of its own",
    ]);
  });

  const cases: readonly (readonly [string, unknown, string])[] = [
    ["no document", [], ": [] is not a mapping"],
    ["no pools", {}, "pools: is required"],
    ["an empty list of pools", { pools: [] }, "pools: at least one pool is needed"],
    ["pools that are no list", { pools: { a: 1 } }, 'pools: {"a":1} is not a list'],
    ["no name", { pools: [{ backing: { loop: { directory: "/x" } } }] }, "pools[0].name: is required"],
    ["no backing", { pools: [{ name: "a" }] }, "pools[0].backing: is required"],
    ["an empty backing", { pools: [{ name: "a", backing: {} }] }, "pools[0].backing: one of loop, devices, directLvm, existing is needed"],
    [
      "two backings",
      { pools: [loopPool({ backing: { loop: { directory: "/x" }, devices: { data: "/a", metadata: "/b" } } })] },
      "pools[0].backing: loop and devices exclude each other: a pool has one backing",
    ],
    [
      "a backing of another driver",
      { pools: [{ name: "a", backing: { zfs: {} } }] },
      "pools[0].backing.zfs: there is no such option: known here are loop, devices, directLvm, existing",
    ],
    ["a slip of case", { pools: [loopPool({ chunksize: "64Ki" })] }, "pools[0].chunksize: there is no such option: did you mean chunkSize?"],
    ["a slip in a choice", { pools: [loopPool({ minimumFree: { dat: "1%" } })] }, "pools[0].minimumFree.dat: there is no such option: did you mean data?"],
    ["a bare percentage", { pools: [loopPool({ minimumFree: 0.1 })] }, 'pools[0].minimumFree: 0.1 is not a percentage: write it as "10%", from 0% to 99%'],
    ["all of it free", { pools: [loopPool({ minimumFree: "100%" })] }, 'pools[0].minimumFree: "100%" is not a percentage: write it as "10%", from 0% to 99%'],
    ["a size too small", { pools: [loopPool({}, { dataSize: "1Mi" })] }, "pools[0].backing.loop.dataSize: 1Mi is too small: at least 64 MiB"],
    [
      "a size below zero",
      { pools: [loopPool({}, { dataSize: -5 })] },
      "pools[0].backing.loop.dataSize: -5 is not a size: use bytes, or a number with Ki, Mi, Gi, Ti",
    ],
    [
      "metadata beyond the kernel's",
      { pools: [loopPool({}, { metadataSize: "16Gi" })] },
      "pools[0].backing.loop.metadataSize: 16Gi is too large: at most 15.9 GiB",
    ],
    ["a chunk too small", { pools: [loopPool({ chunkSize: "4Ki" })] }, "pools[0].chunkSize: 4Ki is too small: at least 64 KiB"],
    ["a chunk too large", { pools: [loopPool({ chunkSize: "2Gi" })] }, "pools[0].chunkSize: 2Gi is too large: at most 1 GiB"],
    [
      "a promise of less than there is",
      { pools: [loopPool({ overcommitRatio: 0.5 })] },
      "pools[0].overcommitRatio: 0.5 is too small: at least 1, which promises no more than there is",
    ],
    [
      "a default nobody can have",
      { pools: [loopPool({ overcommitRatio: 2 }, { dataSize: "1Gi" })] },
      "pools[0].defaultVolumeSize: 10 GiB, which is the default, is more than the pool may ever promise, 2 GiB: set it lower, or make dataSize larger",
    ],
    [
      "a volume size nobody can have",
      { pools: [loopPool({ defaultVolumeSize: "3Gi", overcommitRatio: 2 }, { dataSize: "1Gi" })] },
      "pools[0].defaultVolumeSize: 3 GiB is more than the pool may ever promise, 2 GiB: set it lower, or make dataSize larger",
    ],
    [
      "one device twice",
      { pools: [{ name: "a", backing: { devices: { data: "/dev/a", metadata: "/dev//a" } } }] },
      "pools[0].backing.devices.metadata: /dev/a is in use already: pools[0].backing.devices.data",
    ],
    [
      "a path that climbs",
      { pools: [loopPool({}, { directory: "/var/../etc" })] },
      'pools[0].backing.loop.directory: "/var/../etc" has ".." in it: write where it leads',
    ],
    [
      "a path with a newline",
      { pools: [loopPool({}, { directory: "/var/x\ny" })] },
      'pools[0].backing.loop.directory: "/var/x\\ny" has control characters in it',
    ],
    [
      "data on what a reboot empties",
      { pools: [loopPool({}, { directory: "/run/dmthin/p" })] },
      "pools[0].backing.loop.directory: /run/dmthin/p is in the run directory /run/dmthin, which is empty after a reboot",
    ],
    [
      "a pool around the catalogues",
      { pools: [loopPool({}, { directory: "/var/lib" })] },
      "pools[0].backing.loop.directory: /var/lib holds the state directory /var/lib/dmthin: give the pool a directory of its own",
    ],
    [
      "state on what a reboot empties",
      { pools: [loopPool()], stateDirectory: "/run/dmthin/state" },
      "runDirectory: /run/dmthin and the state directory /run/dmthin/state overlap: the one is emptied by a reboot, the other must not be",
    ],
    ["two sockets at one place", { pools: [loopPool()], socket: "/a.sock", adminSocket: "unix:///a.sock" }, "adminSocket: /a.sock is the CSI socket already"],
    ["a socket over the network", { pools: [loopPool()], socket: "tcp://0.0.0.0:1" }, 'socket: "tcp://0.0.0.0:1" is not an absolute path'],
    [
      "a socket with too long a path",
      { pools: [loopPool()], socket: `/${"x".repeat(107)}` },
      `socket: "/${"x".repeat(77)}… is too long for a socket: at most 107 bytes`,
    ],
    [
      "a mode without quotes",
      { pools: [loopPool()], socketMode: 600 },
      'socketMode: a file mode is read as octal, and without quotes YAML takes it for the number 600: write "0600"',
    ],
    ["a mode that is none", { pools: [loopPool()], socketMode: "rw" }, 'socketMode: "rw" is not a file mode: use octal digits in quotes, such as "0600"'],
    [
      "a duration without a unit",
      { pools: [loopPool()], shutdownDeadline: 30 },
      "shutdownDeadline: 30 is not a duration from 1s to 600s: use a number with ms, s, m, h or d",
    ],
    [
      "a duration too long",
      { pools: [loopPool()], shutdownDeadline: "11m" },
      'shutdownDeadline: "11m" is not a duration from 1s to 600s: use a number with ms, s, m, h or d',
    ],
    [
      "a node name with a space",
      { pools: [loopPool()], nodeName: "a b" },
      'nodeName: "a b" is not a node name: letters, digits, and "-", "_", "." inside, at most 63 characters',
    ],
    ["yes for true", { pools: [loopPool({ zeroNewBlocks: "yes" })] }, 'pools[0].zeroNewBlocks: "yes" is not true or false'],
  ];
  test.each(cases)("%s", (_, document, complaint) => {
    expect(complaints(document)).toEqual([complaint]);
  });

  test("names the host name when that cannot be the node's", () => {
    expect(complaints({ pools: [loopPool()] }, "-vm-")).toEqual([`nodeName: this machine's host name "-vm-" cannot serve as its node name: set one`]);
    expect(complaints({ pools: [loopPool()], nodeName: "vm" }, "-vm-")).toEqual([]);
  });
});

const named = (name: string) => complaints({ pools: [loopPool({ name })] });

test("a pool's name may have 40 characters, and no more: with 41 a Kubernetes label would run out", () => {
  expect(named("a".repeat(40))).toEqual([]);
  expect(named("a".repeat(41))).toHaveLength(1);
  for (const name of ["", "-a", "a-", "a_b", "A", "a.b", "a/b", "a\n", "ä"]) expect(named(name)).toHaveLength(1);
});

const listening = (listen: string) => parse({ pools: [loopPool()], metrics: { listen, exclusiveInterval: "never" } }).metrics;

test("metrics are served where it is said, and nowhere else", () => {
  expect(listening("127.0.0.1:9808")).toEqual({ listen: { host: "127.0.0.1", port: 9808 }, perVolume: true, exclusiveIntervalMs: undefined });
  expect(listening("[::1]:9808").listen).toEqual({ host: "::1", port: 9808 });
  expect(listening(":9808").listen).toEqual({ host: "", port: 9808 });
  expect(listening("nowhere").listen).toBeUndefined();
  expect(complaints({ pools: [loopPool()], metrics: { exclusiveInterval: "25d" } })).toHaveLength(1);
  for (const wrong of ["9808", "127.0.0.1", "127.0.0.1:99999", "http://127.0.0.1:9808", ""]) {
    expect(complaints({ pools: [loopPool()], metrics: { listen: wrong } })).toEqual([
      `metrics.listen: ${JSON.stringify(wrong)} is not an address to listen on: write 127.0.0.1:9808, [::1]:9808, or :9808 for every address`,
    ]);
  }
  expect(complaints({ pools: [loopPool()], metrics: { listen: 9808 } })).toEqual(['metrics.listen: 9808 is not an address: write "127.0.0.1:9808" or nowhere']);
});
