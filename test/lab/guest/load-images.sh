#!/bin/sh
# Loads archives of images into containerd's store on a disk, once for all nodes that begin with a copy of it.
# Environment: NODE_DISK, NODE_IMAGES, NODE_DEBIAN (a tree with containerd).
set -e
export PATH="$NODE_DEBIAN/usr/sbin:$NODE_DEBIAN/usr/bin:$PATH"
modprobe -a overlay ext4
blkid "$NODE_DISK" > /run/lab/blkid || mkfs.ext4 -q "$NODE_DISK"
mkdir -p /run/lab/disk /var/lib/containerd
mount "$NODE_DISK" /run/lab/disk
mkdir -p /run/lab/disk/containerd
mount --bind /run/lab/disk/containerd /var/lib/containerd
containerd > /run/lab/containerd.log 2>&1 &
containerd=$!
tries=0
until ctr version > /run/lab/ctr 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 300 ] || { cat /run/lab/ctr; tail -n 20 /run/lab/containerd.log; exit 1; }
  sleep 0.2
done
for image in $NODE_IMAGES; do
  ctr --namespace k8s.io images import "$image" > /run/lab/ctr
done
kill $containerd
wait $containerd || true
umount /var/lib/containerd
umount /run/lab/disk
