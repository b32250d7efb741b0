import type { ThinListing, ThinTools } from "../devicemapper/thin-tools.ts";
import type { Logger } from "../logger.ts";
import type { ThinPoolDevice } from "./thin-pool-device.ts";

export interface ListingWanted {
  /** With what each maps alone, which takes longer. */
  readonly exclusive?: boolean;
  /** Somebody waits with the pool's turn: listings under way that only take long give way, and begin anew. */
  readonly urgent?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told at the moment that is listed; again when the listing begins anew. */
  readonly onMoment?: () => void;
}

interface Member extends ListingWanted {
  readonly result: PromiseWithResolvers<readonly ThinListing[]>;
}

/**
 * Listings of a pool in use, beside a metadata snapshot. The kernel has one such snapshot at a time: it serves all who
 * want one when it is taken, and who comes later shares the next, so that nobody is told what was before he asked. When
 * none is under way, the moment that is listed is the moment of the call.
 */
export class LiveListing {
  readonly #device: ThinPoolDevice;
  readonly #tools: ThinTools;
  readonly #metadataPath: string;
  readonly #logger: Logger;
  /** Whom the snapshot that is there serves still. */
  readonly #served = new Set<Member>();
  #waiting: Member[] = [];
  #giveWay: AbortController | undefined;

  constructor(device: ThinPoolDevice, tools: ThinTools, metadataPath: string, logger: Logger) {
    this.#device = device;
    this.#tools = tools;
    this.#metadataPath = metadataPath;
    this.#logger = logger;
  }

  list(wanted: ListingWanted = {}): Promise<readonly ThinListing[]> {
    const member = { ...wanted, result: Promise.withResolvers<readonly ThinListing[]>() };
    this.#waiting.push(member);
    if (this.#giveWay === undefined) this.#begin();
    else if (wanted.urgent === true && ![...this.#served].some(({ urgent }) => urgent === true)) this.#giveWay.abort();
    return member.result.promise;
  }

  #begin(): void {
    const members = this.#waiting;
    this.#waiting = [];
    try {
      // The pool is ours alone: a snapshot that is there was left by a dead process.
      if (this.#device.hasMetadataSnapshot()) this.#device.releaseMetadataSnapshot();
      this.#device.reserveMetadataSnapshot();
    } catch (error) {
      for (const { result } of members) result.reject(error);
      return;
    }
    this.#giveWay = new AbortController();
    for (const member of members) {
      this.#served.add(member);
      member.onMoment?.();
    }
    void this.#serve(members, this.#giveWay.signal);
  }

  async #serve(members: readonly Member[], giveWay: AbortSignal): Promise<void> {
    const groups = [false, true].map((exclusive) => members.filter((member) => (member.exclusive ?? false) === exclusive));
    await Promise.all(groups.filter(({ length }) => length > 0).map(async (group) => this.#listFor(group, giveWay)));
    try {
      this.#device.releaseMetadataSnapshot();
    } catch (error) {
      this.#logger.warn("the pool's metadata snapshot could not be released: the next listing releases it", { error });
    }
    this.#giveWay = undefined;
    if (this.#waiting.length > 0) this.#begin();
  }

  /** One program for all who want the same. Ended when nobody waits for it any more, or when it has to give way. */
  async #listFor(group: readonly Member[], giveWay: AbortSignal): Promise<void> {
    const nobody = new AbortController();
    const whenLeft = (): void => {
      if (group.every(({ signal }) => signal?.aborted === true)) nobody.abort();
    };
    for (const { signal } of group) signal?.addEventListener("abort", whenLeft, { once: true });
    whenLeft();
    try {
      const options = { live: true, exclusive: group[0]?.exclusive ?? false };
      const listings = await this.#tools.list(this.#metadataPath, options, AbortSignal.any([nobody.signal, giveWay]));
      for (const { result } of group) result.resolve(listings);
    } catch (error) {
      for (const member of group) {
        if (giveWay.aborted && member.signal?.aborted !== true) this.#waiting.push(member);
        else member.result.reject(error);
      }
    } finally {
      for (const member of group) {
        member.signal?.removeEventListener("abort", whenLeft);
        this.#served.delete(member);
      }
    }
  }
}
