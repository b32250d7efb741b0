/** What `dmthin config example --role …` prints: each works in its pod as it stands, and what is commented out shows the default. */
export const NODE_EXAMPLE = `# dmthin node --config FILE
# Every option: docs/configuration.md. The pools are the ThinPool objects that select the node.

# nodeName: node1                 # by default NODE_NAME of the environment
# socket: unix:///var/lib/kubelet/plugins/csi.dmthin.io/csi.sock
# endpoint: unix:///var/lib/kubelet/plugins/csi.dmthin.io/csi.sock   # by the host's path; by default socket's
# registrationDirectory: /var/lib/kubelet/plugins_registry
# adminSocket: /run/dmthin/admin.sock
# stateDirectory: /var/lib/dmthin # on a disk: the catalogues
# runDirectory: /run/dmthin       # on a tmpfs: the locks
# maxVolumesPerNode: 0            # 0: any number
# kubeconfig: /etc/dmthin/kubeconfig   # by default the pod's service account
# shutdownDeadline: 30s
# alphaCapabilities: false        # what CSI 1.13 has as alpha, such as volume health
metrics:                          # for Prometheus, and for probes
  listen: ":9808"                 # by default nowhere
  # perVolume: true               # three lines for each volume and snapshot
  # exclusiveInterval: 1h         # what each has alone is measured so often; or never
# log:
#   level: info                   # debug, info, warn or error
#   format: json                  # json, or text for people
`;

export const CONTROLLER_EXAMPLE = `# dmthin controller --config FILE
# Every option: docs/configuration.md.

# namespace: dmthin               # by default POD_NAMESPACE of the environment
# socket: unix:///run/dmthin/csi.sock
# socketMode: "0600"              # in quotes
# lease: dmthin-controller
# nodeMissingFor: 10m             # how long a Node is gone before its volumes may be deleted without it
# startupTaint: dmthin.io/agent-not-ready   # taken off a node when the driver is ready there; or none
# agentSelector: app.kubernetes.io/name=dmthin,app.kubernetes.io/component=node
# kubeconfig: /etc/dmthin/kubeconfig   # by default the pod's service account
# shutdownDeadline: 30s
# alphaCapabilities: false        # what CSI 1.13 has as alpha, such as volume health
metrics:                          # for Prometheus, and for probes
  listen: ":9809"                 # by default nowhere
# log:
#   level: info                   # debug, info, warn or error
#   format: json                  # json, or text for people
`;
