/* backup: files from one directory into another, the telling one last. */
#include "local/apiserver/backup.h"
#include "base/clock.h"
#include "local/apiserver/server.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define DATABASE "state.db"
#define KEYS     "pki"
#define LABEL    "backup.json"
#define FORMAT   1

enum { LABEL_LIMIT = 4096, HISTORY = 1 };

static gboolean fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s %s: %s", what, path, g_strerror(errno));
    return FALSE;
}

static gboolean make_directory(const char *path, GError **error)
{
    return g_mkdir(path, 0700) == 0 || errno == EEXIST || fail(error, "cannot make", path);
}

static gboolean sync_path(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    gboolean done = fd >= 0 && fsync(fd) == 0;

    if (!done)
        fail(error, "cannot sync", path);
    if (fd >= 0)
        close(fd);
    return done;
}

static gboolean copy_keys(const char *from, const char *to, GError **error)
{
    g_autofree char *source = g_build_filename(from, KEYS, NULL), *target = g_build_filename(to, KEYS, NULL);
    g_autoptr(GDir) keys = g_dir_open(source, 0, error);
    const char *name;

    if (!keys || !make_directory(target, error))
        return FALSE;
    while ((name = g_dir_read_name(keys))) {
        g_autofree char *one = g_build_filename(source, name, NULL),
                        *copy = g_build_filename(target, name, NULL), *text = NULL;
        gsize size;
        if (!g_file_get_contents(one, &text, &size, error) ||
            !g_file_set_contents_full(copy, text, size, G_FILE_SET_CONTENTS_DURABLE, 0600, error))
            return FALSE;
        explicit_bzero(text, size);
    }
    return sync_path(target, error);
}

/* ---- making ---- */

static gboolean write_label(const char *directory, const char *data, guint64 revision, GError **error)
{
    g_autofree char *path = g_build_filename(directory, LABEL, NULL), *now = clock_now();
    g_autoptr(json_t) label = json_pack("{s:i,s:s,s:s,s:s,s:I}", "format", FORMAT, "gantry", GANTRY_VERSION,
                                        "made", now, "data", data, "revision", (json_int_t)revision);
    g_autofree char *text = json_text(label);

    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

gboolean backup_make(Store *store, const char *data, const char *directory, guint64 *revision, GError **error)
{
    g_autofree char *database = g_build_filename(directory, DATABASE, NULL);

    if (!g_path_is_absolute(directory) || g_file_test(directory, G_FILE_TEST_EXISTS)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "backup directory '%s': must be an absolute path where nothing is yet", directory);
        return FALSE;
    }
    return make_directory(directory, error) && store_backup(store, database, revision, error) &&
           copy_keys(data, directory, error) && sync_path(directory, error) &&
           write_label(directory, data, *revision, error);
}

/* The lock that whoever serves the data directory holds; -1: not to be had. */
static int lock_data(const char *data, GError **error)
{
    g_autofree char *path = g_build_filename(data, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        fail(error, "cannot open", path);
    } else if (flock(fd, LOCK_EX | LOCK_NB)) {
        g_set_error(error, GANTRY_ERROR, ERROR_DATA_IN_USE, "%s is in use by another process", data);
        close(fd);
        fd = -1;
    }
    return fd;
}

gboolean backup_make_offline(const char *data, const char *directory, guint64 *revision, GError **error)
{
    g_autofree char *database = g_build_filename(data, DATABASE, NULL);
    g_autoptr(Store) store = NULL;
    gboolean done = FALSE;
    int lock;

    if (!g_file_test(database, G_FILE_TEST_EXISTS)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "data directory '%s': holds no " DATABASE, data);
        return FALSE;
    }
    lock = lock_data(data, error);
    if (lock < 0)
        return FALSE;
    store = store_open(database, HISTORY, error);
    done = store && backup_make(store, data, directory, revision, error);
    g_clear_pointer(&store, store_close);
    close(lock);
    return done;
}

/* ---- restoring ---- */

/* The objects name the disks by their paths, so a backup belongs to the data directory that it is of. */
static gboolean check_label(const char *directory, const char *data, GError **error)
{
    g_autofree char *path = g_build_filename(directory, LABEL, NULL);
    g_autoptr(json_t) label = json_parse_file(path, LABEL_LIMIT, NULL);
    const char *of = json_string_at(label, "data", "");

    if (json_int_at(label, "format", 0) != FORMAT) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "'%s' holds no whole backup that this version can read: " LABEL
                    " must be there and say format %d",
                    directory, FORMAT);
        return FALSE;
    }
    if (!strcmp(of, data))
        return TRUE;
    g_set_error(
        error, GANTRY_ERROR, ERROR_BAD_INPUT,
        "data directory '%s': the backup is of %s, where its disks lie, and can be put back only there", data,
        of);
    return FALSE;
}

/* Under its own name only when it is whole. */
static gboolean copy_database(const char *from, const char *to, GError **error)
{
    g_autofree char *source = g_build_filename(from, DATABASE, NULL),
                    *target = g_build_filename(to, DATABASE, NULL),
                    *part = g_strconcat(target, ".part", NULL);
    g_autoptr(GFile) whole = g_file_new_for_path(source), copy = g_file_new_for_path(part);

    if (!g_file_copy(whole, copy, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error) || !sync_path(part, error))
        return FALSE;
    return g_rename(part, target) == 0 || fail(error, "cannot make", target);
}

gboolean backup_restore(const char *directory, const char *data, GError **error)
{
    g_autofree char *database = g_build_filename(data, DATABASE, NULL),
                    *log = g_strconcat(database, "-wal", NULL);
    gboolean done = FALSE;
    int lock;

    if (!check_label(directory, data, error))
        return FALSE;
    if (g_mkdir_with_parents(data, 0700) < 0)
        return fail(error, "cannot make", data);
    lock = lock_data(data, error);
    if (lock < 0)
        return FALSE;
    /* the log of another database would be played into this one */
    if (g_file_test(database, G_FILE_TEST_EXISTS) || g_file_test(log, G_FILE_TEST_EXISTS))
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "data directory '%s': has a " DATABASE " already, or its -wal file; move both away first",
                    data);
    else
        done = copy_keys(directory, data, error) && copy_database(directory, data, error) &&
               sync_path(data, error);
    close(lock);
    return done;
}

/* ---- asked of the server ---- */

void serve_backup(Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = request_body(request, &error);
    g_autofree char *data = g_path_get_dirname(request->server->kubeconfig);
    guint64 revision;

    if (body &&
        backup_make(request->server->store, data, json_string_at(body, "directory", ""), &revision, &error))
        answer_json(request, 201, json_pack("{s:I}", "revision", (json_int_t)revision));
    else
        answer_error(request, error);
}
