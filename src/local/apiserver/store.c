/* store: one writer thread with group commit, a sorted shelf per resource, a ring of changes. */
#include "local/apiserver/store.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *resource;
    GTree *records;     /* Record as key and value, by namespace and name */
    GPtrArray *watches; /* of StoreWatch, not owned */
} Shelf;

struct StoreWatch {
    Shelf *shelf;
    char *ns;
    StoreChange changed;
    gpointer user_data;
};

/* A write on its way: it lives on the writer's stack, whose thread waits for done. */
typedef struct {
    StoreVerb verb;
    const char *resource, *ns, *name;
    guint64 expected;
    json_t *object;
    Record *record, *before;
    gboolean done;
    GError *error;
    GCond *finished;
} Write;

/* A backup on its way, likewise. */
typedef struct {
    const char *path;
    guint64 revision;
    gboolean done;
    GError *error;
    GCond finished;
} Copy;

struct Store {
    sqlite3 *db;
    sqlite3_stmt *put, *del, *mark;
    GThread *writer;

    GMutex lock; /* of the rest */
    GCond work;
    GQueue writes; /* of Write, not taken up yet */
    GQueue copies; /* of Copy, likewise */
    gboolean closing;
    guint64 revision;    /* the last that is durable */
    GHashTable *shelves; /* resource → Shelf */
    StoreEvent **ring;   /* the changes of late: that of position n at n % history */
    guint history, ring_used;
    guint64 ring_next; /* position of the next change */
    guint64 forgotten; /* changes up to this revision are not in the ring */
};

/* ---- records and events ---- */

Record *record_ref(Record *record)
{
    g_atomic_int_inc(&record->refs);
    return record;
}

void record_unref(Record *record)
{
    if (record && g_atomic_int_dec_and_test(&record->refs))
        g_free(record);
}

/* One block: the struct, then namespace, name and text. resource is the shelf's. */
static Record *record_new(const char *resource, const char *ns, const char *name, guint64 revision,
                          const char *text, gsize size)
{
    gsize ns_size = strlen(ns) + 1, name_size = strlen(name) + 1;
    Record *record = g_malloc(sizeof *record + ns_size + name_size + size + 1);
    char *at = (char *)(record + 1);

    *record = (Record){.refs = 1, .revision = revision, .resource = resource, .size = size};
    record->ns = memcpy(at, ns, ns_size);
    record->name = memcpy(at + ns_size, name, name_size);
    record->text = at + ns_size + name_size;
    if (text) {
        memcpy((char *)record->text, text, size);
        ((char *)record->text)[size] = 0;
    }
    return record;
}

Record *record_new_unstored(const char *ns, const char *name, const json_t *object)
{
    g_autofree char *text = json_text(object);
    return record_new("", ns, name, 0, text, strlen(text));
}

json_t *record_json(const Record *record)
{
    return json_loadb(record->text, record->size, JSON_DECODE_ANY, NULL);
}

GBytes *record_bytes(Record *record)
{
    return g_bytes_new_with_free_func(record->text, record->size, (GDestroyNotify)record_unref,
                                      record_ref(record));
}

static gint record_order(gconstpointer a, gconstpointer b, gpointer data)
{
    const Record *one = a, *two = b;
    int order = strcmp(one->ns, two->ns);
    return order ? order : strcmp(one->name, two->name);
}

StoreEvent *store_event_ref(StoreEvent *event)
{
    g_atomic_int_inc(&event->refs);
    return event;
}

void store_event_unref(StoreEvent *event)
{
    if (!event || !g_atomic_int_dec_and_test(&event->refs))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(event->lines); i++)
        g_clear_pointer(&event->lines[i], g_bytes_unref);
    record_unref(event->before);
    record_unref(event->after);
    record_unref(event->last);
    g_free(event);
}

/* ---- shelves ---- */

static void shelf_free(gpointer data)
{
    Shelf *shelf = data;
    g_tree_unref(shelf->records);
    g_ptr_array_unref(shelf->watches);
    g_free(shelf->resource);
    g_free(shelf);
}

static Shelf *shelf_of(Store *store, const char *resource)
{
    Shelf *shelf = g_hash_table_lookup(store->shelves, resource);

    if (!shelf) {
        shelf = g_new0(Shelf, 1);
        shelf->resource = g_strdup(resource);
        shelf->records = g_tree_new_full(record_order, NULL, NULL, (GDestroyNotify)record_unref);
        shelf->watches = g_ptr_array_new();
        g_hash_table_insert(store->shelves, shelf->resource, shelf);
    }
    return shelf;
}

