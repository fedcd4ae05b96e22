/* guestfs: command lines. */
#include "convert/guestfs.h"
#include "convert/tool.h"
#include <string.h>

gboolean guestfs_is_encrypted(const char *type)
{
    return !strcmp(type, "crypto_LUKS") || !strcmp(type, "BitLocker");
}

void guestfs_add_keys(const Guestfs *guestfs, GPtrArray *argv)
{
    for (guint i = 0; i < guestfs->keys->len; i++) {
        g_ptr_array_add(argv, (gpointer) "--key");
        g_ptr_array_add(argv, guestfs->keys->pdata[i]);
    }
}

static void add_all(GPtrArray *argv, const char *const *words)
{
    for (; *words; words++)
        g_ptr_array_add(argv, (gpointer)*words);
}

char *guestfs_ask(const Guestfs *guestfs, const char *const *before, const char *const *after,
                  GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    GString *output = g_string_new(NULL);
    const ToolOptions options = {
        .environment = guestfs->environment, .output = output, .log = guestfs->spec->log};
    gboolean good;

    add_all(argv, before);
    guestfs_add_keys(guestfs, argv);
    for (guint i = 0; i < guestfs->spec->n_disks; i++) {
        g_ptr_array_add(argv, (gpointer) "-a");
        g_ptr_array_add(argv, (gpointer)guestfs->spec->disks[i].path);
    }
    add_all(argv, after);
    g_ptr_array_add(argv, NULL);
    good = tool_run((const char *const *)argv->pdata, &options, cancel, error);
    return g_string_free(output, !good);
}

char *guestfs_list(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    static const char *const before[] = {"virt-filesystems", "--format=raw", NULL}, *const after[] = {
                                                                                        "--filesystems",
                                                                                        "--extra", "--long",
                                                                                        "--csv", NULL};
    return guestfs_ask(guestfs, before, after, cancel, error);
}

/* Any key may be any device's: there are few of both. */
static void add_keys_of(Guestfs *guestfs, const char *device, GError **error)
{
    g_autoptr(GDir) folder = guestfs->spec->keys ? g_dir_open(guestfs->spec->keys, 0, error) : NULL;
    const char *name;

    if (guestfs->spec->clevis)
        g_ptr_array_add(guestfs->keys, g_strconcat(device, ":clevis", NULL));
    while (folder && (name = g_dir_read_name(folder)))
        if (*name != '.') /* a mounted Secret has folders of its own that begin so */
            g_ptr_array_add(guestfs->keys,
                            g_strdup_printf("%s:file:%s/%s", device, guestfs->spec->keys, name));
}

gboolean guestfs_open(Guestfs *guestfs, const ConvertSpec *spec, char **environment, GCancellable *cancel,
                      GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autofree char *list = NULL;
    g_auto(GStrv) lines = NULL;

    *guestfs = (Guestfs){spec, environment, g_ptr_array_new_with_free_func(g_free)};
    if (!spec->keys && !spec->clevis)
        return TRUE;
    if (!(list = guestfs_list(guestfs, cancel, error)))
        return FALSE;
    lines = g_strsplit(list, "\n", 0);
    for (guint i = 0; lines[i] && !failed; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", 4);
        if (g_strv_length(fields) >= 3 && guestfs_is_encrypted(fields[2]))
            add_keys_of(guestfs, fields[0], &failed);
    }
    if (!failed)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "the folder with the disk's keys: %s", failed->message);
    return FALSE;
}

void guestfs_close(Guestfs *guestfs)
{
    g_clear_pointer(&guestfs->keys, g_ptr_array_unref);
}
