/* boot: what is done for a loader in its place or out of it, and for each kind of line of crypttab. */
#include "convert/boot.h"

static void a_loader_is_copied_where_every_firmware_looks(void)
{
    static const struct {
        const char *files, *words; /* words: "" when there is nothing to do */
    } cases[] = {
        {"/debian\n/debian/grub.cfg\n/debian/grubx64.efi\n",
         "mkdir-p /boot/efi/EFI/BOOT : cp /boot/efi/EFI/debian/grubx64.efi /boot/efi/EFI/BOOT/BOOTX64.EFI"},
        {"ubuntu/fbx64.efi\nubuntu/grubx64.efi\nubuntu/mmx64.efi\nubuntu/shimx64.efi\n",
         "mkdir-p /boot/efi/EFI/BOOT : cp /boot/efi/EFI/ubuntu/shimx64.efi /boot/efi/EFI/BOOT/BOOTX64.EFI : "
         "cp /boot/efi/EFI/ubuntu/grubx64.efi /boot/efi/EFI/BOOT/grubx64.efi : "
         "cp /boot/efi/EFI/ubuntu/mmx64.efi /boot/efi/EFI/BOOT/mmx64.efi"},
        {"/Boot\n/Boot/bootx64.efi\n/debian/grubx64.efi\n", ""},
        {"BOOT/grubx64.efi\n", ""},
        {"a/b/grubx64.efi\ngrubx64.efi\n", ""},
        {"Microsoft/Boot/bootmgfw.efi\n", ""},
        {"", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *said = NULL;

        boot_copy_loader(cases[i].files, words);
        g_ptr_array_add(words, NULL);
        said = g_strjoinv(" ", (char **)words->pdata);
        g_assert_cmpstr(said, ==, cases[i].words);
    }
}

static void what_a_passphrase_opens_is_opened_at_boot(void)
{
    static const struct {
        const char *before, *after; /* NULL: nothing changes */
    } cases[] = {
        {"# <target> <source> <key> <options>\nsda3_crypt UUID=1-2 none luks,discard\n",
         "# <target> <source> <key> <options>\nsda3_crypt UUID=1-2 none luks,discard,initramfs\n"},
        {"root /dev/sda3 -  luks  ", "root /dev/sda3 -  luks,initramfs"},
        {"root /dev/sda3 none\n", "root /dev/sda3 none luks,initramfs\n"},
        {"root UUID=1 none luks,initramfs\n", NULL},
        {"swap /dev/sda4 /dev/urandom swap\nhome UUID=2 /etc/keys/home luks\n", NULL},
        {"backup UUID=3 none luks,noauto\nmore UUID=4 none luks,nofail\n", NULL},
        {"# root UUID=1 none luks\n\nroot\n", NULL},
        {"", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *after = boot_crypttab(cases[i].before);
        g_assert_cmpstr(after, ==, cases[i].after);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/boot/a loader is copied where every firmware looks",
                    a_loader_is_copied_where_every_firmware_looks);
    g_test_add_func("/convert/boot/what a passphrase opens is opened at boot",
                    what_a_passphrase_opens_is_opened_at_boot);
    return g_test_run();
}