static Record *shelf_find(const Shelf *shelf, const char *ns, const char *name)
{
    Record wanted = {.ns = ns, .name = name};
    return g_tree_lookup(shelf->records, &wanted);
}

/* The tree's key is the record itself, so key and value have to change together. */
static void shelf_put(Shelf *shelf, Record *record)
{
    g_tree_replace(shelf->records, record, record_ref(record));
}

guint64 store_revision(Store *store)
{
    guint64 revision;
    g_mutex_lock(&store->lock);
    revision = store->revision;
    g_mutex_unlock(&store->lock);
    return revision;
}

Record *store_get(Store *store, const char *resource, const char *ns, const char *name)
{
    Record *record;

    g_mutex_lock(&store->lock);
    record = shelf_find(shelf_of(store, resource), ns, name);
    if (record)
        record_ref(record);
    g_mutex_unlock(&store->lock);
    return record;
}

/* With the lock held. */
static GPtrArray *list_locked(const Shelf *shelf, const char *ns, const char *after_ns,
                              const char *after_name)
{
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)record_unref);
    Record from = {.ns = after_ns ? after_ns : ns ? ns : "", .name = after_name ? after_name : ""};
    GTreeNode *node =
        after_ns ? g_tree_upper_bound(shelf->records, &from) : g_tree_lower_bound(shelf->records, &from);

    for (; node; node = g_tree_node_next(node)) {
        Record *record = g_tree_node_value(node);
        if (ns && strcmp(record->ns, ns) != 0)
            break;
        g_ptr_array_add(records, record_ref(record));
    }
    return records;
}

GPtrArray *store_list(Store *store, const char *resource, const char *ns, const char *after_ns,
                      const char *after_name, guint64 *revision)
{
    GPtrArray *records;

    g_mutex_lock(&store->lock);
    records = list_locked(shelf_of(store, resource), ns, after_ns, after_name);
    *revision = store->revision;
    g_mutex_unlock(&store->lock);
    return records;
}

guint store_count(Store *store, const char *resource)
{
    guint count;
    g_mutex_lock(&store->lock);
    count = g_tree_nnodes(shelf_of(store, resource)->records);
    g_mutex_unlock(&store->lock);
    return count;
}

/* ---- watching ---- */

/* With the lock held. */
static void remember(Store *store, StoreEvent *event)
{
    StoreEvent **place = &store->ring[store->ring_next++ % store->history];

    if (*place) {
        store->forgotten = (*place)->revision;
        store_event_unref(*place);
    } else {
        store->ring_used++;
    }
    *place = store_event_ref(event);
}

static void publish(Store *store, StoreEvent *event)
{
    Shelf *shelf = shelf_of(store, event->last->resource);

    for (guint i = 0; i < shelf->watches->len; i++) {
        StoreWatch *watch = g_ptr_array_index(shelf->watches, i);
        if (!watch->ns || !strcmp(watch->ns, event->last->ns))
            watch->changed(event, watch->user_data);
    }
}

static GPtrArray *missed_since(Store *store, const Shelf *shelf, const char *ns, guint64 from)
{
    GPtrArray *missed = g_ptr_array_new_with_free_func((GDestroyNotify)store_event_unref);

    for (guint64 i = store->ring_next - store->ring_used; i < store->ring_next; i++) {
        StoreEvent *event = store->ring[i % store->history];
        if (event->revision > from && event->last->resource == shelf->resource &&
            (!ns || !strcmp(event->last->ns, ns)))
            g_ptr_array_add(missed, store_event_ref(event));
    }
    return missed;
}

StoreWatch *store_watch(Store *store, const char *resource, const char *ns, guint64 from, GPtrArray **records,
                        guint64 *revision, GPtrArray **missed, StoreChange changed, gpointer user_data,
                        GError **error)
{
    StoreWatch *watch = NULL;
    Shelf *shelf;

    g_mutex_lock(&store->lock);
    shelf = shelf_of(store, resource);
    if (!records && (from < store->forgotten || from > store->revision)) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_GONE,
                    "too old resource version: %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT ")", from,
                    store->forgotten);
    } else {
        if (records)
            *records = list_locked(shelf, ns, NULL, NULL);
        else
            *missed = missed_since(store, shelf, ns, from);
        *revision = store->revision;
        watch = g_new(StoreWatch, 1);
        *watch = (StoreWatch){shelf, g_strdup(ns), changed, user_data};
        g_ptr_array_add(shelf->watches, watch);
    }
    g_mutex_unlock(&store->lock);
    return watch;
}

