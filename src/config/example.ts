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
    # chunkSize: 64Ki             # a multiple of 64Ki, fixed for the pool's life
    # zeroNewBlocks: true         # nobody reads what another volume left
    # minimumFree: 10%            # below it no new volumes and snapshots; or { data: 10%, metadata: 10% }
    # overcommitRatio: 10         # how many times the pool's size may be promised
    # defaultVolumeSize: 10Gi
    # filesystem: ext4            # ext4, xfs or btrfs
    # discardOnDelete: true       # give the blocks back before a volume is deleted; false on devices

  # Two block devices. Everything on them is overwritten when the pool is made.
  # - name: big
  #   backing:
  #     devices:
  #       data: /dev/disk/by-id/nvme-EXAMPLE-part2
  #       metadata: /dev/disk/by-id/nvme-EXAMPLE-part1

# socket: unix:///run/dmthin/csi.sock
# socketMode: "0600"              # in quotes
# adminSocket: /run/dmthin/admin.sock
# nodeName: node1                 # by default the host name
# stateDirectory: /var/lib/dmthin # on a disk: the catalogues
# runDirectory: /run/dmthin       # on a tmpfs: the locks
# shutdownDeadline: 30s
# alphaCapabilities: false        # what CSI 1.13 has as alpha, such as volume health
# log:
#   level: info                   # debug, info, warn or error
#   format: json                  # json, or text for people
`;
