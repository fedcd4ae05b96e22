#!/bin/sh
# debian.sh OUT.raw [KEYFILE]: a real Debian 12 on one bootable disk (GRUB, ext4, systemd), as a machine on vSphere would have it: behind
# BIOS, or with a key file behind UEFI, its root in a LUKS device that the key opens, its loader where Debian's installer puts it (EFI/debian).
#
# Its initial ramdisk has drivers for vSphere's hardware (pvscsi) and IDE only, not for virtio: it boots at the target only when the
# guest was converted. At every boot a service prints on the serial console
#   GUEST-UP <kernel>      NIC <name> <mac>      SHA256 <disk> <sum>      GUEST-DONE
# where the disk is one that data.sh made. Then it stays up. An encrypted one asks for its passphrase there before that. (Its ramdisk does
# not know the LUKS device yet: it is made before that device is. It boots when the ramdisk was made anew, as a conversion does.)
# Needs root for mmdebstrap; no mounts and no loop devices. Kept in .cache/guests.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../../.cache/guests
key=$(sha256sum "$here/debian.sh" | cut -c1-16)
megabytes=700
mebibyte=1048576
luks_partition=47414e54-5259-4c55-8b53-000000000001
root_system=47414e54-5259-4c55-8b53-000000000002
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

# boot_files ROOT PLATFORM LABEL FOLDER DEVICE: what grub-install and update-grub would write, without a mounted disk. The kernel is in that
# folder of the file system with that label, and mounts the device.
boot_files() {
    kernel=$(ls "$1/boot" | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
    mkdir -p "$1/boot/grub/$2"
    cp "$1/usr/lib/grub/$2/"*.mod "$1/usr/lib/grub/$2/"*.lst "$1/boot/grub/$2/"
    cat > "$1/boot/grub/grub.cfg" <<GRUB
set timeout=0
set default=0
menuentry 'Debian GNU/Linux' {
    search --no-floppy --label --set=root $3
    linux $4/vmlinuz-$kernel root=$5 ro console=ttyS0
    initrd $4/initrd.img-$kernel
}
GRUB
    sed -i 's/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"/; s/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=0/' \
        "$1/etc/default/grub"
    echo debian > "$1/etc/hostname"
}

# system PACKAGES: the system's files in $root.
system() {
    mkdir "$root"
    mmdebstrap --quiet --mode=root --variant=minbase \
        --include=linux-image-cloud-amd64,systemd-sysv,udev,initramfs-tools,iproute2,ifupdown,"$1" \
        --aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --essential-hook="'$here/debian.sh' ramdisk-settings \"\$1\"" bookworm "$root"
    boot_report "$root"
    rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"
}

# ext4 FILE LABEL MIB FOLDER [OFFSET]: a file system with the folder's content, at the offset in bytes.
ext4() { mke2fs -q -F -t ext4 -L "$2" -E offset="${5:-0}",lazy_itable_init=1,root_owner=0:0 -d "$4" "$1" $(($3 * 1024))k; }

behind_bios() {
    system grub-pc
    boot_files "$root" i386-pc root /boot LABEL=root
    echo 'LABEL=root / ext4 defaults 0 1' > "$root/etc/fstab"
    truncate -s ${megabytes}M "$disk"
    printf 'label: dos\nlabel-id: 0x47414e44\nstart=2048, type=83, bootable\n' | sfdisk -q "$disk"
    ext4 "$disk" root $((megabytes - 1)) "$root" $mebibyte
    grub=/usr/lib/grub/i386-pc
    grub-mkimage -O i386-pc -d "$grub" -p '(hd0,msdos1)/boot/grub' -o "$work/core.img" biosdisk part_msdos ext2 normal search \
        search_label linux configfile
    [ "$(stat -c %s "$work/core.img")" -le $((2047 * 512)) ] # it has to fit before the first partition
    dd if="$grub/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
    dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
}

# encrypt PLAIN LUKS: qemu-img first measures how fast this machine derives keys, and gives up when the kernel's account of its time goes
# backwards, as some virtual machines' does.
encrypt() {
    for try in $(seq 100); do
        qemu-img convert -f raw -O luks --object secret,id=k,file="$keyfile" -o key-secret=k,iter-time=20 "$1" "$2" 2> "$work/said" && return
        grep -q 'accurate CPU usage' "$work/said" || break
    done
    cat "$work/said" >&2
    return 1
}

# A GPT with the EFI system partition (64 MiB), /boot (192 MiB) and the LUKS device, one after the other.
behind_uefi() {
    system grub-efi-amd64,grub-efi-amd64-signed,shim-signed,cryptsetup-initramfs
    boot_files "$root" x86_64-efi boot '' /dev/mapper/root_crypt
    mkdir "$work/boot"
    mv "$root"/boot/* "$work/boot/"
    mkdir "$work/boot/efi"
    rm "$root/etc/initramfs-tools/conf.d/source-hardware" # made anew, its ramdisk has what the machine has then

    truncate -s 64M "$work/esp"
    mkfs.fat -F 32 -n ESP "$work/esp" > /dev/null
    mmd -i "$work/esp" ::/EFI ::/EFI/debian
    printf 'search --label --set=root boot\nset prefix=($root)/grub\nconfigfile $prefix/grub.cfg\n' > "$work/grub.cfg"
    mcopy -i "$work/esp" "$work/grub.cfg" ::/EFI/debian/grub.cfg
    mcopy -i "$work/esp" "$root/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::/EFI/debian/grubx64.efi
    mcopy -i "$work/esp" "$root/usr/lib/shim/shimx64.efi.signed" ::/EFI/debian/shimx64.efi
    mcopy -i "$work/esp" "$root/usr/lib/shim/mmx64.efi.signed" ::/EFI/debian/mmx64.efi

    printf 'UUID=%s / ext4 defaults 0 1\nLABEL=boot /boot ext4 defaults 0 2\nLABEL=ESP /boot/efi vfat umask=0077 0 1\n' \
        $root_system > "$root/etc/fstab"
    echo "root_crypt PARTUUID=$luks_partition none luks" > "$root/etc/crypttab"
    ext4 "$work/boot.ext4" boot 192 "$work/boot"
    ext4 "$work/root.ext4" root 900 "$root"
    tune2fs -U $root_system "$work/root.ext4" > /dev/null
    encrypt "$work/root.ext4" "$work/luks"

    truncate -s 1170M "$disk"
    printf 'label: gpt\nstart=1MiB, size=64MiB, type=%s\nsize=192MiB, type=%s\nsize=904MiB, type=%s, uuid=%s\n' \
        C12A7328-F81F-11D2-BA4B-00A0C93EC93B 0FC63DAF-8483-4772-8E79-3D69D8477DE4 CA7D7CCB-63ED-4C53-861C-1742536059CC $luks_partition |
        sfdisk -q "$disk"
    at=1
    for part in esp boot.ext4 luks; do
        dd if="$work/$part" of="$disk" bs=1M seek=$at conv=notrunc,sparse status=none
        at=$((at + $(stat -c %s "$work/$part") / mebibyte))
    done
}

build() {
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/debian-build-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    root=$work/root disk=$work/disk
    if [ "$keyfile" ]; then behind_uefi; else behind_bios; fi
    mv "$disk" "$made"
}

if [ "${1:-}" = ramdisk-settings ]; then
    ramdisk_settings "$2"
    exit
fi
[ $# = 1 ] || [ $# = 2 ] || { echo "usage: debian.sh OUT.raw [KEYFILE]" >&2; exit 2; }
[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
out=$1 keyfile=${2:-}
made=$cache/debian-$key${keyfile:+-$(sha256sum "$keyfile" | cut -c1-16)}.raw
[ -f "$made" ] || (build)
cp --sparse=always "$made" "$out"
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$out"
