/** What the lab's cluster is made of, each built from its Go module; Debian's share of it is whatever sid has. */
export const KUBERNETES = "1.36.3";
export const PROVISIONER = "6.3.0"; // 6.4.0 needs a version of a library that the module proxy does not have
export const SNAPSHOTTER = "8.7.0";
export const SNAPSHOT_CRDS = "8.7.0";
export const RESIZER = "2.3.0";
export const HELM = "4.3.1";
