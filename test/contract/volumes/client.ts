import type { AccessMode, Capability } from "../../../src/catalog/records.ts";
import type { FilesystemType } from "../../../src/filesystem/filesystems.ts";
import { MiB } from "../../../src/units.ts";
import type { Call, Snapshot, Volume, VolumeWanted } from "../../../src/volumes/volumes.ts";
import type { World } from "./world.ts";

export type Kind = FilesystemType | "block";

/** Large enough for every filesystem. */
export const SIZE = 320 * MiB;

export interface CreateOptions {
  readonly kind?: Kind;
  readonly size?: number | bigint;
  readonly limit?: bigint;
  readonly origin?: VolumeWanted["origin"];
  readonly mode?: AccessMode;
  readonly mkfsOptions?: readonly string[];
  readonly discardOnDelete?: boolean;
}

/** Where a volume is used. */
export interface Use {
  readonly id: string;
  readonly stagingPath: string;
  readonly path: string;
  readonly kind: Kind;
}

export const capability = (kind: Kind, mode: AccessMode = "SINGLE_NODE_WRITER"): Capability => ({
  access: kind === "block" ? "block" : "mount",
  filesystem: kind === "block" ? undefined : kind,
  mountFlags: [],
  mode,
});

let requests = 0;
export const call = (): Call => ({ signal: AbortSignal.timeout(120_000), deadline: undefined, requestId: `request-${++requests}` });

export const fromVolume = (id: string): VolumeWanted["origin"] => ({ kind: "volume", id });
export const fromSnapshot = (id: string): VolumeWanted["origin"] => ({ kind: "snapshot", id });

/** What a container orchestrator asks, in few words. */
export class Client {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  wanted(name: string, options: CreateOptions = {}): VolumeWanted {
    const { kind = "ext4", size = SIZE, limit, origin = { kind: "blank" }, mode, mkfsOptions = [], discardOnDelete } = options;
    return {
      name,
      size: { requiredBytes: BigInt(size), limitBytes: limit },
      capabilities: [capability(kind, mode)],
      parameters: {
        pool: undefined,
        filesystem: undefined,
        mkfsOptions,
        mutable: discardOnDelete === undefined ? {} : { discardOnDelete },
      },
      origin,
      topology: undefined,
    };
  }

  async create(name: string, options: CreateOptions = {}): Promise<Volume> {
    return this.#world.volumes.create(this.wanted(name, options), call());
  }

  async snapshot(name: string, sourceVolumeId: string): Promise<Snapshot> {
    return this.#world.volumes.createSnapshot({ name, sourceVolumeId }, call());
  }

  async delete(id: string): Promise<void> {
    await this.#world.volumes.delete(id, call());
  }

  /** Where the volume goes; nothing is done yet. */
  use(id: string, kind: Kind = "ext4", pod = "pod"): Use {
    const stagingPath = this.#world.directory(`staging-${id}`);
    return { id, stagingPath, path: this.#world.path(`${pod}-${id}`), kind };
  }

  async stage({ id, stagingPath: path, kind }: Use, mode?: AccessMode): Promise<void> {
    await this.#world.volumes.stage({ id, path, capability: capability(kind, mode) }, call());
  }

  async publish({ id, stagingPath, path, kind }: Use, options: { readonly readOnly?: boolean; readonly mode?: AccessMode } = {}): Promise<void> {
    const { readOnly = false, mode } = options;
    await this.#world.volumes.publish({ id, stagingPath, path, capability: capability(kind, mode), readOnly }, call());
  }

  async unpublish({ id, path }: Use): Promise<void> {
    await this.#world.volumes.unpublish(id, path, call());
  }

  async unstage({ id, stagingPath }: Use): Promise<void> {
    await this.#world.volumes.unstage(id, stagingPath, call());
  }

  /** Stages and publishes. */
  async mount(id: string, kind: Kind = "ext4"): Promise<Use> {
    const use = this.use(id, kind);
    await this.stage(use);
    await this.publish(use);
    return use;
  }

  async unmount(use: Use): Promise<void> {
    await this.unpublish(use);
    await this.unstage(use);
  }

  /** Writes a file to a volume that nobody uses. */
  async put(id: string, kind: Kind, file: string, content: string): Promise<void> {
    const use = await this.mount(id, kind);
    await this.#world.writeFile(`${use.path}/${file}`, content);
    await this.unmount(use);
  }

  /** Reads a file from a volume that nobody uses. */
  async get(id: string, kind: Kind, file: string): Promise<string> {
    const use = await this.mount(id, kind);
    const content = await this.#world.readFile(`${use.path}/${file}`);
    await this.unmount(use);
    return content.toString();
  }
}