void store_unwatch(Store *store, StoreWatch *watch)
{
    g_mutex_lock(&store->lock);
    g_ptr_array_remove_fast(watch->shelf->watches, watch);
    g_mutex_unlock(&store->lock);
    g_free(watch->ns);
    g_free(watch);
}

/* ---- writing ---- */

gboolean store_write(Store *store, StoreVerb verb, const char *resource, const char *ns, const char *name,
                     guint64 expected, json_t *object, Record **written, GError **error)
{
    GCond finished;
    Write write = {
        .verb = verb, .resource = resource, .ns = ns, .name = name, .expected = expected, .object = object};

    g_cond_init(&finished);
    write.finished = &finished;
    g_mutex_lock(&store->lock);
    g_queue_push_tail(&store->writes, &write);
    g_cond_signal(&store->work);
    while (!write.done)
        g_cond_wait(&finished, &store->lock);
    g_mutex_unlock(&store->lock);
    g_cond_clear(&finished);

    json_decref(object);
    record_unref(write.before);
    if (write.error) {
        g_propagate_error(error, write.error);
        record_unref(write.record);
        return FALSE;
    }
    if (written)
        *written = write.record;
    else
        record_unref(write.record);
    return TRUE;
}

/* The newest state that a write of this batch has to look at: an earlier one of the batch, else what is
 * stored. Gives a reference or NULL. */
static Record *batch_find(Store *store, GPtrArray *batch, const Write *write)
{
    Record *found;

    for (guint i = batch->len; i-- > 0;) {
        Write *earlier = g_ptr_array_index(batch, i);
        if (!strcmp(earlier->name, write->name) && !strcmp(earlier->ns, write->ns) &&
            !strcmp(earlier->resource, write->resource))
            return earlier->verb == STORE_DELETE ? NULL : record_ref(earlier->record);
    }
    g_mutex_lock(&store->lock);
    found = shelf_find(shelf_of(store, write->resource), write->ns, write->name);
    if (found)
        record_ref(found);
    g_mutex_unlock(&store->lock);
    return found;
}

static gboolean allowed(const Write *write, const Record *before, GError **error)
{
    int code = -1;

    if (write->verb == STORE_CREATE && before)
        code = ERROR_KUBE_ALREADY_EXISTS;
    else if (write->verb != STORE_CREATE && !before)
        code = ERROR_KUBE_NOT_FOUND;
    else if (write->verb != STORE_CREATE && write->expected && write->expected != before->revision)
        code = ERROR_KUBE_CONFLICT;
    if (code < 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, code, "%s \"%s\" %s", write->resource, write->name,
                code == ERROR_KUBE_ALREADY_EXISTS ? "already exists"
                : code == ERROR_KUBE_NOT_FOUND    ? "not found"
                                                  : "has changed meanwhile");
    return FALSE;
}

static int append_text(const char *piece, size_t size, void *text)
{
    g_string_append_len(text, piece, size);
    return 0;
}

/* The record of the write at this revision. scratch is reused from write to write. */
static Record *render(Store *store, Write *write, guint64 revision, GString *scratch)
{
    char number[24];
    const char *resource;

    g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, revision);
    json_set_at_new(write->object, "metadata.resourceVersion", json_string(number));
    g_string_truncate(scratch, 0);
    json_dump_callback(write->object, append_text, scratch, JSON_COMPACT | JSON_REAL_PRECISION(15));

    g_mutex_lock(&store->lock);
    resource = shelf_of(store, write->resource)->resource;
    g_mutex_unlock(&store->lock);
    return record_new(resource, write->ns, write->name, revision, scratch->str, scratch->len);
}

static gboolean step(Store *store, sqlite3_stmt *statement, GError **error)
{
    int result = sqlite3_step(statement);

    sqlite3_reset(statement);
    if (result == SQLITE_DONE || result == SQLITE_ROW)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "database: %s", sqlite3_errmsg(store->db));
    return FALSE;
}

static gboolean execute(Store *store, const char *sql, GError **error)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "database: %s", sqlite3_errmsg(store->db));
    return FALSE;
}

