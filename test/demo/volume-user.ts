import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DriverClient } from "../harness/driver-client.ts";

const ACCESS = { access_mode: { mode: "SINGLE_NODE_WRITER" } };
const FILESYSTEM = { mount: { fs_type: "ext4" }, ...ACCESS };
export const BLOCK = { block: {}, ...ACCESS };
type Caller = Pick<DriverClient, "call">;
const TOPOLOGY = { requisite: [], preferred: [] };

/** What an orchestrator does with a driver's volumes: the calls in their order, with paths as a kubelet would choose them. */
export class VolumeUser {
  readonly #client: Caller;
  readonly #folder: string;
  readonly capability: Readonly<Record<string, unknown>>;

  constructor(client: Caller, folder: string, capability: VolumeUser["capability"] = FILESYSTEM) {
    this.#client = client;
    this.#folder = folder;
    this.capability = capability;
  }

  /** @returns the volume's id */
  async create(name: string, bytes: number, source?: { readonly snapshot: string } | { readonly volume: string }): Promise<string> {
    const { volume } = (await this.#client.call("CreateVolume", {
      name,
      capacity_range: { required_bytes: bytes },
      volume_capabilities: [this.capability],
      accessibility_requirements: TOPOLOGY,
      ...(source === undefined ? {} : { volume_content_source: contentSource(source) }),
    })) as { readonly volume: { readonly volume_id: string } };
    return volume.volume_id;
  }

  /** @returns the snapshot's id */
  async snapshot(name: string, volumeId: string): Promise<string> {
    const { snapshot } = (await this.#client.call("CreateSnapshot", { name, source_volume_id: volumeId })) as {
      readonly snapshot: { readonly snapshot_id: string };
    };
    return snapshot.snapshot_id;
  }

  async stage(volumeId: string): Promise<void> {
    const staging = this.#staging(volumeId);
    mkdirSync(staging, { recursive: true });
    await this.#client.call("NodeStageVolume", { volume_id: volumeId, staging_target_path: staging, volume_capability: this.capability });
  }

  /** @returns the path at which the volume's files are */
  async publish(volumeId: string): Promise<string> {
    const target = this.target(volumeId);
    mkdirSync(join(this.#folder, "pods"), { recursive: true });
    await this.#client.call("NodePublishVolume", {
      volume_id: volumeId,
      staging_target_path: this.#staging(volumeId),
      target_path: target,
      volume_capability: this.capability,
    });
    return target;
  }

  async expand(volumeId: string, bytes: number): Promise<void> {
    await this.#client.call("ControllerExpandVolume", { volume_id: volumeId, capacity_range: { required_bytes: bytes } });
    await this.#client.call("NodeExpandVolume", { volume_id: volumeId, volume_path: this.target(volumeId), capacity_range: { required_bytes: bytes } });
  }

  async release(volumeId: string): Promise<void> {
    await this.#client.call("NodeUnpublishVolume", { volume_id: volumeId, target_path: this.target(volumeId) });
    await this.#client.call("NodeUnstageVolume", { volume_id: volumeId, staging_target_path: this.#staging(volumeId) });
  }

  async delete(volumeId: string): Promise<void> {
    await this.#client.call("DeleteVolume", { volume_id: volumeId });
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    await this.#client.call("DeleteSnapshot", { snapshot_id: snapshotId });
  }

  target(volumeId: string): string {
    return join(this.#folder, "pods", volumeId);
  }

  #staging(volumeId: string): string {
    return join(this.#folder, "staging", volumeId);
  }
}

const contentSource = (source: { readonly snapshot: string } | { readonly volume: string }) =>
  "snapshot" in source ? { snapshot: { snapshot_id: source.snapshot } } : { volume: { volume_id: source.volume } };
