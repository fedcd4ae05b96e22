/* remote: readers, sockets, one look. */
#include "convert/remote.h"
#include "convert/look.h"
#include "convert/workshop.h"
#include "copy/nbd_export.h"

typedef struct {
    CopySpec *spec;
    Reader *reader;
    NbdExport *server;
    char *uri;
} RemoteDisk;

static void close_disk(gpointer data)
{
    RemoteDisk *disk = data;

    nbd_export_stop(disk->server);
    reader_close(disk->reader);
    copy_spec_free(disk->spec);
    g_free(disk->uri);
    g_free(disk);
}

static gboolean open_disk(GPtrArray *disks, ConvertDisk *wanted, const char *folder, GCancellable *cancel,
                          GError **error)
{
    RemoteDisk *disk = g_new0(RemoteDisk, 1);
    g_autofree char *path = g_strdup_printf("%s/%u.nbd", folder, disks->len);

    g_ptr_array_add(disks, disk);
    if (!(disk->spec = copy_spec_read(wanted->copy, error)) ||
        !(disk->reader = reader_open(disk->spec, cancel, error)) ||
        !(disk->server = nbd_export_start(disk->reader, path, error))) {
        g_prefix_error(error, "disk %s: ", wanted->id);
        return FALSE;
    }
    disk->uri = g_strconcat("nbd:///?socket=", path, NULL);
    wanted->path = disk->uri;
    return TRUE;
}

static json_t *not_looked_at(const Reader *reader)
{
    g_autofree char *text = g_strdup_printf("The disks can only be read from their beginning to their end "
                                            "(%s), so the guest is looked at when they have been copied.",
                                            reader->choice);
    return json_pack("{s:n,s:[{s:s,s:s,s:s}]}", "os", "concerns", "category", "Information", "label",
                     "Guest not inspected before the copy", "assessment", text);
}

/* Of a read that the tools only know as an I/O error. */
static gboolean source_failed(GPtrArray *disks, GError **error)
{
    for (guint i = 0; i < disks->len; i++) {
        RemoteDisk *disk = disks->pdata[i];
        GError *failed = nbd_export_error(disk->server);

        if (!failed)
            continue;
        g_clear_error(error);
        g_propagate_prefixed_error(error, failed, "disk %s: ", disk->spec->disk_name);
        return TRUE;
    }
    return FALSE;
}

static json_t *look(const ConvertSpec *spec, const Workshop *workshop, GPtrArray *disks, GCancellable *cancel,
                    GError **error)
{
    g_auto(Guestfs) guestfs = {0};
    guint64 bytes = 0;
    g_autoptr(json_t) report = NULL;

    if (guestfs_open(&guestfs, spec, workshop->environment, cancel, error))
        report = look_at_guest(&guestfs, cancel, error);
    if (source_failed(disks, error) || !report)
        return NULL;
    for (guint i = 0; i < disks->len; i++)
        bytes += nbd_export_bytes(((RemoteDisk *)disks->pdata[i])->server);
    json_object_set_new(report, "bytesRead", json_integer(bytes));
    return g_steal_pointer(&report);
}

json_t *remote_look(ConvertSpec *spec, GCancellable *cancel, GError **error)
{
    g_auto(Workshop) workshop = {0};
    g_autoptr(GPtrArray) disks = g_ptr_array_new_with_free_func(close_disk); /* before the workshop goes */

    if (!spec->state) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "convert spec: state is missing; an inspection works there");
        return NULL;
    }
    if (!workshop_open(&workshop, spec->state, error))
        return NULL;
    for (guint i = 0; i < spec->n_disks; i++) {
        if (!open_disk(disks, &spec->disks[i], workshop.folder, cancel, error))
            return NULL;
        if (((RemoteDisk *)disks->pdata[i])->reader->sequential)
            return not_looked_at(((RemoteDisk *)disks->pdata[i])->reader);
    }
    return look(spec, &workshop, disks, cancel, error);
}
