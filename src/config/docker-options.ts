import { type Read, dockerBoolean, dockerPercentage, dockerSize } from "./docker-values.ts";
import type { BackingKind } from "./pool-description.ts";
import { quote } from "./wording.ts";

/**
 * The options of Docker's devicemapper storage driver, as another spelling of a pool's description. The table of
 * docs/migration-from-docker.md says the same for people, and a test compares the two.
 * Source: NewDeviceSet in daemon/graphdriver/devmapper/deviceset.go of moby.
 */
export interface DockerOption {
  /** What Docker took when it was not given; "" where that was nothing. */
  readonly dockerDefault: string;
  /** The option it is now, in a pool; undefined: none. */
  readonly becomes: string | undefined;
  /** Only for pools on this. */
  readonly backing?: BackingKind;
  readonly read: (value: string) => Read | Refusal | Already;
}

/** It makes no sense here: why, and what to use. */
export interface Refusal {
  readonly refused: string;
}
/** It is so here anyway. */
export interface Already {
  readonly already: true;
}

const text = (value: string): Read => (value === "" ? { problem: "is empty" } : { value });

/** What Docker let one turn off, and what is always on here. */
const always =
  (refused: string) =>
  (value: string): Read | Refusal | Already => {
    const read = dockerBoolean(value);
    return "problem" in read ? read : read.value === true ? { already: true } : { refused };
  };

const refuse = (refused: (value: string) => string) => (value: string) => ({ refused: refused(quote(value)) });

export const DOCKER_OPTIONS: Readonly<Record<string, DockerOption>> = {
  "dm.basesize": { dockerDefault: "10G", becomes: "defaultVolumeSize", read: dockerSize },
  "dm.loopdatasize": { dockerDefault: "100G", becomes: "backing.loop.dataSize", backing: "loop", read: dockerSize },
  "dm.loopmetadatasize": { dockerDefault: "2G", becomes: "backing.loop.metadataSize", backing: "loop", read: dockerSize },
  "dm.fs": {
    dockerDefault: "xfs",
    becomes: "filesystem",
    read: (value) => (value === "xfs" || value === "ext4" ? { value } : { problem: `${quote(value)} is neither xfs nor ext4: Docker had these two` }),
  },
  "dm.mkfsarg": {
    dockerDefault: "",
    becomes: undefined,
    read: refuse((value) => `how a filesystem is made is each volume's own: give volumes the parameter mkfsOptions, ${value}`),
  },
  "dm.mountopt": {
    dockerDefault: "",
    becomes: undefined,
    read: refuse((value) => `mount options are each volume's own: give them with the volume (mount_flags, a StorageClass' mountOptions), ${value}`),
  },
  "dm.thinpooldev": {
    dockerDefault: "",
    becomes: "backing.existing.pool",
    backing: "existing",
    read: thinPool,
  },
  "dm.datadev": { dockerDefault: "", becomes: "backing.devices.data", backing: "devices", read: text },
  "dm.metadatadev": { dockerDefault: "", becomes: "backing.devices.metadata", backing: "devices", read: text },
  "dm.blocksize": { dockerDefault: "64K", becomes: "chunkSize", read: dockerSize },
  "dm.blkdiscard": { dockerDefault: "true", becomes: "discardOnDelete", read: dockerBoolean },
  "dm.override_udev_sync_check": {
    dockerDefault: "false",
    becomes: undefined,
    read: refuse(() => "udev is never waited for here, so there is nothing to override: leave it out"),
  },
  "dm.use_deferred_removal": {
    dockerDefault: "true",
    becomes: undefined,
    read: always("a device that is held open is always removed when its holder is gone: leave it out"),
  },
  "dm.use_deferred_deletion": {
    dockerDefault: "true",
    becomes: undefined,
    read: always("a volume that is held open is always deleted when its holder is gone: leave it out"),
  },
  "dm.min_free_space": { dockerDefault: "10%", becomes: "minimumFree", read: dockerPercentage(99, "required", 0) },
  "dm.xfs_nospace_max_retries": {
    dockerDefault: "",
    becomes: undefined,
    read: refuse((value) => `how long xfs tries again in a full pool is each volume's own: give volumes the parameter xfsNospaceMaxRetries, ${value}`),
  },
  "dm.libdm_log_level": {
    dockerDefault: "2",
    becomes: undefined,
    read: refuse(() => "libdm is not used here, the kernel is asked directly: use log.level of the configuration"),
  },
  "dm.directlvm_device": {
    dockerDefault: "",
    becomes: "backing.directLvm.devices",
    backing: "directLvm",
    read: (value) => (value === "" ? { problem: "is empty" } : { value: [value] }),
  },
  "dm.directlvm_device_force": { dockerDefault: "false", becomes: "backing.directLvm.force", backing: "directLvm", read: dockerBoolean },
  "dm.thinp_percent": { dockerDefault: "95", becomes: "backing.directLvm.thinpPercent", backing: "directLvm", read: dockerPercentage(99) },
  "dm.thinp_metapercent": { dockerDefault: "1", becomes: "backing.directLvm.thinpMetaPercent", backing: "directLvm", read: dockerPercentage(99) },
  "dm.thinp_autoextend_threshold": { dockerDefault: "80", becomes: "autoextendThreshold", backing: "directLvm", read: threshold },
  "dm.thinp_autoextend_percent": { dockerDefault: "20", becomes: "autoextendPercent", backing: "directLvm", read: dockerPercentage(100) },
};

/** Docker was told the device, which LVM had made: group/pool, where the name says so. A "-" inside a name of LVM's is written twice. */
function thinPool(value: string): Read {
  const name = value.replace(/^\/dev\/(mapper\/)?/, "");
  const [group = "", pool = "", ...more] = name.split(/(?<!-)-(?!-)/).map((part) => part.replaceAll("--", "-"));
  return text(group !== "" && pool !== "" && more.length === 0 ? `${group}/${pool}` : name);
}

/** LVM, which Docker left it to, takes less than 50 for 50. Source: lvm.conf(5), thin_pool_autoextend_threshold. */
function threshold(value: string): Read {
  const read = dockerPercentage(100)(value);
  return "value" in read ? { value: `${Math.max(Number.parseInt(String(read.value), 10), 50)}%` } : read;
}

/** What a pool that is described in Docker's words has where these say nothing: Docker's defaults. */
export const dockerDefaults = (kind: BackingKind, directory: string): Readonly<Record<string, unknown>> => ({
  filesystem: "xfs",
  defaultVolumeSize: "10Gi",
  minimumFree: "10%",
  discardOnDelete: kind === "loop",
  ...(kind === "existing" ? {} : { chunkSize: kind === "directLvm" ? "512Ki" : "64Ki" }),
  ...(kind === "loop" ? { "backing.loop.directory": directory, "backing.loop.dataSize": "100Gi", "backing.loop.metadataSize": "2Gi" } : {}),
  ...(kind === "directLvm"
    ? {
        "backing.directLvm.thinpPercent": "95%",
        "backing.directLvm.thinpMetaPercent": "1%",
        "backing.directLvm.force": false,
        autoextendThreshold: "80%",
        autoextendPercent: "20%",
      }
    : {}),
});
