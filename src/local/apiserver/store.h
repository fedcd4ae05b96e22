/* store: every object of the cluster, in SQLite for good and in memory for reading, with the changes of late.
 *
 * Guarantee: a write that returned TRUE is on stable storage (fdatasync of SQLite's WAL). Writes have one
 * order; each gets the next revision, which is the object's resourceVersion. Readers never see a write before
 * it is durable, and see all of it. Writers that come at once share one transaction and one sync. Threads:
 * any. One thread of the store's own writes; watch callbacks run on it. Errors: KUBE_ALREADY_EXISTS,
 * KUBE_NOT_FOUND, KUBE_CONFLICT (expected is not the object's revision), KUBE_GONE (a watch from a revision
 * that is no longer, or not yet, known), IO (the database; nothing was written).
 */
#pragma once
#include "base/json.h"

/* One object at one revision: immutable, refcounted. */
typedef struct {
    gint refs;
    guint64 revision;
    const char *resource; /* "pods", "plans.forklift.konveyor.io" */
    const char *ns, *name;
    gsize size;
    const char *text; /* compact JSON, zero-terminated; metadata.resourceVersion is revision */
} Record;
Record *record_ref(Record *record);
void record_unref(Record *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Record, record_unref)
json_t *record_json(const Record *record); /* parsed anew; the caller's */
/* A record that is not stored, for dry runs. */
Record *record_new_unstored(const char *ns, const char *name, const json_t *object);
GBytes *record_bytes(Record *record); /* the text; keeps the record alive */

typedef struct Store Store;
/* history: how many changes a watch can go back at most. */
Store *store_open(const char *path, guint history, GError **error);
void store_close(Store *store); /* after the last watch has ended */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

guint64 store_revision(Store *store);
Record *store_get(Store *store, const char *resource, const char *ns, const char *name); /* or NULL */

/* In the order of namespace and name, from after the given place on (NULL: from the start). ns NULL: all. */
GPtrArray *store_list(Store *store, const char *resource, const char *ns, const char *after_ns,
                      const char *after_name, guint64 *revision);
guint store_count(Store *store, const char *resource);

typedef enum { STORE_CREATE, STORE_UPDATE, STORE_DELETE } StoreVerb;
/* Takes object, which must be nobody else's; metadata.resourceVersion is set in it. For a DELETE it is the
 * object's last state. expected: the revision that must be stored (0: any; not looked at by CREATE). written
 * may be NULL. */
gboolean store_write(Store *store, StoreVerb verb, const char *resource, const char *ns, const char *name,
                     guint64 expected, json_t *object, Record **written, GError **error);

/* Writes the whole state as of *revision to a new database at path, synced; writers wait meanwhile. IO. */
gboolean store_backup(Store *store, const char *path, guint64 *revision, GError **error);

/* ---- watching ---- */

/* One change. before NULL: created; after NULL: deleted. last is the record to show: after, or for a deletion
 * the last state at the deletion's revision. */
typedef struct {
    gint refs;
    guint64 revision;
    Record *before, *after, *last;
    GBytes *lines[3]; /* what watchers send for it, made once: watch.c */
} StoreEvent;
StoreEvent *store_event_ref(StoreEvent *event);
void store_event_unref(StoreEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreEvent, store_event_unref)

typedef struct StoreWatch StoreWatch;
/* Called in order for each change after it is visible; NULL: nothing for this watch, but the revision moved
 * on is not told. It must not block, nor call into the store. */
typedef void (*StoreChange)(StoreEvent *event, gpointer user_data);

/* Changes of a resource after revision from. records (may be NULL: not wanted, from counts): a list as of
 * *revision, with which the watch goes on without a gap. missed: the changes since from, for the caller to
 * treat before the first call of changed, which may come at once. ns NULL: all. */
StoreWatch *store_watch(Store *store, const char *resource, const char *ns, guint64 from, GPtrArray **records,
                        guint64 *revision, GPtrArray **missed, StoreChange changed, gpointer user_data,
                        GError **error);
void store_unwatch(Store *store, StoreWatch *watch); /* changed is not called after this returns */
