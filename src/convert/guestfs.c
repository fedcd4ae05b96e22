/* guestfs: command lines. */
#include "convert/guestfs.h"
#include "convert/tool.h"
#include <string.h>

/* The value of ' NAME="…"'; NULL when it is not there. */
static char *attribute(const char *line, const char *name)
{
    g_autofree char *begin = g_strdup_printf(" %s=\"", name);
    const char *value = strstr(line, begin), *end = value ? strchr(value + strlen(begin), '"') : NULL;

    return end ? g_strndup(value + strlen(begin), end - value - strlen(begin)) : NULL;
}

/* Goes on a command line. */
static gboolean is_plain(const char *id)
{
    return *id && strspn(id, "0123456789abcdefABCDEF-") == strlen(id);
}

gboolean guestfs_read_blkid(const char *line, char **device, char **type, char **id)
{
    const char *colon = strstr(line, ": ");
    g_autofree char *kind = attribute(line, "TYPE"), *uuid = attribute(line, "UUID");
    gboolean luks = !g_strcmp0(kind, "crypto_LUKS");

    if (!colon || !g_str_has_prefix(line, "/dev/") || (!luks && g_strcmp0(kind, "BitLocker")))
        return FALSE;
    *device = g_strndup(line, colon - line);
    *id = luks && uuid && is_plain(uuid) ? g_steal_pointer(&uuid) : g_strdup(*device);
    *type = g_steal_pointer(&kind);
    return TRUE;
}

void guestfs_add_keys(const Guestfs *guestfs, GPtrArray *argv)
{
    for (guint i = 0; guestfs->keys && i < guestfs->keys->len; i++) {
        g_ptr_array_add(argv, (gpointer) "--key");
        g_ptr_array_add(argv, guestfs->keys->pdata[i]);
    }
}

static void add_all(GPtrArray *argv, const char *const *words)
{
    for (; *words; words++)
        g_ptr_array_add(argv, (gpointer)*words);
}

void guestfs_explain_mount(GError **error)
{
    const char *start = error && *error ? strstr((*error)->message, "_stub: /dev/mapper/") : NULL;
    g_autofree char *device = NULL;

    if (!start || !g_error_matches(*error, GANTRY_ERROR, ERROR_CONVERSION_FAILED))
        return;
    start += strlen("_stub: ");
    device = g_strndup(start, strcspn(start, ": "));
    g_clear_error(error);
    g_set_error(error, GANTRY_ERROR, ERROR_GUEST_UNKNOWN,
                "/etc/fstab names the root file system %s, which is found only when the guest itself runs: "
                "name it by UUID= there",
                device);
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
    if (!(good = tool_run((const char *const *)argv->pdata, &options, cancel, error)))
        guestfs_explain_mount(error);
    return g_string_free(output, !good);
}

gboolean guestfs_write(const Guestfs *guestfs, const char *const *commands, GCancellable *cancel,
                       GError **error)
{
    static const char *const before[] = {"guestfish", "--rw", "--format=qcow2", NULL}, *const after[] = {
                                                                                           "-i", "--", NULL};
    const ToolOptions options = {.environment = guestfs->environment, .log = guestfs->spec->log};
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    add_all(argv, before);
    guestfs_add_keys(guestfs, argv);
    for (guint i = 0; i < guestfs->spec->n_disks; i++) {
        g_ptr_array_add(argv, (gpointer) "-a");
        g_ptr_array_add(argv, (gpointer)guestfs->spec->disks[i].overlay);
    }
    add_all(argv, after);
    add_all(argv, commands);
    g_ptr_array_add(argv, NULL);
    return tool_run((const char *const *)argv->pdata, &options, cancel, error);
}

char *guestfs_list(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    /* virt-filesystems takes no keys */
    const Guestfs without_keys = {guestfs->spec, guestfs->environment, NULL};
    static const char *const before[] = {"virt-filesystems", "--format=raw", NULL}, *const after[] = {
                                                                                        "--filesystems",
                                                                                        "--extra", "--long",
                                                                                        "--csv", NULL};
    return guestfs_ask(&without_keys, before, after, cancel, error);
}

/* In the appliance's own words: disks may have other names there than in libguestfs. */
static char **blkid(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    static const char *const before[] = {"guestfish", "--ro", "--format=raw", NULL};
    static const char *const after[] = {"--", "run", ":", "debug", "sh", "blkid", NULL};
    g_autofree char *list = guestfs_ask(guestfs, before, after, cancel, error);

    return list ? g_strsplit(list, "\n", 0) : NULL;
}

GPtrArray *guestfs_encrypted(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    const Guestfs without_keys = {guestfs->spec, guestfs->environment, NULL};
    g_auto(GStrv) lines = blkid(&without_keys, cancel, error);
    GPtrArray *devices = lines ? g_ptr_array_new_with_free_func(g_free) : NULL;

    for (guint i = 0; lines && lines[i]; i++) {
        g_autofree char *device = NULL, *type = NULL, *id = NULL;
        if (guestfs_read_blkid(lines[i], &device, &type, &id))
            g_ptr_array_add(devices, g_strdup_printf("%s (%s)", type, id));
    }
    return devices;
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
    g_auto(GStrv) lines = NULL;

    *guestfs = (Guestfs){spec, environment, g_ptr_array_new_with_free_func(g_free)};
    if (!spec->keys && !spec->clevis)
        return TRUE;
    if (!(lines = blkid(guestfs, cancel, error)))
        return FALSE;
    for (guint i = 0; lines[i] && !failed; i++) {
        g_autofree char *device = NULL, *type = NULL, *id = NULL;
        if (guestfs_read_blkid(lines[i], &device, &type, &id))
            add_keys_of(guestfs, id, &failed);
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