static gboolean save(Store *store, const Write *write, GError **error)
{
    sqlite3_stmt *statement = write->verb == STORE_DELETE ? store->del : store->put;

    sqlite3_bind_text(statement, 1, write->resource, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, write->ns, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, write->name, -1, SQLITE_STATIC);
    if (write->verb != STORE_DELETE) {
        sqlite3_bind_int64(statement, 4, write->record->revision);
        sqlite3_bind_text(statement, 5, write->record->text, write->record->size, SQLITE_STATIC);
    }
    return step(store, statement, error);
}

/* Writes the batch in one transaction; a write that is not allowed fails alone and leaves the batch. */
static gboolean commit(Store *store, GPtrArray *asked, GPtrArray *batch, guint64 *revision, GString *scratch,
                       GError **error)
{
    for (guint i = 0; i < asked->len; i++) {
        Write *write = g_ptr_array_index(asked, i);
        write->before = batch_find(store, batch, write);
        if (!allowed(write, write->before, &write->error))
            continue;
        write->record = render(store, write, ++*revision, scratch);
        g_ptr_array_add(batch, write);
    }
    if (!batch->len)
        return TRUE;
    if (!execute(store, "BEGIN IMMEDIATE", error))
        return FALSE;
    for (guint i = 0; i < batch->len; i++)
        if (!save(store, g_ptr_array_index(batch, i), error))
            return FALSE;
    sqlite3_bind_int64(store->mark, 1, *revision);
    return step(store, store->mark, error) && execute(store, "COMMIT", error);
}

/* With the lock held: what is durable becomes visible. */
static void show(Store *store, Write *write)
{
    Shelf *shelf = shelf_of(store, write->resource);
    g_autoptr(StoreEvent) event = g_new0(StoreEvent, 1);

    event->refs = 1;
    event->revision = write->record->revision;
    event->before = write->before ? record_ref(write->before) : NULL;
    event->last = record_ref(write->record);
    if (write->verb == STORE_DELETE) {
        g_tree_remove(shelf->records, write->record);
    } else {
        event->after = record_ref(write->record);
        shelf_put(shelf, write->record);
    }
    store->revision = event->revision;
    remember(store, event);
    publish(store, event);
}

static void run_batch(Store *store, GPtrArray *asked, GString *scratch)
{
    g_autoptr(GPtrArray) batch = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    guint64 revision = store->revision; /* only this thread changes it */
    gboolean good = commit(store, asked, batch, &revision, scratch, &error);

    if (!good)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    g_mutex_lock(&store->lock);
    for (guint i = 0; i < batch->len; i++) {
        Write *write = g_ptr_array_index(batch, i);
        if (good)
            show(store, write);
        else
            write->error = g_error_copy(error);
    }
    for (guint i = 0; i < asked->len; i++) {
        Write *write = g_ptr_array_index(asked, i);
        write->done = TRUE;
        g_cond_signal(write->finished);
    }
    g_mutex_unlock(&store->lock);
}

/* On the writer's own connection, as nobody else may open the database. */
static gboolean write_copy(Store *store, const char *path, GError **error)
{
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", path);
    gboolean done = execute(store, sql, error);
    int fd = done ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    sqlite3_free(sql);
    if (done && (fd < 0 || fchmod(fd, 0600) || fsync(fd))) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", path, g_strerror(errno));
        done = FALSE;
    }
    if (fd >= 0)
        close(fd);
    return done;
}

static void run_copy(Store *store, Copy *copy)
{
    copy->revision = store->revision; /* only this thread changes it */
    write_copy(store, copy->path, &copy->error);
    g_mutex_lock(&store->lock);
    copy->done = TRUE;
    g_cond_signal(&copy->finished);
    g_mutex_unlock(&store->lock);
}

gboolean store_backup(Store *store, const char *path, guint64 *revision, GError **error)
{
    Copy copy = {.path = path};

    g_cond_init(&copy.finished);
    g_mutex_lock(&store->lock);
    g_queue_push_tail(&store->copies, &copy);
    g_cond_signal(&store->work);
    while (!copy.done)
        g_cond_wait(&copy.finished, &store->lock);
    g_mutex_unlock(&store->lock);
    g_cond_clear(&copy.finished);
    *revision = copy.revision;
    if (copy.error)
        g_propagate_error(error, copy.error);
    return !copy.error;
}

