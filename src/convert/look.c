/* look: one question for the operating system, one for everything inside it. */
#include "convert/look.h"
#include "convert/inspect.h"
#include <string.h>

#define MARK "== "

/* The report is a Pod's termination message, of which 4096 bytes are kept: this leaves room for the rest. */
enum { MOST_CONCERNS = 6, ASSESSMENT_LIMIT = 380 };

static void add_concern(json_t *concerns, const char *category, const char *label, const char *assessment)
{
    g_autofree char *valid = g_utf8_make_valid(assessment, -1), *text = NULL;

    if (json_array_size(concerns) >= MOST_CONCERNS)
        return;
    if (strlen(valid) > ASSESSMENT_LIMIT) {
        *g_utf8_find_prev_char(valid, valid + ASSESSMENT_LIMIT) = '\0';
        text = g_strconcat(valid, " …", NULL);
    }
    json_array_append_new(concerns, json_pack("{s:s,s:s,s:s}", "category", category, "label", label,
                                              "assessment", text ? text : valid));
}

/* A refusal of the conversion is a concern of the plan; anything else stays an error. */
static gboolean become_concern(GError **failed, json_t *concerns, GError **error)
{
    static const int refusals[] = {ERROR_GUEST_UNKNOWN, ERROR_GUEST_ENCRYPTED, ERROR_GUEST_HIBERNATED,
                                   ERROR_GUEST_NO_SPACE, ERROR_GUEST_NO_DRIVERS};

    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (g_error_matches(*failed, GANTRY_ERROR, refusals[i])) {
            g_autofree char *assessment =
                g_strdup_printf("%s. %s", (*failed)->message, error_remedy(*failed));
            add_concern(concerns, "Critical", error_reason(*failed), assessment);
            g_clear_error(failed);
            return TRUE;
        }
    g_propagate_error(error, g_steal_pointer(failed));
    return FALSE;
}

/* What virt-v2v asks for at least. */
static guint64 needed_on(const char *mount_point)
{
    if (!strcmp(mount_point, "/"))
        return 100;
    return !strcmp(mount_point, "/boot") ? 50 : 10;
}

void look_at_free_space(const char *free_space, json_t *concerns)
{
    g_auto(GStrv) lines = g_strsplit(free_space, "\n", 0);

    for (guint i = 0; lines[i]; i++) {
        char device[256], mount[512];
        guint64 size, used, free_kib;
        const char *point;

        if (sscanf(lines[i],
                   "%255s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %*s %511s",
                   device, &size, &used, &free_kib, mount) != 5 ||
            !g_str_has_prefix(device, "/dev/") || !g_str_has_prefix(mount, "/sysroot"))
            continue;
        point = mount[strlen("/sysroot")] ? mount + strlen("/sysroot") : "/";
        if (free_kib / 1024 < needed_on(point)) {
            g_autofree char *text = g_strdup_printf("%s (%s) has %" G_GUINT64_FORMAT
                                                    " MB free; the conversion needs %" G_GUINT64_FORMAT
                                                    " MB. Free space there before the migration.",
                                                    point, device, free_kib / 1024, needed_on(point));
            add_concern(concerns, "Critical", "Not enough free space in the guest", text);
        }
    }
}

void look_at_fstab(const char *fstab, json_t *concerns)
{
    g_auto(GStrv) lines = g_strsplit(fstab, "\n", 0);
    g_autoptr(GString) lost = g_string_new(NULL), named = g_string_new(NULL);

    for (guint i = 0; lines[i]; i++) {
        char device[256], mount[256];
        GString *list = NULL;

        if (sscanf(lines[i], " %255s %255s", device, mount) != 2 || *device == '#')
            continue;
        if (g_str_has_prefix(device, "/dev/disk/by-path/") || g_str_has_prefix(device, "/dev/disk/by-id/"))
            list = lost;
        else if (g_str_has_prefix(device, "/dev/sd") || g_str_has_prefix(device, "/dev/hd") ||
                 g_str_has_prefix(device, "/dev/xvd"))
            list = named;
        if (list)
            g_string_append_printf(list, "%s%s on %s", list->len ? ", " : "", device, mount);
    }
    if (lost->len) {
        g_autofree char *text = g_strdup_printf(
            "/etc/fstab mounts %s. Such names depend on the virtual hardware and will not be there after the "
            "migration. Use UUID= or LABEL= there.",
            lost->str);
        add_concern(concerns, "Warning", "Disks are mounted by hardware path", text);
    }
    if (named->len) {
        g_autofree char *text =
            g_strdup_printf("/etc/fstab mounts %s. The conversion rewrites these names.", named->str);
        add_concern(concerns, "Information", "Disks are mounted by device name", text);
    }
}

/* A device and what is on it, in either program's words: "/dev/sda5,filesystem,swsuspend," or "/dev/sda5:
 * swsuspend". */
