/** What `dmthin config example` prints: it works as it stands, and what is commented out shows the default. */
export const EXAMPLE = `# dmthin standalone --config FILE
# Every option: docs/configuration.md. Sizes are bytes, or numbers with Ki, Mi, Gi, Ti (powers of 1024).

pools:
  # Two files on loop devices: for trying out. The data file is sparse, and takes room as it is written to.
  - name: fast
    default: true                 # the pool of volumes that name none
    backing:
      loop:
        directory: /var/lib/dmthin/fast
        dataSize: 100Gi
        # metadataSize: 219Mi     # fully allocated; by default from dataSize and chunkSize
        # maximumDataSize: 100Gi  # how far it may grow by itself; by default not at all
        # hostReserve: 1Gi        # kept free on the filesystem below
    # chunkSize: 64Ki             # a multiple of 64Ki, fixed for the pool's life
    # zeroNewBlocks: true         # nobody reads what another volume left
    # minimumFree: 10%            # below it no new volumes and snapshots; or { data: 10%, metadata: 10% }
    # overcommitRatio: 10         # how many times the pool's size may be promised
    # defaultVolumeSize: 10Gi
    # filesystem: ext4            # ext4, xfs or btrfs
    # discardOnDelete: true       # give the blocks back before a volume is deleted; false on other backings
    # autoextendThreshold: 80%    # made larger when this much is used; 100%: never
    # autoextendPercent: 20%      # by how much of its size
    # whenFull: auto              # writes wait while it can still be made larger; or queue, or error
    # trim:
    #   interval: 7d              # mounted filesystems give back what they do not use; or never
    #   atOnce: 1

  # Whole disks, in a volume group that the driver makes: for production.
  # - name: disks
  #   backing:
  #     directLvm:
  #       devices: [/dev/disk/by-id/scsi-EXAMPLE-*]
  #       metadataDevices: []     # others for the catalogue and the metadata; by default the same
  #       volumeGroup: dmthin-disks
  #       thinpPercent: 95%
  #       thinpMetaPercent: 1%
  #       force: false            # true: overwrite a signature on a disk that nobody uses

  # Two block devices. Everything on them is overwritten when the pool is made.
  # - name: big
  #   backing:
  #     devices:
  #       data: /dev/disk/by-id/nvme-EXAMPLE-part2
  #       metadata: /dev/disk/by-id/nvme-EXAMPLE-part1

  # A thin pool that an administrator made, and that holds nothing yet.
  # - name: made
  #   backing:
  #     existing:
  #       pool: group/pool

# socket: unix:///run/dmthin/csi.sock
# socketMode: "0600"              # in quotes
# adminSocket: /run/dmthin/admin.sock
# nodeName: node1                 # by default the host name
# stateDirectory: /var/lib/dmthin # on a disk: the catalogues
# runDirectory: /run/dmthin       # on a tmpfs: the locks
# shutdownDeadline: 30s
# alphaCapabilities: false        # what CSI 1.13 has as alpha, such as volume health
# metrics:                        # for Prometheus, and for probes
#   listen: nowhere               # or 127.0.0.1:9808, for /metrics, /healthz and /readyz
#   perVolume: true               # three lines for each volume and snapshot
#   exclusiveInterval: 1h         # what each has alone is measured so often; or never
# log:
#   level: info                   # debug, info, warn or error
#   format: json                  # json, or text for people
`;
