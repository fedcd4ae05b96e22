#!/bin/sh
# debian.sh OUT.raw: a real Debian 12 on one bootable disk (GRUB, ext4, systemd), as a machine on vSphere would have it.
#
# Its initial ramdisk has drivers for vSphere's hardware (pvscsi) and IDE only, not for virtio: it boots at the target only when the
# guest was converted. At every boot a service prints on the serial console
#   GUEST-UP <kernel>      NIC <name> <mac>      SHA256 <disk> <sum>      GUEST-DONE
# where the disk is one that data.sh made. Then it stays up.
# Needs root for mmdebstrap; no mounts and no loop devices. Kept in .cache/guests.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../../.cache/guests
key=$(sha256sum "$here/debian.sh" | cut -c1-16)
made=$cache/debian-$key.raw
megabytes=700
PATH=$PATH:/usr/sbin:/sbin

# Drivers for the hardware that the machine has now, as MODULES=dep gives on vSphere. mmdebstrap calls this script for it, before the
# kernel's package makes the ramdisk.
ramdisk_settings() {
    mkdir -p "$1/etc/initramfs-tools/conf.d"
    printf 'MODULES=list\nCOMPRESS=gzip\nCOMPRESSLEVEL=1\n' > "$1/etc/initramfs-tools/conf.d/source-hardware"
    printf 'vmw_pvscsi\nsd_mod\nata_piix\nahci\next4\n' > "$1/etc/initramfs-tools/modules"
}

boot_report() {
    cat > "$1/usr/local/sbin/boot-report" <<'REPORT'
#!/bin/sh
# Says on the serial console what this machine is made of.
exec > /dev/ttyS0 2>&1
echo "GUEST-UP $(uname -r)"
for card in /sys/class/net/e*; do
    echo "NIC ${card##*/} $(cat "$card/address")"
done
for disk in /dev/sd? /dev/vd?; do
    [ -b "$disk" ] && [ "$(head -c 16 "$disk" | tr -d '\0')" = "gantry data disk" ] || continue
    echo "SHA256 ${disk##*/} $(sha256sum "$disk" | cut -d' ' -f1)"
done
echo GUEST-DONE
REPORT
    chmod 755 "$1/usr/local/sbin/boot-report"
    cat > "$1/etc/systemd/system/boot-report.service" <<'UNIT'
[Unit]
Description=Report of the hardware on the serial console
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/boot-report

[Install]
WantedBy=multi-user.target
UNIT
    ln -s ../boot-report.service "$1/etc/systemd/system/multi-user.target.wants/boot-report.service"
}

# What grub-install and update-grub would write, without a mounted disk.
boot_files() {
    kernel=$(ls "$1/boot" | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
    mkdir -p "$1/boot/grub/i386-pc"
    cp "$1"/usr/lib/grub/i386-pc/*.mod "$1"/usr/lib/grub/i386-pc/*.lst "$1/boot/grub/i386-pc/"
    cat > "$1/boot/grub/grub.cfg" <<GRUB
set timeout=0
set default=0
menuentry 'Debian GNU/Linux' {
    search --no-floppy --label --set=root root
    linux /boot/vmlinuz-$kernel root=LABEL=root ro console=ttyS0
    initrd /boot/initrd.img-$kernel
}
GRUB
    sed -i 's/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"/; s/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=0/' \
        "$1/etc/default/grub"
    echo 'LABEL=root / ext4 defaults 0 1' > "$1/etc/fstab"
    echo debian > "$1/etc/hostname"
}

build() {
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/debian-build-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    root=$work/root disk=$work/disk
    mkdir "$root"
    mmdebstrap --quiet --mode=root --variant=minbase \
        --include=linux-image-cloud-amd64,grub-pc,systemd-sysv,udev,initramfs-tools,iproute2,ifupdown \
        --aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --essential-hook="'$here/debian.sh' ramdisk-settings \"\$1\"" bookworm "$root"
    boot_report "$root"
    boot_files "$root"
    rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"

    truncate -s ${megabytes}M "$disk"
    printf 'label: dos\nlabel-id: 0x47414e44\nstart=2048, type=83, bootable\n' | sfdisk -q "$disk"
    mke2fs -q -F -t ext4 -L root -E offset=1048576,lazy_itable_init=1,root_owner=0:0 -d "$root" "$disk" $((megabytes * 1024 - 1024))k
    grub=/usr/lib/grub/i386-pc
    grub-mkimage -O i386-pc -d "$grub" -p '(hd0,msdos1)/boot/grub' -o "$work/core.img" biosdisk part_msdos ext2 normal search \
        search_label linux configfile
    [ "$(stat -c %s "$work/core.img")" -le $((2047 * 512)) ] # it has to fit before the first partition
    dd if="$grub/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
    dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
    mv "$disk" "$made"
}

if [ "${1:-}" = ramdisk-settings ]; then
    ramdisk_settings "$2"
    exit
fi
[ $# = 1 ] || { echo "usage: debian.sh OUT.raw" >&2; exit 2; }
[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
out=$1
[ -f "$made" ] || (build)
cp --sparse=always "$made" "$out"
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$out"
