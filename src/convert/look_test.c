/* look: what guests' tables say, as concerns. */
#include "convert/look.h"
#include <string.h>

typedef void (*Look)(const char *text, json_t *concerns);

static void tables_become_concerns(void)
{
    static const struct {
        Look look;
        const char *text, *category, *says; /* NULL: no concern */
    } cases[] = {
        {look_at_free_space,
         "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/sda1 1000000 900000 102400 90% "
         "/sysroot\n",
         NULL, NULL},
        {look_at_free_space, "/dev/sda1 1000000 900000 102399 90% /sysroot\n", "Critical",
         "/ (/dev/sda1) has 99 MB free"},
        {look_at_free_space, "/dev/sda2 1000000 900000 51199 90% /sysroot/boot\n", "Critical", "needs 50 MB"},
        {look_at_free_space, "tmpfs 1000 900 0 90% /sysroot/tmp\n", NULL, NULL},
        {look_at_free_space, "/dev/sda2 x y z", NULL, NULL},
        {look_at_fstab, "UUID=1-2 / ext4 defaults 0 1\n# /dev/sda1 /old\n", NULL, NULL},
        {look_at_fstab, "/dev/sda2 /home ext4 defaults 0 2\n", "Information", "/dev/sda2 on /home"},
        {look_at_fstab, "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:0:0-part1 /data xfs defaults 0 2",
         "Warning", "on /data"},
        {look_at_fstab, "/dev/mapper/vg-root / xfs defaults 0 0\n", NULL, NULL},
        {look_at_file_systems, "Name,Type,VFS,Label\n/dev/sda5,filesystem,swap,-\n", NULL, NULL},
        {look_at_file_systems, "/dev/sda5,filesystem,swsuspend,-\n", "Critical",
         "/dev/sda5 holds the memory"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) concerns = json_array();
        const json_t *first;

        g_test_message("%s", cases[i].text);
        cases[i].look(cases[i].text, concerns);
        g_assert_cmpuint(json_array_size(concerns), ==, cases[i].says ? 1 : 0);
        if (!cases[i].says)
            continue;
        first = json_array_get(concerns, 0);
        g_assert_cmpstr(json_string_at(first, "category", NULL), ==, cases[i].category);
        g_assert_nonnull(strstr(json_string_at(first, "assessment", ""), cases[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/look/tables become concerns", tables_become_concerns);
    return g_test_run();
}
