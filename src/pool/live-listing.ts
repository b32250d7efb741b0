import type { ThinListing, ThinTools } from "../devicemapper/thin-tools.ts";
import type { ThinPoolDevice } from "./thin-pool-device.ts";

/**
 * `thin_ls` on a pool in use, beside a metadata snapshot. The kernel has one such snapshot at a time, so listings follow
 * one another. When none is under way, the moment that is listed is the moment of the call.
 */
export class LiveListing {
  readonly #device: ThinPoolDevice;
  readonly #tools: ThinTools;
  readonly #metadataPath: string;
  #current: Promise<unknown> | undefined;

  constructor(device: ThinPoolDevice, tools: ThinTools, metadataPath: string) {
    this.#device = device;
    this.#tools = tools;
    this.#metadataPath = metadataPath;
  }

  /** `exclusive`: with what each maps alone. */
  async list({ exclusive = false, signal }: { readonly exclusive?: boolean; readonly signal?: AbortSignal } = {}): Promise<readonly ThinListing[]> {
    while (this.#current !== undefined) await this.#current;
    // The pool is ours alone: a snapshot that is there was left by a dead process.
    if (this.#device.hasMetadataSnapshot()) this.#device.releaseMetadataSnapshot();
    this.#device.reserveMetadataSnapshot();
    const listing = this.#tools.list(this.#metadataPath, { live: true, exclusive }, signal).finally(() => {
      this.#current = undefined;
      this.#device.releaseMetadataSnapshot();
    });
    this.#current = listing.catch(() => undefined);
    return listing;
  }
}
