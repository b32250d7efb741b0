import { packageOf, PROGRAMS } from "../exec/programs.ts";
import { isOlder, parseKernelRelease, type KernelVersion } from "../filesystem/kernel-features.ts";
import { FILESYSTEM_TYPES } from "../filesystem/filesystems.ts";
import { isShared } from "../filesystem/mountinfo.ts";
import type { Finding } from "../offline/report.ts";
import { HOST_RULES } from "../pool/backings/host-udev.ts";
import type { Host } from "./host.ts";

/** The oldest kernel that this is tested and meant for. */
const OLDEST: KernelVersion = [5, 15];
const ARCHITECTURES: readonly string[] = ["x64", "arm64"];
/** What the driver cannot do without; the others belong to one filesystem, or to one way of backing a pool. */
const ESSENTIAL: ReadonlySet<string> = new Set(["blkid", "mount", "umount", "losetup", "thin_check", "thin_ls", "thin_repair"]);
const KUBELET = "/var/lib/kubelet";

export type Check = (host: Host) => Promise<readonly Finding[]>;

const ok = (subject: string, text: string): Finding => ({ severity: "ok", subject, text });
const warning = (subject: string, text: string, remedy: string): Finding => ({ severity: "warning", subject, text, remedy });
const problem = (subject: string, text: string, remedy: string): Finding => ({ severity: "problem", subject, text, remedy });

const checkRoot: Check = async ({ isRoot }) =>
  isRoot ? [ok("user", "root")] : [problem("user", "not root, so that most of what follows cannot be looked at", "run this with sudo")];

const checkKernel: Check = async ({ kernelRelease, architecture }) => {
  const text = `Linux ${kernelRelease} on ${architecture}`;
  if (isOlder(parseKernelRelease(kernelRelease), OLDEST))
    return [problem("kernel", `${text}: older than ${OLDEST.join(".")}`, `run Linux ${OLDEST.join(".")} or newer`)];
  if (!ARCHITECTURES.includes(architecture)) return [problem("kernel", text, "run it on x86-64 or arm64")];
  return [ok("kernel", text)];
};

const checkDeviceMapper: Check = async (host) => {
  const subject = "device-mapper";
  const found = await host.deviceMapper().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  if (found instanceof Error)
    return [problem(subject, `it does not answer: ${found.message}`, "modprobe dm-mod; in a container, run it privileged and with the host's /dev")];
  const findings = [ok(subject, `its interface is ${found.interface}`)];
  for (const target of ["thin-pool", "thin"]) {
    const version = found.targets.get(target);
    findings.push(
      version === undefined
        ? problem(
            subject,
            `the kernel has no target ${target}`,
            "modprobe dm-thin-pool, and let it be loaded at boot: echo dm-thin-pool > /etc/modules-load.d/dmthin.conf",
          )
        : ok(subject, `target ${target} ${version}`),
    );
  }
  const timeout = (await host.read("/sys/module/dm_thin_pool/parameters/no_space_timeout"))?.trim();
  if (timeout === "0")
    findings.push(
      warning(subject, "writes to a full pool wait for ever (no_space_timeout is 0)", "echo 60 > /sys/module/dm_thin_pool/parameters/no_space_timeout"),
    );
  return findings;
};

const checkFilesystems: Check = async (host) => {
  const known = (await host.read("/proc/filesystems")) ?? "";
  return FILESYSTEM_TYPES.map((type) =>
    new RegExp(`^\\s*${type}$`, "m").test(known)
      ? ok("filesystems", `the kernel mounts ${type}`)
      : warning("filesystems", `the kernel does not know ${type}, or has not loaded it yet`, `modprobe ${type}, if volumes are to have it`),
  );
};

