import { DmthinError } from "../../errors.ts";
import type { ClaimWanted } from "../../volumes/volumes.ts";
import type { ApiObject } from "../objects/meta.ts";

/** Claims are only asked for live, one at a time: a cluster may have any number of them. */
export interface Claims {
  get(namespace: string, name: string, signal?: AbortSignal): Promise<ApiObject | undefined>;
}

export interface FoundClaim extends ClaimWanted {
  readonly uid: string;
  /** Where the scheduler wants its pod; undefined of classes that bind at once. */
  readonly selectedNode: string | undefined;
}

/** Source: k8s.io/component-helpers/storage/volume, AnnSelectedNode. */
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** The provisioner names volumes after their claims' uids, behind a prefix. Source: external-provisioner, makeVolumeName. */
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The claim that a new volume is for, read live: a provisioner may repeat what its claim no longer wants, and a volume
 * made for nobody is deleted by nobody. Throws "claim-gone", also for another claim of that name.
 */
export async function requireClaim(claims: Claims, { namespace, name }: ClaimWanted, volumeName: string, signal: AbortSignal): Promise<FoundClaim> {
  const claim = await claims.get(namespace, name, signal);
  const [uidWanted] = UID.exec(volumeName) ?? [];
  if (claim === undefined || (uidWanted !== undefined && claim.metadata.uid !== uidWanted)) throw new DmthinError({ code: "claim-gone", namespace, name });
  return { namespace, name, uid: claim.metadata.uid, selectedNode: claim.metadata.annotations[SELECTED_NODE] };
}
