#!/bin/sh
# Boots a real systemd on a copy-on-write view of this machine, for test_systemd_install.py; called
# under `unshare --mount --pid --uts --ipc --net --cgroup --fork`. Nothing is written to this machine
# itself, and the only network is loopback.
#
#   boot_systemd.sh WORK CLONE WHEELS
set -eu
work=$1 clone=$2 wheels=$3 root=$1/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/up" "$work/lower" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/up,workdir=$work/lower" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for each in run tmp; do mount -t tmpfs tmpfs "$root/$each"; done
mount --rbind /dev "$root/dev"
mkdir -p "$root/clone" "$root/wheels" "$root/oldroot"
mount --bind "$clone" "$root/clone"
mount --bind "$wheels" "$root/wheels"
ip link set lo up
: >"$root/etc/machine-id"
rm -rf "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/pantau" "$root/var/lib/pantau" \
    "$root/opt/pantau"
cd "$root"
pivot_root . oldroot
umount -l /oldroot
# As on a booted machine: what systemd mounts for a service (its secrets) reaches it.
mount --make-rshared /
exec env -i container=pantau-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target
