/* boot: looks into the copy, decides here, and writes into the overlays at one go. */
#include "convert/boot.h"
#include "base/log.h"
#include <errno.h>
#include <string.h>

#define LOADERS        "/boot/efi/EFI"
#define DEFAULT_LOADER "BOOT/BOOTX64.EFI"

/* ---- the loader -------------------------------------------------------------------------------- */

static gboolean has(char *const *files, const char *path)
{
    for (; *files; files++)
        if (!g_ascii_strcasecmp(*files, path)) /* FAT */
            return TRUE;
    return FALSE;
}

/* Whether the path is FOLDER/name: then the folder. */
static char *folder_of(const char *path, const char *name)
{
    const char *slash = strchr(path, '/');
    return slash && !g_ascii_strcasecmp(slash + 1, name) ? g_strndup(path, slash - path) : NULL;
}

static void add_copy(GPtrArray *words, const char *folder, const char *name, const char *to)
{
    if (words->len)
        g_ptr_array_add(words, g_strdup(":"));
    g_ptr_array_add(words, g_strdup("cp"));
    g_ptr_array_add(words, g_strconcat(LOADERS "/", folder, "/", name, NULL));
    g_ptr_array_add(words, g_strconcat(LOADERS "/", to, NULL));
}

/* shim loads GRUB and MokManager from the folder that it was started in. */
static void copy_from(const char *folder, const char *loader, char *const *files, GPtrArray *words)
{
    static const char *const companions[] = {"grubx64.efi", "mmx64.efi"};

    g_ptr_array_add(words, g_strdup("mkdir-p"));
    g_ptr_array_add(words, g_strdup(LOADERS "/BOOT"));
    add_copy(words, folder, loader, DEFAULT_LOADER);
    for (guint i = 0; i < G_N_ELEMENTS(companions) && g_str_has_prefix(loader, "shim"); i++) {
        g_autofree char *path = g_build_filename(folder, companions[i], NULL),
                        *to = g_build_filename("BOOT", companions[i], NULL);
        if (has(files, path))
            add_copy(words, folder, companions[i], to);
    }
}

void boot_copy_loader(const char *files, GPtrArray *words)
{
    static const char *const loaders[] = {"shimx64.efi", "grubx64.efi",
                                          "systemd-bootx64.efi"}; /* the best first */
    g_auto(GStrv) lines = g_strsplit(files, "\n", 0);

    for (guint i = 0; lines[i]; i++)
        if (*lines[i] == '/')
            memmove(lines[i], lines[i] + 1, strlen(lines[i]));
    if (has(lines, DEFAULT_LOADER))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(loaders); i++)
        for (guint j = 0; lines[j]; j++) {
            g_autofree char *folder = folder_of(lines[j], loaders[i]);
            if (folder && g_ascii_strcasecmp(folder, "BOOT")) {
                copy_from(folder, loaders[i], lines, words);
                return;
            }
        }
}

/* ---- encrypted devices ------------------------------------------------------------------------- */

static gboolean has_option(const char *options, const char *option)
{
    g_auto(GStrv) list = g_strsplit(options, ",", 0);
    return g_strv_contains((const char *const *)list, option);
}

/* A line is NAME SOURCE KEY OPTIONS. Its end with the option, NULL when it is none of ours. */
static const char *addition(const char *line)
{
    char name[256], key[256], options[512] = "";
    int fields = sscanf(line, " %255s %*s %255s %511s", name, key, options);

    if (fields < 2 || *name == '#' || (strcmp(key, "none") && strcmp(key, "-")))
        return NULL;
    if (fields == 2)
        return " luks,initramfs";
    return has_option(options, "initramfs") || has_option(options, "noauto") || has_option(options, "nofail")
               ? NULL
               : ",initramfs";
}

char *boot_crypttab(const char *crypttab)
{
    g_auto(GStrv) lines = g_strsplit(crypttab, "\n", 0);
    gboolean changed = FALSE;

    for (guint i = 0; lines[i]; i++) {
        const char *end = addition(lines[i]);
        char *line = end ? g_strconcat(g_strchomp(lines[i]), end, NULL) : NULL;

        if (!line)
            continue;
        g_free(lines[i]);
        lines[i] = line;
        changed = TRUE;
    }
    return changed ? g_strjoinv("\n", lines) : NULL;
}

/* ---- both in the guest ------------------------------------------------------------------------- */

static gboolean opens_by_crypttab(const json_t *guest)
{
    static const char *const kin[] = {"debian", "ubuntu", "linuxmint", "kalilinux", NULL};
    return g_strv_contains(kin, json_string_at(guest, "distro", ""));
}

/* Adds the words that put the changed file in the place of the guest's. Its owner and mode stay. */
static gboolean add_crypttab(const char *file, GPtrArray *words, GError **error)
{
    g_autofree char *text = NULL, *changed = NULL;

    if (g_file_test(file, G_FILE_TEST_IS_SYMLINK)) /* the guest chose where it leads, which would be here */
        return TRUE;
    if (!g_file_get_contents(file, &text, NULL, NULL) || !(changed = boot_crypttab(text)))
        return TRUE; /* it has none, or nothing to add */
    if (!g_file_set_contents(file, changed, -1, error))
        return FALSE;
    if (words->len)
        g_ptr_array_add(words, g_strdup(":"));
    g_ptr_array_add(words, g_strdup("upload"));
    g_ptr_array_add(words, g_strdup(file));
    g_ptr_array_add(words, g_strdup("/etc/crypttab"));
    return TRUE;
}

/* The minus: a guest without them is no error. */
static char *look(const Guestfs *guestfs, const char *folder, GCancellable *cancel, GError **error)
{
    static const char *const before[] = {"guestfish", "--ro", "--format=raw", NULL};
    const char *after[] = {"-i", "--", "-copy-out", "/etc/crypttab", folder, ":", "-find", LOADERS, NULL};
    return guestfs_ask(guestfs, before, after, cancel, error);
}

gboolean boot_prepare(const Guestfs *guestfs, const json_t *guest, const char *folder, GCancellable *cancel,
                      GError **error)
{
    gboolean encrypted = guestfs->keys->len && opens_by_crypttab(guest), efi = guestfs->spec->efi;
    g_autofree char *crypttab = g_build_filename(folder, "crypttab", NULL), *files = NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    if ((!encrypted && !efi) || strcmp(json_string_at(guest, "type", ""), "linux"))
        return TRUE;
    if (json_array_size(json_at(guest, "others"))) {
        log_warn("how several operating systems start is left as it is", "vm", guestfs->spec->vm_id, NULL);
        return TRUE;
    }
    if (!(files = look(guestfs, folder, cancel, error)))
        return FALSE;
    if (efi)
        boot_copy_loader(files, words);
    if (encrypted && !add_crypttab(crypttab, words, error))
        return FALSE;
    if (!words->len)
        return TRUE;
    g_ptr_array_add(words, NULL);
    return guestfs_write(guestfs, (const char *const *)words->pdata, cancel, error);
}
