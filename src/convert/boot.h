/* boot: what a Linux guest's own files lack to start at the target, where virt-v2v does not see to it.
 *
 * The firmware of the source remembered which loader to start, and that memory stays behind: a UEFI guest
 * that has none at the place where every firmware looks (EFI/BOOT/BOOTX64.EFI) gets a copy of its own there.
 * And the initial ramdisk of Debian and its kin opens those encrypted devices at boot that are in use, by
 * crypttab's names, when the ramdisk is made; virt-v2v makes it anew while they are open under other names.
 * So crypttab is told to open them (its option initramfs). Threads: any. Errors: guestfs.h's, IO.
 */
#pragma once
#include "convert/guestfs.h"

/* Writes into the overlays of the guest that inspect.h describes, which virt-v2v has not converted yet. A
 * machine with several operating systems is left alone, with a warning. folder: to work in. */
gboolean boot_prepare(const Guestfs *guestfs, const json_t *guest, const char *folder, GCancellable *cancel,
                      GError **error);

/* crypttab with the option for each device that a passphrase opens at boot; NULL when nothing changes. */
char *boot_crypttab(const char *crypttab);

/* Adds guestfish's words for the loader's copy, with no more than what it loads by its own folder; none when
 * there is nothing to do. files: what guestfish finds in the folder EFI, in lines, as "/debian/grubx64.efi"
 * (some versions leave out the first slash); foreign. The words are owned by the array. */
void boot_copy_loader(const char *files, GPtrArray *words);
