/* tarball: libarchive behind a temporary name. */
#include "gather/tarball.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

struct Tarball {
    struct archive *out; /* NULL once closed */
    char *path, *partial;
    guint count;
    gint64 time; /* seconds; every entry's */
};

static gboolean fail(const Tarball *tarball, const char *doing, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s %s: %s", doing, tarball->partial,
                archive_error_string(tarball->out));
    return FALSE;
}

Tarball *tarball_new(const char *path, GError **error)
{
    g_autoptr(Tarball) tarball = g_new0(Tarball, 1);

    tarball->path = g_strdup(path);
    tarball->partial = g_strconcat(path, ".partial", NULL);
    tarball->time = g_get_real_time() / G_USEC_PER_SEC;
    tarball->out = archive_write_new();
    archive_write_set_format_pax_restricted(tarball->out);
    archive_write_add_filter_gzip(tarball->out);
    if (archive_write_open_filename(tarball->out, tarball->partial) != ARCHIVE_OK) {
        fail(tarball, "write", error);
        return NULL;
    }
    return g_steal_pointer(&tarball);
}

void tarball_free(Tarball *tarball)
{
    if (tarball->out) {
        archive_write_free(tarball->out);
        g_unlink(tarball->partial);
    }
    g_free(tarball->path);
    g_free(tarball->partial);
    g_free(tarball);
}

gboolean tarball_add(Tarball *tarball, const char *path, const char *text, GError **error)
{
    gsize size = strlen(text);
    struct archive_entry *entry;
    gboolean written;

    if (!size)
        return TRUE;
    entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_size(entry, size);
    archive_entry_set_filetype(entry, S_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, tarball->time, 0);
    written = archive_write_header(tarball->out, entry) == ARCHIVE_OK &&
              archive_write_data(tarball->out, text, size) == (la_ssize_t)size;
    archive_entry_free(entry);
    tarball->count++;
    return written || fail(tarball, "write", error);
}

guint tarball_count(const Tarball *tarball)
{
    return tarball->count;
}

gboolean tarball_close(Tarball *tarball, GError **error)
{
    if (archive_write_close(tarball->out) != ARCHIVE_OK)
        return fail(tarball, "finish", error);
    if (g_rename(tarball->partial, tarball->path)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "rename %s to %s: %s", tarball->partial, tarball->path,
                    g_strerror(errno));
        return FALSE;
    }
    archive_write_free(g_steal_pointer(&tarball->out));
    return TRUE;
}
