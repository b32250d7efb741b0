import type * as z from "zod";
import { GROUP, VERSION, type ApiObject } from "./meta.ts";
import { nodeThinPool } from "./node-thin-pool.ts";
import { thinPool } from "./thin-pool.ts";
import { thinSnapshotGroup } from "./thin-snapshot-group.ts";
import { thinSnapshot } from "./thin-snapshot.ts";
import { thinVolume } from "./thin-volume.ts";

/** A kind of object, as requests name it and as their answers are read. */
export interface Kind<Item extends ApiObject> {
  /** Such as "dmthin.io/v1alpha1", or "v1" of the core. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly schema: z.ZodType<Item>;
}

const kind = <Item extends ApiObject>(name: string, plural: string, schema: z.ZodType<Item>): Kind<Item> => ({
  apiVersion: `${GROUP}/${VERSION}`,
  kind: name,
  plural,
  schema,
});

export const THIN_POOL = kind("ThinPool", "thinpools", thinPool);
export const NODE_THIN_POOL = kind("NodeThinPool", "nodethinpools", nodeThinPool);
export const THIN_VOLUME = kind("ThinVolume", "thinvolumes", thinVolume);
export const THIN_SNAPSHOT = kind("ThinSnapshot", "thinsnapshots", thinSnapshot);
export const THIN_SNAPSHOT_GROUP = kind("ThinSnapshotGroup", "thinsnapshotgroups", thinSnapshotGroup);
