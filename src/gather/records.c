/* records: a sorted array in memory, a file per record. */
#include "gather/records.h"
#include "base/clock.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

enum { MOST_RECORD_SIZE = 1 << 20 };

struct Records {
    char *dir;
    GMutex lock;
    GPtrArray *all; /* of json_t, by id */
    gint64 last_id;
};

static gint64 id_of(const json_t *record)
{
    return json_int_at(record, "id", 0);
}

static char *path_of(const Records *records, gint64 id, const char *suffix)
{
    return g_strdup_printf("%s/%" G_GINT64_FORMAT "%s", records->dir, id, suffix);
}

char *records_archive(const Records *records, gint64 id)
{
    return path_of(records, id, ".tar.gz");
}

static gboolean save(const Records *records, json_t *record, GError **error)
{
    g_autofree char *path = path_of(records, id_of(record), ".json"), *now = clock_now(), *text = NULL;

    json_object_set_new(record, "updated-at", json_string(now));
    text = json_text(record);
    return g_file_set_contents_full(
        path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

/* ---- life ---- */

static gboolean is_open(const json_t *record)
{
    const char *status = json_string_at(record, "status", "");
    return !strcmp(status, "new") || !strcmp(status, "inprogress");
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    gint64 one = id_of(*(json_t *const *)a), other = id_of(*(json_t *const *)b);
    return (one > other) - (one < other);
}

static gboolean load(Records *records, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(records->dir, name, NULL);
    g_autoptr(json_t) record = json_parse_file(path, MOST_RECORD_SIZE, error);

    if (!record)
        return FALSE;
    if (is_open(record)) {
        json_object_set_new(record, "status", json_string("error"));
        json_object_set_new(record, "exec-output",
                            json_string("the service was started anew meanwhile; ask again"));
        if (!save(records, record, error))
            return FALSE;
    }
    records->last_id = MAX(records->last_id, id_of(record));
    g_ptr_array_add(records->all, g_steal_pointer(&record));
    return TRUE;
}

Records *records_open(const char *dir, GError **error)
{
    g_autoptr(Records) records = g_new0(Records, 1);
    g_autoptr(GDir) folder = NULL;
    const char *name;

    records->dir = g_strdup(dir);
    records->all = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    g_mutex_init(&records->lock);
    if (g_mkdir_with_parents(dir, 0700)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "make directory %s: %s", dir, g_strerror(errno));
        return NULL;
    }
    folder = g_dir_open(dir, 0, error);
    while (folder && (name = g_dir_read_name(folder)))
        if (g_str_has_suffix(name, ".json") && !load(records, name, error))
            return NULL;
    g_ptr_array_sort(records->all, by_id);
    return folder ? g_steal_pointer(&records) : NULL;
}

void records_free(Records *records)
{
    g_free(records->dir);
    g_ptr_array_unref(records->all);
    g_mutex_clear(&records->lock);
    g_free(records);
}

/* ---- changes ---- */

gint64 records_add(Records *records, const json_t *request, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&records->lock);
    g_autoptr(json_t) record = json_deep_copy(request);
    g_autofree char *now = clock_now();
    gint64 id = ++records->last_id;

    json_object_set_new(record, "id", json_integer(id));
    json_object_set_new(record, "created-at", json_string(now));
    json_object_set_new(record, "status", json_string("new"));
    json_object_set_new(record, "archive-size", json_integer(0));
    if (!save(records, record, error))
        return 0;
    g_ptr_array_add(records->all, g_steal_pointer(&record));
    return id;
}

/* Borrowed; under the lock. */
static json_t *by_number(Records *records, gint64 id)
{
    for (guint i = 0; i < records->all->len; i++)
        if (id_of(records->all->pdata[i]) == id)
            return records->all->pdata[i];
    return NULL;
}

gboolean records_change(Records *records, gint64 id, json_t *changes, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&records->lock);
    g_autoptr(json_t) taken = changes;
    json_t *record = by_number(records, id);

    if (!record)
        return TRUE; /* swept meanwhile */
    json_object_update(record, taken);
    return save(records, record, error);
}

json_t *records_find(Records *records, const char *id_or_name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&records->lock);
    guint64 id;

    if (g_ascii_string_to_unsigned(id_or_name, 10, 1, G_MAXINT64, &id, NULL)) {
        json_t *record = by_number(records, id);
        return record ? json_deep_copy(record) : NULL;
    }
    for (guint i = records->all->len; i-- > 0;)
        if (!strcmp(json_string_at(records->all->pdata[i], "custom-name", ""), id_or_name))
            return json_deep_copy(records->all->pdata[i]);
    return NULL;
}

json_t *records_list(Records *records)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&records->lock);
    json_t *list = json_array();

    for (guint i = 0; i < records->all->len; i++)
        json_array_append_new(list, json_deep_copy(records->all->pdata[i]));
    return list;
}

guint records_waiting(Records *records)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&records->lock);
    guint count = 0;

    for (guint i = 0; i < records->all->len; i++)
        count += is_open(records->all->pdata[i]);
    return count;
}

void records_sweep(Records *records, gint64 age_us)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&records->lock);
    gint64 oldest = g_get_real_time() - age_us;

    for (guint i = records->all->len; i-- > 0;) {
        const json_t *record = records->all->pdata[i];
        gint64 changed = clock_parse(json_string_at(record, "updated-at", ""));
        g_autofree char *file = path_of(records, id_of(record), ".json");
        g_autofree char *archive = records_archive(records, id_of(record));
        if (is_open(record) || changed >= oldest)
            continue;
        g_unlink(archive);
        g_unlink(file);
        g_ptr_array_remove_index(records->all, i);
    }
}
