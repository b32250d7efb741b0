import { dirname, join } from "node:path";
import { checkout, nodeBinary } from "./checkout.ts";
import { deviceNames } from "./disk.ts";
import type { GuestOptions } from "./guest.ts";
import type { Machine } from "./machine.ts";
import { assignments, commandScript } from "./script.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The first descriptor of a disk; those below are the guest's lines. */
const FIRST_DISK = 6;

/**
 * The command that boots a guest, for a child with these descriptors: 0 the terminal's input, 1 and 2 the kernel's
 * messages, 3 stdout, 4 stderr, 5 what the guest's init says, then the disks. Everything that it starts or mounts lives
 * in namespaces that end with their first process, and that ends with us.
 */
export function bootCommand({ memory = "2G", disks = [], terminal, tap }: GuestOptions): readonly string[] {
  const namespaces = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"];
  const consoles = ["con=null", "con0=null,fd:1"];
  const lines = ["ssl=null", `ssl0=${terminal ? "fd:0" : "null"},fd:3`, "ssl1=null,fd:4", "ssl2=null,fd:5"];
  const images = deviceNames(disks).map((name, index) => `${name}=/proc/self/fd/${FIRST_DISK + index}`);
  const network = tap === undefined ? [] : [`vec0:transport=tap,ifname=${tap},depth=64,gro=1`];
  return [...namespaces, "sh", join(import.meta.dirname, "guest/enter.sh"), `mem=${memory}`, ...consoles, ...lines, ...images, ...network];
}

/** What guest/enter.sh and guest/init.sh read. */
export function bootEnvironment(options: GuestOptions, machine: Machine): Readonly<Record<string, string>> {
  const { command, environment, disks = [], terminal, udev = false, silenceSeconds } = options;
  return {
    PATH,
    LC_ALL: "C",
    LAB_KERNEL_TREE: machine.kernel,
    LAB_USERLAND: machine.userland,
    LAB_MOUNT: machine.mountPoint,
    LAB_CHECKOUT: checkout,
    LAB_CACHE: machine.cache,
    LAB_INIT: join(import.meta.dirname, "guest/init.sh"),
    LAB_SETTINGS: assignments({
      LAB_CHECKOUT: checkout,
      LAB_CACHE: machine.cache,
      LAB_UDEV: udev ? "yes" : "no",
      LAB_SILENCE: silenceSeconds === undefined ? "" : String(silenceSeconds),
      LAB_TERMINAL: terminal ? `${terminal.rows} ${terminal.columns}` : "",
    }),
    LAB_COMMAND: commandScript(command, checkout, {
      PATH: `${dirname(nodeBinary)}:${PATH}`,
      LAB_KERNEL: "real",
      LAB_GUEST: "yes", // never elsewhere: tests take down what they find
      LAB_PROGRESS: "/run/lab/progress",
      LAB_DISKS: deviceNames(disks)
        .map((name) => `/dev/${name}`)
        .join(" "),
      ...environment,
    }),
  };
}
