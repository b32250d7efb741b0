import { THIN_VOLUME } from "../objects/kinds.ts";
import { GROUP, isObjectName, VERSION } from "../objects/meta.ts";
import { exactQuantity } from "../../units.ts";
import { nodeLabel } from "../../volumes/node-label.ts";
import type { Volume } from "../../volumes/volumes.ts";

/** Of a class that there is none of: no claim but the one that names the volume gets it. */
const CLASS = "dmthin-by-hand";

/** As CSI knows this driver, and where its volumes can be reached. */
export interface DriverNames {
  readonly driver: string;
  readonly topologyKey: string;
}

/**
 * What an administrator gives to the API server for a volume that a node has and the cluster has no object of: its ThinVolume,
 * which asks for just what is there, so that the node takes it for it; a PersistentVolume, whose volume is kept when its
 * claim goes; and that claim. A node makes no ThinVolumes: its account may not, and who is to have the data is not its to say.
 */
export function manifestsOf(volume: Volume, { driver, topologyKey }: DriverNames): readonly object[] {
  const { record, node } = volume;
  const { id, name, sizeBytes, filesystem } = record;
  const storage = exactQuantity(sizeBytes);
  const common = { storageClassName: CLASS, accessModes: ["ReadWriteOnce"], volumeMode: filesystem.type === undefined ? "Block" : "Filesystem" };
  const matchExpressions = [{ key: topologyKey, operator: "In", values: [nodeLabel(node)] }];
  return [
    thinVolumeOf(volume),
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: id, annotations: { "pv.kubernetes.io/provisioned-by": driver } },
      spec: {
        ...common,
        capacity: { storage },
        persistentVolumeReclaimPolicy: "Retain",
        csi: { driver, volumeHandle: id, ...(filesystem.type === undefined ? {} : { fsType: filesystem.type }) },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
      },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: isObjectName(name) ? name : id },
      spec: { ...common, volumeName: id, resources: { requests: { storage } } },
    },
  ];
}

/** Asks for just what is there. */
export function thinVolumeOf({ record, pool, node }: Volume): object {
  const { id, name, sizeBytes, filesystem, capabilities, origin, mkfsOptions } = record;
  const spec = {
    name,
    nodeName: node,
    poolName: pool,
    requiredBytes: sizeBytes,
    ...(origin.kind === "blank" ? {} : { source: origin }),
    capabilities: capabilities.map(({ access, filesystem: type, mountFlags, mode }) => ({
      access,
      ...(type === undefined ? {} : { filesystem: type }),
      mountFlags,
      mode,
    })),
    ...(filesystem.type === undefined ? {} : { filesystem: filesystem.type }),
    ...(mkfsOptions.length === 0 ? {} : { mkfsOptions }),
  };
  return { apiVersion: `${GROUP}/${VERSION}`, kind: THIN_VOLUME.kind, metadata: { name: id }, spec };
}
