#!/bin/sh
# tiny.sh OUT.raw [--stay]: a bootable disk of 32 MiB that is up in seconds: Debian's kernel, busybox, nothing else.
#
# The guest prints on its serial console
#   GUEST-UP <kernel>              NIC <name> <mac>               one line per network card
#   DISK <name> <512-byte sectors> SHA256 <name> <sum>            one line per further disk
#   GUEST-DONE
# and powers off, or with --stay (or "waitforever" on the kernel's command line) stays up. It has drivers for IDE, AHCI, pvscsi, vmxnet3
# and virtio, so it boots at the source and at the target alike. It needs 80 MiB of memory. No root and no mounts are needed to build it:
# the same sources give the same disk, kept in .cache/guests.
set -eu
out= arguments=
for argument; do
    case $argument in
    --stay) arguments=waitforever ;;
    -*) echo "tiny.sh: unknown option $argument" >&2; exit 2 ;;
    *) out=$argument ;;
    esac
done
[ -n "$out" ] || { echo "usage: tiny.sh OUT.raw [--stay]" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../../.cache/guests
PATH=$PATH:/usr/sbin:/sbin
version=$(ls /boot | sed -n 's/^vmlinuz-\(.*cloud-amd64\)$/\1/p' | sort -V | tail -n 1)
[ -n "$version" ] || { echo "tiny.sh: linux-image-cloud-amd64 is not installed; run scripts/setup" >&2; exit 1; }
key=$({ cat "$here/tiny.sh" "$here/tiny-init"; echo "$version $arguments"; } | sha256sum | cut -c1-16)
made=$cache/tiny-$key.raw

build() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    root=$work/root
    mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/lib/modules"
    cp /bin/busybox "$root/bin/busybox"
    cp "$here/tiny-init" "$root/init"
    chmod 755 "$root/init"

    # The drivers in the order in which they can be loaded.
    for module in virtio_pci virtio_blk virtio_net virtio_scsi sd_mod ata_piix ahci vmxnet3 vmw_pvscsi; do
        modprobe -S "$version" --show-depends "$module" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++' | while read -r file; do
        cp "$file" "$root/lib/modules/"
        basename "$file" >> "$root/modules"
    done
    (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) > "$work/initrd"

    printf 'DEFAULT guest\nPROMPT 0\nTIMEOUT 0\nLABEL guest\n KERNEL vmlinuz\n INITRD initrd\n APPEND console=ttyS0 quiet panic=1 %s\n' \
        "$arguments" > "$work/syslinux.cfg"

    # One active FAT16 partition at 1 MiB, and SYSLINUX in it and before it.
    disk=$work/disk megabytes=32
    truncate -s ${megabytes}M "$disk"
    printf 'label: dos\nlabel-id: 0x47414e54\nstart=2048, type=e, bootable\n' | sfdisk -q "$disk"
    dd if=/usr/lib/SYSLINUX/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
    mformat -i "$disk@@1M" -H 2048 -T $(((megabytes - 1) * 2048)) -h 255 -s 63 -N 47414e54 -v GUEST ::
    mcopy -i "$disk@@1M" "/boot/vmlinuz-$version" ::vmlinuz
    mcopy -i "$disk@@1M" "$work/initrd" ::initrd
    mcopy -i "$disk@@1M" "$work/syslinux.cfg" ::syslinux.cfg
    syslinux --install --offset $((2048 * 512)) "$disk"

    mkdir -p "$cache"
    cp --sparse=always "$disk" "$made.$$"
    mv "$made.$$" "$made"
}

[ -f "$made" ] || (build)
cp --sparse=always "$made" "$out"