static gpointer write_loop(gpointer data)
{
    Store *store = data;
    g_autoptr(GPtrArray) asked = g_ptr_array_new();
    g_autoptr(GString) scratch = g_string_sized_new(16384);

    for (;;) {
        Write *write;
        Copy *copy;
        g_mutex_lock(&store->lock);
        while (g_queue_is_empty(&store->writes) && g_queue_is_empty(&store->copies) && !store->closing)
            g_cond_wait(&store->work, &store->lock);
        copy = g_queue_pop_head(&store->copies);
        while (asked->len < 256 && (write = g_queue_pop_head(&store->writes)))
            g_ptr_array_add(asked, write);
        g_mutex_unlock(&store->lock);
        if (!asked->len && !copy)
            return NULL;
        if (asked->len)
            run_batch(store, asked, scratch);
        if (copy)
            run_copy(store, copy);
        g_ptr_array_set_size(asked, 0);
    }
}

/* ---- opening ---- */

static gboolean load(Store *store, GError **error)
{
    sqlite3_stmt *all = NULL, *mark = NULL;
    int result;

    if (sqlite3_prepare_v2(store->db, "SELECT resource, ns, name, revision, body FROM objects", -1, &all,
                           NULL) ||
        sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE key = 'revision'", -1, &mark, NULL)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "database: %s", sqlite3_errmsg(store->db));
        sqlite3_finalize(all);
        return FALSE;
    }
    while ((result = sqlite3_step(all)) == SQLITE_ROW) {
        Shelf *shelf = shelf_of(store, (const char *)sqlite3_column_text(all, 0));
        const char *text = (const char *)sqlite3_column_text(all, 4);
        g_autoptr(Record) record =
            record_new(shelf->resource, (const char *)sqlite3_column_text(all, 1),
                       (const char *)sqlite3_column_text(all, 2), sqlite3_column_int64(all, 3), text,
                       sqlite3_column_bytes(all, 4));
        shelf_put(shelf, record);
    }
    if (sqlite3_step(mark) == SQLITE_ROW)
        store->revision = store->forgotten = sqlite3_column_int64(mark, 0);
    sqlite3_finalize(all);
    sqlite3_finalize(mark);
    if (result == SQLITE_DONE)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "database: %s", sqlite3_errmsg(store->db));
    return FALSE;
}

static gboolean prepare(Store *store, const char *sql, sqlite3_stmt **statement, GError **error)
{
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "database: %s", sqlite3_errmsg(store->db));
    return FALSE;
}

/* Revision 1 is the empty store's, as 0 means "any" to clients. */
static gboolean open_database(Store *store, const char *path, GError **error)
{
    if (sqlite3_open_v2(path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_PRIVATECACHE,
                        NULL)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", path, sqlite3_errmsg(store->db));
        return FALSE;
    }
    return execute(store,
                   "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA cache_size = -512;"
                   "CREATE TABLE IF NOT EXISTS objects (resource TEXT, ns TEXT, name TEXT, revision INTEGER, "
                   "body TEXT,"
                   " PRIMARY KEY (resource, ns, name));"
                   "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
                   "INSERT OR IGNORE INTO meta VALUES ('format', 1), ('revision', 1)",
                   error) &&
           prepare(store,
                   "INSERT INTO objects VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                   " revision = excluded.revision, body = excluded.body",
                   &store->put, error) &&
           prepare(store, "DELETE FROM objects WHERE resource = ? AND ns = ? AND name = ?", &store->del,
                   error) &&
           prepare(store, "UPDATE meta SET value = ? WHERE key = 'revision'", &store->mark, error) &&
           load(store, error);
}

Store *store_open(const char *path, guint history, GError **error)
{
    Store *store = g_new0(Store, 1);

    g_mutex_init(&store->lock);
    g_cond_init(&store->work);
    store->history = history;
    store->ring = g_new0(StoreEvent *, history);
    store->shelves = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, shelf_free);
    if (!open_database(store, path, error)) {
        store_close(store);
        return NULL;
    }
    store->writer = g_thread_new("store-writer", write_loop, store);
    return store;
}

void store_close(Store *store)
{
    if (!store)
        return;
    g_mutex_lock(&store->lock);
    store->closing = TRUE;
    g_cond_signal(&store->work);
    g_mutex_unlock(&store->lock);
    if (store->writer)
        g_thread_join(store->writer);
    sqlite3_finalize(store->put);
    sqlite3_finalize(store->del);
    sqlite3_finalize(store->mark);
    sqlite3_close(store->db);
    for (guint i = 0; i < store->history; i++)
        store_event_unref(store->ring[i]);
    g_free(store->ring);
    g_hash_table_unref(store->shelves);
    g_mutex_clear(&store->lock);
    g_cond_clear(&store->work);
    g_free(store);
}
