import { describe, expect, test } from "@jest/globals";
import { CHECKS, examineHost } from "../../../src/doctor/checks.ts";
import type { Host } from "../../../src/doctor/host.ts";
import type { Finding } from "../../../src/offline/report.ts";
import { runLine } from "../cli/command-line.ts";

interface Machine extends Partial<Omit<Host, "read" | "exists">> {
  readonly files?: Readonly<Record<string, string>>;
}

const FILES: Readonly<Record<string, string>> = {
  "/proc/filesystems": "nodev\ttmpfs\n\text4\n\txfs\n\tbtrfs\n",
  "/proc/self/mountinfo": "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n30 22 0:25 / /run rw - tmpfs tmpfs rw\n",
  "/proc/pressure/io": "some avg10=1.20 avg60=0.00 avg300=0.00 total=1\n",
  "/run/lock/lvm": "",
  "/dev/loop-control": "",
};

/** A machine on which all is well, but for what a test says. */
function machine({ files = {}, ...rest }: Machine = {}): Host {
  const all = new Map(Object.entries({ ...FILES, ...files }));
  return {
    isRoot: true,
    kernelRelease: "6.12.0-amd64",
    architecture: "x64",
    read: async (path) => all.get(path),
    exists: async (path) => all.has(path),
    find: async (program) => `/usr/sbin/${program}`,
    version: async ([program]) => (program === "lvm" ? "LVM version:     2.03.31(2)" : "thin_check 1.1.0"),
    deviceMapper: async () => ({
      interface: "4.50.0",
      targets: new Map([
        ["thin-pool", "1.23.0"],
        ["thin", "1.23.0"],
      ]),
    }),
    ...rest,
  };
}

const without = (...names: readonly string[]): Host => {
  const host = machine();
  return {
    ...host,
    exists: async (path) => !names.includes(path) && host.exists(path),
    read: async (path) => (names.includes(path) ? undefined : host.read(path)),
  };
};

const notOk = (findings: readonly Finding[]): readonly Finding[] => findings.filter(({ severity }) => severity !== "ok");

test("a machine on which all is well has no other finding, and each check has one", async () => {
  const findings = await examineHost(machine());
  expect(notOk(findings)).toEqual([]);
  expect(findings.length).toBeGreaterThanOrEqual(CHECKS.length);
});

describe("what is wrong is named, with what to do", () => {
  test.each<readonly [string, Host, Finding["severity"], string, RegExp]>([
    ["nobody's rights", machine({ isRoot: false }), "problem", "user", /sudo/],
    ["an old kernel", machine({ kernelRelease: "5.14.21" }), "problem", "kernel", /5\.15/],
    ["another architecture", machine({ architecture: "riscv64" }), "problem", "kernel", /arm64/],
    ["no device-mapper", machine({ deviceMapper: async () => Promise.reject(new Error("ENOENT")) }), "problem", "device-mapper", /modprobe dm-mod/],
    [
      "no thin target",
      machine({ deviceMapper: async () => ({ interface: "4.50.0", targets: new Map([["linear", "1.4.0"]]) }) }),
      "problem",
      "device-mapper",
      /modprobe dm-thin-pool/,
    ],
    [
      "writers that wait for ever",
      machine({ files: { "/sys/module/dm_thin_pool/parameters/no_space_timeout": "0\n" } }),
      "warning",
      "device-mapper",
      /echo 60/,
    ],
    ["no thin_check", machine({ find: async (program) => (program === "thin_check" ? undefined : "/x") }), "problem", "programs", /thin-provisioning-tools/],
    ["no mkfs.xfs", machine({ find: async (program) => (program === "mkfs.xfs" ? undefined : "/x") }), "warning", "programs", /xfsprogs/],
    ["a kernel without xfs", machine({ files: { "/proc/filesystems": "\text4\n\tbtrfs\n" } }), "warning", "filesystems", /modprobe xfs/],
    ["no loop devices", without("/dev/loop-control"), "warning", "loop", /modprobe loop/],
    ["LVM's locks somewhere else", without("/run/lock/lvm"), "warning", "LVM", /share the host's/],
    ["udevd without our rules", machine({ files: { "/run/udev/control": "" } }), "warning", "udev", /start the driver/],
    [
      "private mounts",
      machine({ files: { "/proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" } }),
      "warning",
      "mount propagation",
      /make-rshared \//,
    ],
    [
      "a kubelet's folder that is private below a shared root",
      machine({
        files: {
          "/var/lib/kubelet": "",
          "/proc/self/mountinfo": "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n40 22 8:2 / /var/lib/kubelet rw master:3 - ext4 /dev/sda2 rw\n",
        },
      }),
      "warning",
      "mount propagation",
      /make-rshared \/var\/lib\/kubelet/,
    ],
    ["disks that cannot keep up", machine({ files: { "/proc/pressure/io": "some avg10=71.50 avg60=0 avg300=0 total=1\n" } }), "warning", "io", /iostat/],
  ])("%s", async (_, host, severity, subject, remedy) => {
    const findings = notOk(await examineHost(host));
    expect(findings.map((each) => [each.severity, each.subject])).toContainEqual([severity, subject]);
    expect(new Set(findings.map((each) => each.subject))).toEqual(new Set([subject]));
    expect(findings.map((each) => each.remedy).join()).toMatch(remedy);
  });
});

test("udevd with our rules is well", async () => {
  const files = { "/run/udev/control": "", "/run/udev/rules.d/12-dmthin.rules": "" };
  expect(notOk(await examineHost(machine({ files })))).toEqual([]);
});

test("doctor ends with 1 on a problem and with 0 on warnings, and tells programs the same as people", async () => {
  const well = await runLine(["doctor"], {
    examine: async () => examineHost(machine({ find: async (program) => (program === "mkfs.xfs" ? undefined : "/x") })),
  });
  expect(well.code).toBe(0);
  expect(well.output).toContain("0 problems, 1 warnings.");
  const ill = await runLine(["doctor", "--json"], { examine: async () => examineHost(machine({ kernelRelease: "4.19.0" })) });
  expect(ill.code).toBe(1);
  expect(notOk(JSON.parse(ill.output) as Finding[])).toMatchObject([{ severity: "problem", subject: "kernel" }]);
});
