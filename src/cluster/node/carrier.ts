import type { DmthinError } from "../../errors.ts";
import type { PoolView } from "../../pool/pool.ts";
import type { Call, Volumes } from "../../volumes/volumes.ts";
import type { Held } from "./decide.ts";
import type { PlacedObject } from "../objects/placed-object.ts";

/** How the objects of one kind are carried out. `volumes` are those of the object's pool alone. */
export interface Carrier<Item extends PlacedObject> {
  /** For the log, such as "ThinVolume". */
  readonly kind: string;
  /** Whether its status tells how its pool is. */
  readonly tellsPoolHealth: boolean;
  /** In words: what in the object cannot be carried out, whatever the pool says. */
  problems(item: Item): readonly string[];
  held(view: PoolView, item: Item): Held;
  /** "already-exists" when what the catalogue has under its name is not what it asks for. Of an object without problems. */
  taken(view: PoolView, item: Item): DmthinError | undefined;
  /** Makes it, or finds what an interrupted attempt has made. */
  make(volumes: Volumes, item: Item, view: PoolView, call: Call): Promise<void>;
  /** Repeated, finds it done. */
  change(volumes: Volumes, item: Item, call: Call): Promise<void>;
  remove(volumes: Volumes, item: Item, view: PoolView, call: Call): Promise<void>;
  /** The part of the status that the catalogue tells; undefined when it does not have it. */
  facts(view: PoolView, item: Item): Readonly<Record<string, unknown>> | undefined;
  /** Why what the catalogue has is not to be had all the same, in words. */
  damage(view: PoolView, item: Item): string | undefined;
}
