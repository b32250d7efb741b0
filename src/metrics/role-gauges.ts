/** What only one role has to tell. Apart from the rest, which is only loaded where metrics are wanted. */
export const KUBELET_REGISTERED = { name: "dmthin_kubelet_registered", help: "1 since the kubelet has registered the driver." };
export const UNCLAIMED_VOLUMES = {
  name: "dmthin_unclaimed_volumes",
  help: "ThinVolumes that neither a PersistentVolume nor a claim knows, for an hour at least.",
};
