#!/bin/sh
# Makes a guest a node of the lab's cluster, as far as containerd; its agent, which this becomes, starts the rest.
# Environment: NODE_MAC, NODE_ADDRESS, NODE_PODS (its pods' range), NODE_GATEWAY, NODE_DISK (what the node writes is kept there from
# one boot to the next; it begins with what load-images.sh made), NODE_DEBIAN (a tree with containerd).
set -e
export PATH="$NODE_DEBIAN/usr/sbin:$NODE_DEBIAN/usr/bin:$PATH"
ip link set vec0 address "$NODE_MAC" # the same at each boot, or the host's neighbour table is wrong for minutes
ip link set vec0 up
ip addr add "$NODE_ADDRESS/24" dev vec0
ip route add default via "$NODE_GATEWAY"
echo 1 > /proc/sys/net/ipv4/ip_forward
modprobe -a veth bridge br_netfilter overlay ext4 xfs btrfs

# Pods are given /lib/modules; what it links to is elsewhere.
modules=$(readlink -f "/lib/modules/$(uname -r)")
rm "/lib/modules/$(uname -r)"
mkdir "/lib/modules/$(uname -r)"
mount --bind "$modules" "/lib/modules/$(uname -r)"

# cAdvisor wants to know how fast the processor is.
{ cat /proc/cpuinfo && echo "cpu MHz : 2000.0"; } > /run/lab/cpuinfo
mount --bind /run/lab/cpuinfo /proc/cpuinfo

mkdir -p /run/lab/disk
mount "$NODE_DISK" /run/lab/disk
for folder in kubelet containerd dmthin log cni; do
  mkdir -p "/run/lab/disk/$folder" "/var/lib/$folder"
done
for folder in kubelet containerd dmthin cni; do mount --bind "/run/lab/disk/$folder" "/var/lib/$folder"; done
mount --bind /run/lab/disk/log /var/log
mkdir -p /run/lab/net.d /run/kubernetes
mount --make-rshared /
cat > /run/lab/net.d/10-lab.conflist << END
{"cniVersion": "1.0.0", "name": "lab", "plugins": [{"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local",
 "dataDir": "/run/lab/net-leases", "ranges": [[{"subnet": "$NODE_PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
cat > /run/lab/containerd.toml << END
version = 3
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["$NODE_DEBIAN/usr/lib/cni"]
  conf_dir = "/run/lab/net.d"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "registry.k8s.io/pause:3.10.1"
END
setsid --fork containerd --config /run/lab/containerd.toml >> /var/log/containerd.log 2>&1
tries=0
until ctr version > /run/lab/ctr 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 300 ] || { cat /run/lab/ctr; tail -n 20 /var/log/containerd.log; exit 1; }
  sleep 0.2
done
exec node test/lab/cluster/agent.ts
