#!/bin/sh
# Become the init of a machine of its own: its disk is the tree TREE under a layer in memory, so
# that nothing it does outlives it. To be started by unshare in new namespaces for processes, mounts,
# names, ipc and control groups; the network stays shared, so that 127.0.0.1 is this machine's.
# With DISK, a folder, the layer lies there: a machine that lost its power boots with it again.
# Usage: boot.sh TREE NAME [DISK]
set -eu
name=$2
cd "$1"

if [ $# -gt 2 ]; then
  mount --bind "$3" /mnt
else
  mount -t tmpfs -o mode=755 layer /mnt
fi
mkdir -p /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=.,upperdir=/mnt/upper,workdir=/mnt/work root /mnt/root
cd /mnt/root

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
echo "$name" >etc/hostname
echo "$name" >proc/sys/kernel/hostname
# A machine of its own has a boot of its own, by which its journal tells one from the next.
cat proc/sys/kernel/random/uuid >run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" >etc/hosts

pivot_root . mnt
umount -l /mnt
# systemd hands credentials to services through a mount that has to travel between namespaces.
mount --make-rshared /
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
