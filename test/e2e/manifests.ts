import { BUSYBOX } from "../lab/cluster/images.ts";

export const DRIVER = "csi.dmthin.io";
export const TOPOLOGY_KEY = "topology.dmthin.io/node";
/** Where a pod of these has its volume. */
export const DATA = "/data";
/** Where a pod has its block volume. */
export const DEVICE = "/dev/volume";

export interface ClaimOptions {
  readonly size?: string;
  readonly storageClass?: string;
  readonly block?: boolean;
  readonly accessMode?: "ReadWriteOnce" | "ReadWriteOncePod";
  readonly source?: { readonly kind: "VolumeSnapshot" | "PersistentVolumeClaim"; readonly name: string };
  readonly labels?: Readonly<Record<string, string>>;
  readonly attributesClass?: string;
}

export function claim(name: string, options: ClaimOptions = {}): object {
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, labels: options.labels ?? {} }, spec: claimSpec(options) };
}

export function claimSpec({
  size = "64Mi",
  storageClass = "dmthin",
  block = false,
  accessMode = "ReadWriteOnce",
  source,
  attributesClass,
}: ClaimOptions): object {
  const group = source?.kind === "VolumeSnapshot" ? { apiGroup: "snapshot.storage.k8s.io" } : {};
  return {
    accessModes: [accessMode],
    storageClassName: storageClass,
    volumeMode: block ? "Block" : "Filesystem",
    resources: { requests: { storage: size } },
    ...(source === undefined ? {} : { dataSource: { ...group, ...source } }),
    ...(attributesClass === undefined ? {} : { volumeAttributesClassName: attributesClass }),
  };
}

export interface PodOptions {
  /** The claims, in order; a pod has the first at `DATA`, or `DEVICE`, and further ones at those with a number behind. */
  readonly claims?: readonly string[];
  readonly block?: boolean;
  readonly readOnly?: boolean;
  readonly node?: string;
  readonly spec?: object;
  readonly volumes?: readonly object[];
}

/** A pod that stays until it is deleted, and then goes at once. */
export function pod(name: string, options: PodOptions = {}): object {
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: podSpec(options) };
}

export function podSpec({ claims = [], block = false, readOnly = false, node, spec = {}, volumes = [] }: PodOptions): object {
  const named = claims.map((claimName, index) => ({ name: `claim-${index}`, persistentVolumeClaim: { claimName, readOnly } }));
  const all: readonly { readonly name: string }[] = [...named, ...(volumes as readonly { readonly name: string }[])];
  return {
    terminationGracePeriodSeconds: 1,
    ...(node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } }),
    containers: [
      {
        name: "main",
        image: BUSYBOX,
        command: ["sh", "-c", "trap exit TERM; while true; do sleep 1; done"],
        ...(block
          ? { volumeDevices: all.map(({ name }, index) => ({ name, devicePath: `${DEVICE}${suffix(index)}` })) }
          : { volumeMounts: all.map(({ name }, index) => ({ name, mountPath: `${DATA}${suffix(index)}` })) }),
      },
    ],
    volumes: all,
    ...spec,
  };
}

const suffix = (index: number): string => (index === 0 ? "" : String(index));

export function snapshot(name: string, claimName: string, labels: Readonly<Record<string, string>> = {}): object {
  return {
    apiVersion: "snapshot.storage.k8s.io/v1",
    kind: "VolumeSnapshot",
    metadata: { name, labels },
    spec: { volumeSnapshotClassName: "dmthin", source: { persistentVolumeClaimName: claimName } },
  };
}

export function groupSnapshot(name: string, matchLabels: Readonly<Record<string, string>>): object {
  return {
    apiVersion: "groupsnapshot.storage.k8s.io/v1",
    kind: "VolumeGroupSnapshot",
    metadata: { name },
    spec: { volumeGroupSnapshotClassName: "dmthin", source: { selector: { matchLabels } } },
  };
}
