/** What the API server is asked to make: a volume as the controller would. */
export const volumeSpec = (nodeName = "one", more: Readonly<Record<string, unknown>> = {}) => ({
  name: "pvc-1",
  nodeName,
  poolName: "fast",
  requiredBytes: 1_073_741_824,
  capabilities: [{ access: "mount", mode: "SINGLE_NODE_WRITER" }],
  ...more,
});

export const volume = (name: string, nodeName = "one", metadata: Readonly<Record<string, unknown>> = {}) => ({
  metadata: { name, ...metadata },
  spec: volumeSpec(nodeName),
});
