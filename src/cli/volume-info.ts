/** What a running driver tells of volumes and snapshots: proto/admin.proto's VolumesResponse. Sizes in bytes. */
export interface VolumesInfo {
  readonly volumes: readonly VolumeInfo[];
  /** The pools that could not be measured anew in time. */
  readonly notMeasured: readonly string[];
}

export interface VolumeInfo {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly kind: "VOLUME" | "SNAPSHOT";
  readonly virtualBytes: number;
  /** undefined while not known. */
  readonly mappedBytes: number | undefined;
  /** Shared with no other: what its deletion gives back. */
  readonly exclusiveBytes: number | undefined;
  /** Empty for a blank one, as is each of the following where there is none. */
  readonly origin: string;
  readonly group: string;
  readonly filesystem: string;
  readonly filesystemState: string;
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly stagedPath: string;
  readonly publishedPaths: readonly string[];
  readonly deleting: boolean;
  readonly deletionDelay: string;
}
