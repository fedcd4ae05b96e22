/* overlay: qemu-img, and a marker that survives. */
#include "convert/overlay.h"
#include "convert/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MARKER_LIMIT 65536

static char *marker_path(const ConvertDisk *disk)
{
    return g_strconcat(disk->overlay, ".commit", NULL);
}

OverlayState overlay_state(const ConvertDisk *disk, json_t **note)
{
    g_autofree char *path = marker_path(disk);
    g_autoptr(json_t) marker = json_parse_file(path, MARKER_LIMIT, NULL);

    *note = json_incref(json_at(marker, "note"));
    if (!marker)
        return OVERLAY_NONE;
    return json_bool_at(marker, "committed", FALSE) ? OVERLAY_COMMITTED : OVERLAY_CONVERTED;
}

static gboolean write_marker(const ConvertDisk *disk, const json_t *note, gboolean committed, GError **error)
{
    g_autofree char *path = marker_path(disk), *text = NULL;
    g_autoptr(json_t) marker = json_pack("{s:b,s:O}", "committed", committed, "note", note);

    text = json_text(marker);
    return g_file_set_contents_full(
        path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

gboolean overlay_mark(const ConvertDisk *disk, const json_t *note, GError **error)
{
    return write_marker(disk, note, FALSE, error);
}

gboolean overlay_create(const ConvertDisk *disk, GCancellable *cancel, GError **error)
{
    const char *argv[] = {"qemu-img", "create", "-q",       "-f",          "qcow2", "-F",
                          "raw",      "-b",     disk->path, disk->overlay, NULL};
    const ToolOptions options = {0};

    overlay_discard(disk);
    return tool_run(argv, &options, cancel, error);
}

static gboolean flush(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    gboolean good = fd >= 0 && fsync(fd) == 0;

    if (!good)
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return good;
}

gboolean overlay_commit(const ConvertDisk *disk, GCancellable *cancel, GError **error)
{
    /* -d: the overlay is left as it is, so that a commit that was cut short can be run again */
    const char *argv[] = {"qemu-img", "commit", "-q", "-d", "-f", "qcow2", disk->overlay, NULL};
    const ToolOptions options = {0};
    g_autoptr(json_t) note = NULL;

    switch (overlay_state(disk, &note)) {
    case OVERLAY_COMMITTED:
        return TRUE;
    case OVERLAY_NONE:
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "disk %s: a commit without its marker", disk->id);
        return FALSE;
    default:
        return tool_run(argv, &options, cancel, error) && flush(disk->path, error) &&
               write_marker(disk, note, TRUE, error);
    }
}

void overlay_discard(const ConvertDisk *disk)
{
    unlink(disk->overlay);
}
