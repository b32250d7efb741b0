import { constants } from "node:fs";
import { access, readFile, realpath } from "node:fs/promises";
import { release } from "node:os";
import { KernelDeviceMapper } from "../devicemapper/kernel.ts";
import type { DeviceMapperVersions } from "../devicemapper/device-mapper.ts";
import { PATH } from "../exec/environment.ts";
import { run } from "../exec/run.ts";

/** What a machine tells of itself: everything that the checks look at, so that they can be shown any machine. */
export interface Host {
  readonly isRoot: boolean;
  readonly kernelRelease: string;
  /** Node's name for it: "x64", "arm64". */
  readonly architecture: string;
  /** undefined: there is no such file, or it may not be read. */
  read(path: string): Promise<string | undefined>;
  exists(path: string): Promise<boolean>;
  /** Where a program is, as those are looked for that the driver runs. */
  find(program: string): Promise<string | undefined>;
  /** The first line that a program writes of its version; undefined where it does not run. */
  version(argv: readonly string[]): Promise<string | undefined>;
  /** Rejects where the kernel has no device-mapper, or does not let us ask. */
  deviceMapper(): Promise<DeviceMapperVersions>;
}

const DEADLINE_MS = 10_000;

export const thisHost = (): Host => ({
  isRoot: process.getuid?.() === 0,
  kernelRelease: release(),
  architecture: process.arch,
  read: async (path) => readFile(path, "utf8").catch(() => undefined),
  exists: async (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  find,
  version: async (argv) => {
    const ended = await run(argv, { deadlineMs: DEADLINE_MS }).catch(() => undefined);
    return ended === undefined
      ? undefined
      : `${ended.stdout}\n${ended.stderr}`
          .split("\n")
          .find((line) => line.trim() !== "")
          ?.trim();
  },
  deviceMapper: async () => {
    const dm = new KernelDeviceMapper();
    try {
      return dm.versions();
    } finally {
      dm.close();
    }
  },
});

async function find(program: string): Promise<string | undefined> {
  for (const folder of PATH.split(":")) {
    const path = await realpath(`${folder}/${program}`).catch(() => undefined);
    if (path !== undefined && (await isExecutable(path))) return path;
  }
  return undefined;
}

const isExecutable = async (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
