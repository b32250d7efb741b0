import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { openSid } from "./debian-sid.ts";

const PACKAGE = "user-mode-linux";

/** Where the guest's kernel comes from. */
export interface KernelSource extends AsyncDisposable {
  /** The package's newest version. */
  readonly version: string;
  /** Unpacks the package into a folder, with `/lib/modules` in place. */
  unpackInto(folder: string): Promise<void>;
}

/** Looks up the newest kernel package in Debian sid; needs the network. */
export async function openKernelSource(userland: string): Promise<KernelSource> {
  const sid = await openSid(userland);
  try {
    const version = await sid.field(PACKAGE, "Version");
    if (version === undefined) throw new Error(`Debian sid has no ${PACKAGE} for this machine`);
    return {
      version,
      unpackInto: async (target) => {
        await sid.unpack(PACKAGE, target);
        await linkModules(target);
      },
      [Symbol.asyncDispose]: async () => sid[Symbol.asyncDispose](),
    };
  } catch (error) {
    await sid[Symbol.asyncDispose]();
    throw error;
  }
}

/** The package keeps its modules under /usr/lib/uml; modprobe looks in /lib/modules. */
async function linkModules(target: string): Promise<void> {
  const [version] = await readdir(join(target, "usr/lib/uml/modules"));
  if (version === undefined) throw new Error(`${PACKAGE} brought no modules`);
  await mkdir(join(target, "usr/lib/modules"), { recursive: true });
  await symlink(`/usr/lib/uml/modules/${version}`, join(target, "usr/lib/modules", version));
}
