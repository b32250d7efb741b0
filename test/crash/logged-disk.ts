import { mkdirSync } from "node:fs";
import { findBlockDevice } from "../../src/pool/backings/block-device.ts";
import { bytes, bytesToSectors, MiB, sectors, type Bytes } from "../../src/units.ts";
import { isOnLvm } from "../contract/choice.ts";
import { output } from "../harness/program.ts";
import { placeOn, removeLvmDevices, unmountCatalogue } from "./place.ts";
import { dm, POOL, type Place } from "./real-driver.ts";

const PATIENCE_MS = 60_000;

/** A disk that has both a pool's catalogue and its metadata, so that one log of its writes has the order of both. */
export interface LoggedDisk {
  readonly sizeBytes: Bytes;
  /** Lets drivers at it. A new one holds nothing yet. */
  open(path: string, options: { readonly isNew: boolean }): Promise<Place>;
  /** Nothing of it is open when it resolves: what a driver has left open is waited for. */
  close(): Promise<void>;
}

/** `folder` is for mount points, and for what drivers keep elsewhere than on this disk; `data` another disk, for the pool's data. */
export const loggedDisk = (folder: string, data: string): LoggedDisk => (isOnLvm ? new WholeDisk(folder) : new DiskOfTwoParts(folder, data));

/** A pool on two devices: the catalogue is in a filesystem of the one part, the metadata in the other. */
class DiskOfTwoParts implements LoggedDisk {
  readonly #catalogueBytes = bytes(96 * MiB);
  readonly #metadataBytes = bytes(32 * MiB);
  readonly sizeBytes = bytes(this.#catalogueBytes + this.#metadataBytes);
  readonly #mountPoint: string;
  readonly #data: string;

  constructor(folder: string, data: string) {
    this.#mountPoint = `${folder}/catalogue`;
    this.#data = data;
    output("dd", ["if=/dev/zero", `of=${data}`, "bs=1M", "count=1", "status=none"]);
  }

  async open(path: string, { isNew }: { readonly isNew: boolean }): Promise<Place> {
    const below = await numberOf(path);
    const catalogue = addDevice("LOG-CATALOGUE", "linear", this.#catalogueBytes, `${below} 0`);
    const metadata = addDevice("LOG-METADATA", "linear", this.#metadataBytes, `${below} ${bytesToSectors(this.#catalogueBytes)}`);
    if (isNew) output("mkfs.ext4", ["-q", "-F", catalogue]);
    mkdirSync(this.#mountPoint, { recursive: true });
    output("mount", [catalogue, this.#mountPoint]);
    return { state: this.#mountPoint, data: this.#data, metadata };
  }

  async close(): Promise<void> {
    for (const { name, uuid } of dm.list()) if (name === `dmthin-${POOL}-pool`) dm.remove(uuid);
    await finallyDone(() => output("umount", [this.#mountPoint]));
    for (const uuid of ["LOG-CATALOGUE", "LOG-METADATA"]) dm.remove(uuid);
  }
}

/** A pool in a volume group, which has everything but the group's mark. That, on another disk, loses nothing. */
class WholeDisk implements LoggedDisk {
  readonly sizeBytes = bytes(1100 * MiB);
  readonly #state: string;

  constructor(folder: string) {
    this.#state = `${folder}/state`;
  }

  async open(path: string): Promise<Place> {
    mkdirSync(this.#state, { recursive: true });
    return placeOn({ state: this.#state, data: path, metadata: "" });
  }

  async close(): Promise<void> {
    await finallyDone(() => {
      unmountCatalogue(this.#state);
      removeLvmDevices();
      const left = dm.list().filter(({ name }) => name.startsWith(`dmthin--${POOL}-`));
      if (left.length > 0) throw new Error(`still there: ${left.map(({ name }) => name).join(", ")}`);
    });
  }
}

/** Answers its path. */
export function addDevice(uuid: string, type: string, sizeBytes: Bytes, parameters: string): string {
  dm.create(uuid.toLowerCase(), uuid);
  dm.load(uuid, [{ start: sectors(0), length: bytesToSectors(sizeBytes), type, parameters }]);
  dm.resume(uuid);
  return `/dev/dm-${dm.info(uuid)?.minor}`;
}

/** As tables name a device. */
export async function numberOf(path: string): Promise<string> {
  const found = await findBlockDevice(path);
  return `${found?.major}:${found?.minor}`;
}

/** What a driver has left open is closed in a moment: its handle and what LVM still does outlive it. */
async function finallyDone(work: () => void): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
