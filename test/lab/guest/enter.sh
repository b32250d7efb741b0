#!/bin/sh
# Runs in mount and process namespaces of its own, as their first process: whatever it mounts or starts goes with it.
# Puts the guest's root together from the cached trees, with all writes on a tmpfs, and boots the kernel in it.
# Environment: LAB_KERNEL_TREE, LAB_USERLAND, LAB_MOUNT (an empty folder), LAB_CHECKOUT, LAB_CACHE,
# LAB_INIT (the guest's init), LAB_SETTINGS and LAB_COMMAND (what that reads and runs).
# Arguments: the kernel's own.
set -e
mount -t tmpfs -o size=100% lab "$LAB_MOUNT"
cd "$LAB_MOUNT"
mkdir upper work root memory
mount -t overlay -o "lowerdir=$LAB_KERNEL_TREE:$LAB_USERLAND,upperdir=$LAB_MOUNT/upper,workdir=$LAB_MOUNT/work" lab root
cd root
mkdir -p lab/memory lab/checkout lab/cache
mount --bind ../memory lab/memory
mount --bind "$LAB_CHECKOUT" lab/checkout
mount --bind "$LAB_CACHE" lab/cache
mount -o remount,bind,ro lab/cache
mount -t proc proc proc
mount --rbind /dev dev
cp "$LAB_INIT" lab/init
chmod 755 lab/init
printf '%s\n' "$LAB_SETTINGS" > lab/settings
printf '%s\n' "$LAB_COMMAND" > lab/command
# linux.uml needs the userland's libc, and a tmpfs for the guest's memory. Not exec: the first process of a namespace takes no fatal signals.
env -i "PATH=$PATH" HOME=/lab TMPDIR=/lab/memory chroot . linux.uml rootfstype=hostfs rootflags=/ rw init=/lab/init seccomp=on quiet "$@"
