import type { ApiObject } from "../objects/meta.ts";
import type { Listing, WatchEvent } from "./objects-api.ts";
import { isNewer } from "./versions.ts";

/**
 * What is known of some objects, by what lists, watches and answers tell, in whatever order: never an older state over a
 * newer one, and an object that is gone does not come back.
 */
export class Known<Item extends ApiObject> {
  readonly #items = new Map<string, Item>();
  readonly #onChange: (name: string, item: Item | undefined) => void;
  /** Up to here all is told: what an answer says of then or earlier is known, or has been overtaken. */
  #version: string | undefined;

  constructor(onChange: (name: string, item: Item | undefined) => void) {
    this.#onChange = onChange;
  }

  get items(): ReadonlyMap<string, Item> {
    return this.#items;
  }

  /** From where a watch goes on; "0" before the first list. */
  get version(): string {
    return this.#version ?? "0";
  }

  /** A list tells what is gone, too. What could not be read stays as it was. */
  replace({ items, resourceVersion, unreadable = [] }: Listing<Item>): void {
    // One from before what is known is of another time: etcd was restored, and what it says is what there is.
    const isRestored = resourceVersion !== this.#version && !isNewer(resourceVersion, this.#version);
    this.#version = resourceVersion;
    const there = new Set([...items.map(({ metadata: { name } }) => name), ...unreadable]);
    for (const [name, item] of Array.from(this.#items)) {
      if (!there.has(name) && (isRestored || !isNewer(item.metadata.resourceVersion, resourceVersion))) this.#remove(name);
    }
    for (const item of items) this.#put(item, isRestored);
  }

  apply(event: WatchEvent<Item>): void {
    if (event.type === "BOOKMARK") return this.#advance(event.resourceVersion);
    const { name, uid, resourceVersion } = event.object.metadata;
    this.#advance(resourceVersion);
    if (event.type !== "DELETED") return this.#put(event.object);
    const known = this.#items.get(name)?.metadata;
    if (known !== undefined && (known.uid === uid || !isNewer(known.resourceVersion, resourceVersion))) this.#remove(name);
  }

  note(item: Item): void {
    if (isNewer(item.metadata.resourceVersion, this.#version)) this.#put(item);
  }

  #advance(version: string): void {
    if (isNewer(version, this.#version)) this.#version = version;
  }

  #put(item: Item, evenIfOlder = false): void {
    const { name, uid, resourceVersion } = item.metadata;
    const known = this.#items.get(name)?.metadata;
    if (known !== undefined && !evenIfOlder && !isNewer(resourceVersion, known.resourceVersion)) return;
    if (known !== undefined && known.uid !== uid) this.#remove(name); // the other one's end was not told
    this.#items.set(name, item);
    this.#onChange(name, item);
  }

  #remove(name: string): void {
    this.#items.delete(name);
    this.#onChange(name, undefined);
  }
}