const checkPrograms: Check = async (host) => {
  const places = await Promise.all(PROGRAMS.map(async (program) => ({ program, path: await host.find(program) })));
  const missing = places.filter(({ path }) => path === undefined).map(({ program }) => program);
  const findings = missing.map((program) => {
    const install = `install the package ${packageOf(program)}`;
    return ESSENTIAL.has(program)
      ? problem("programs", `${program} is missing`, install)
      : warning("programs", `${program} is missing`, `${install}, if it is to be used`);
  });
  const [thinTools, lvm] = await Promise.all([host.version(["thin_check", "--version"]), host.version(["lvm", "version"])]);
  if (thinTools !== undefined) findings.push(ok("programs", thinTools.replace(/^(thin_check )?/, "thin-provisioning-tools ")));
  if (lvm !== undefined) findings.push(ok("programs", lvm.replace(/^LVM version:\s*/, "LVM ")));
  return missing.length === 0 ? [ok("programs", `all ${PROGRAMS.length} are there`), ...findings] : findings;
};

const checkUdev: Check = async (host) => {
  if (!(await host.exists("/run/udev/control"))) return [ok("udev", "no udevd runs here, or its /run/udev is not shared: nothing looks into volumes")];
  if (await host.exists(HOST_RULES)) return [ok("udev", `udevd runs, and ${HOST_RULES} keeps it away from what is in volumes`)];
  return [
    warning(
      "udev",
      `udevd runs, and without ${HOST_RULES} it looks into what users write to their volumes`,
      "start the driver, which writes it; in a container, share the host's /run/udev",
    ),
  ];
};

const checkLoop: Check = async (host) =>
  (await host.exists("/dev/loop-control"))
    ? [ok("loop", "loop devices are made as they are needed")]
    : [warning("loop", "there is no /dev/loop-control", "modprobe loop, if a pool is to be in files; in a container, share the host's /dev")];

const checkLvm: Check = async (host) => {
  const findings: Finding[] = [];
  if (await host.exists("/run/lvm/lvmpolld.socket")) findings.push(ok("LVM", "the host uses LVM itself"));
  findings.push(
    (await host.exists("/run/lock/lvm"))
      ? ok("LVM", "its locks are in /run/lock/lvm: all who change volume groups here see each other")
      : warning(
          "LVM",
          "there is no /run/lock/lvm yet",
          "nothing on a host; in a container, share the host's /run/lock/lvm, or LVM there and here may destroy each other's metadata",
        ),
  );
  return findings;
};

const checkPropagation: Check = async (host) => {
  const subject = "mount propagation";
  const mounts = await host.read("/proc/self/mountinfo");
  if (mounts === undefined) return [warning(subject, "the mounts of this process cannot be read", "run this with sudo")];
  const place = (await host.exists(KUBELET)) ? KUBELET : "/";
  return isShared(mounts, place)
    ? [ok(subject, `${place} is shared: what is mounted there is seen by others`)]
    : [
        warning(
          subject,
          `${place} is private: what is mounted there is seen by nobody else`,
          `mount --make-rshared ${place}; in Kubernetes, mountPropagation: Bidirectional. Without containers it does not matter`,
        ),
      ];
};

/** Above this share of the last ten seconds in which something waited for a disk, in percent, catalogues and pools are slow. */
const BUSY_PERCENT = 40;

const checkIo: Check = async (host) => {
  const pressure = await host.read("/proc/pressure/io");
  const share = Number(/^some avg10=([\d.]+)/m.exec(pressure ?? "")?.[1]);
  if (pressure === undefined || Number.isNaN(share)) return [ok("io", "the kernel does not tell how busy the disks are (no pressure stall information)")];
  if (share < BUSY_PERCENT) return [ok("io", `in ${share} % of the last ten seconds something waited for a disk`)];
  return [
    warning(
      "io",
      `in ${share} % of the last ten seconds something waited for a disk`,
      "see which with iostat -x 1; a catalogue on a disk of its own keeps volumes quick",
    ),
  ];
};

/** In the order in which one would look. */
export const CHECKS: readonly Check[] = [
  checkRoot,
  checkKernel,
  checkDeviceMapper,
  checkPrograms,
  checkFilesystems,
  checkLoop,
  checkLvm,
  checkUdev,
  checkPropagation,
  checkIo,
];

export async function examineHost(host: Host): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const check of CHECKS) findings.push(...(await check(host)));
  return findings;
}