void look_at_file_systems(const char *list, json_t *concerns)
{
    g_auto(GStrv) lines = g_strsplit(list, "\n", 0);

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", 4);
        const char *colon = strstr(lines[i], ": ");
        g_autofree char *device = colon ? g_strndup(lines[i], colon - lines[i]) : g_strdup(fields[0]),
                        *text = NULL;

        if (colon ? strcmp(colon + 2, "swsuspend")
                  : g_strv_length(fields) < 3 || strcmp(fields[2], "swsuspend"))
            continue;
        text = g_strdup_printf("%s holds the memory of a hibernated system. Start the VM in the source and "
                               "shut it down.",
                               device);
        add_concern(concerns, "Critical", "The guest is hibernated", text);
    }
}

/* What stands between a mark and the next one. */
static char *section(const char *text, const char *name)
{
    g_autofree char *mark = g_strconcat(MARK, name, "\n", NULL);
    const char *start = strstr(text, mark), *end;

    if (!start)
        return g_strdup("");
    start += strlen(mark);
    end = strstr(start, MARK);
    return g_strndup(start, end ? (gsize)(end - start) : strlen(start));
}

gboolean look_at_drivers(const char *drivers)
{
    return strstr(drivers, "virtio_blk") || strstr(drivers, "virtio_scsi") || strstr(drivers, "true");
}

/* The minus before a command: it may fail. Drivers are modules, built into the kernel, or Windows' (is-file
 * says true or false). */
static const char questions[] =
    "-i -- echo == df : -df : echo == fstab : -cat /etc/fstab : echo == drivers : "
    "-glob-expand /lib/modules/*/kernel/drivers/block/virtio_blk.ko* : "
    "-glob-expand /lib/modules/*/kernel/drivers/scsi/virtio_scsi.ko* : "
    "-glob grep virtio_blk /lib/modules/*/modules.builtin : "
    "-is-file win:\\windows\\system32\\drivers\\viostor.sys : "
    "-is-file win:\\windows\\system32\\drivers\\vioscsi.sys : "
    "echo == list : list-filesystems";

/* *virtio: whether the guest has drivers for virtio disks. */
static gboolean look_inside(const Guestfs *guestfs, json_t *concerns, gboolean *virtio, GCancellable *cancel,
                            GError **error)
{
    static const char *const before[] = {"guestfish", "--ro", "--format=raw", NULL};
    g_auto(GStrv) after = g_strsplit(questions, " ", -1);
    g_autofree char *said = guestfs_ask(guestfs, before, (const char *const *)after, cancel, error),
                    *df = NULL, *fstab = NULL, *drivers = NULL, *list = NULL;

    if (!said)
        return FALSE;
    df = section(said, "df");
    fstab = section(said, "fstab");
    drivers = section(said, "drivers");
    list = section(said, "list");
    look_at_free_space(df, concerns);
    look_at_fstab(fstab, concerns);
    look_at_file_systems(list, concerns);
    *virtio = look_at_drivers(drivers);
    return TRUE;
}

/* Where there is no one system to look into. */
static gboolean look_outside(const Guestfs *guestfs, json_t *concerns, GCancellable *cancel, GError **error)
{
    g_autofree char *list = guestfs_list(guestfs, cancel, error);

    if (list)
        look_at_file_systems(list, concerns);
    return list != NULL;
}

static void look_at_roots(const Guestfs *guestfs, const json_t *guest, json_t *concerns)
{
    const json_t *others = json_at(guest, "others");
    g_autoptr(GString) roots = g_string_new(json_string_at(guest, "root", ""));
    g_autofree char *text = NULL;

    if (!json_array_size(others) || guestfs->spec->root)
        return;
    for (gsize i = 0; i < json_array_size(others); i++)
        g_string_append_printf(roots, ", %s", json_string_at(json_array_get(others, i), "root", ""));
    text = g_strdup_printf("There are several operating systems, on %s. The first is converted; set rootDisk "
                           "in the plan's VM to choose another.",
                           roots->str);
    add_concern(concerns, "Warning", "Several operating systems", text);
}

json_t *look_at_guest(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) concerns = json_array(), guest = NULL;
    g_autoptr(GError) failed = NULL;
    gboolean virtio = FALSE;

    guest = inspect_guest(guestfs, cancel, &failed);
    if (failed && !become_concern(&failed, concerns, error))
        return NULL;
    if (guest)
        look_at_roots(guestfs, guest, concerns);
    if (!guest || json_array_size(json_at(guest, "others")))
        return look_outside(guestfs, concerns, cancel, error)
                   ? json_pack("{s:O?,s:O}", "os", guest, "concerns", concerns)
                   : NULL;
    if (!look_inside(guestfs, concerns, &virtio, cancel, &failed))
        return become_concern(&failed, concerns, error)
                   ? json_pack("{s:O,s:O}", "os", guest, "concerns", concerns)
                   : NULL;
    return json_pack("{s:O,s:O,s:b}", "os", guest, "concerns", concerns, "virtio", (int)virtio);
}
