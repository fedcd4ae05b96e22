/* watch: changes as they come, to any number of clients.
 *
 * A watch first sends what there is (or what was missed) from the worker thread that serves the request,
 * waiting for a slow client; changes meanwhile queue up. Then it is live: the store's writer sends each
 * change straight away. A live client that falls behind by more than the stream's limit is cut off and comes
 * back with the last version that it saw.
 */
#include "base/clock.h"
#include "kube/selector.h"
#include "local/apiserver/server.h"
#include "local/apiserver/table.h"
#include <string.h>

enum { bookmark_seconds = 60, most_waiting = 10000 };

typedef struct {
    gint refs;
    ApiServer *server;
    HttpStream *stream;
    StoreWatch *watch;
    Request view; /* kind, shape: what is needed to show an object */
    Selector *labels, *fields;
    gboolean selective, bookmarks;
    gint64 ends_at, bookmark_at; /* monotonic; hub's lock */
    GMutex lock;                 /* of the rest */
    GQueue waiting;              /* of StoreEvent, until it is live */
    gboolean live, cut;
    guint64 sent; /* the revision that the client knows of */
} Watch;

struct ApiWatches {
    GMutex lock;
    GCond changed;
    GHashTable *watches; /* of Watch, owned */
    GThread *clock;
    gboolean stopping;
};

/* ---- lines ---- */

static const char *const type_names[] = {"ADDED", "MODIFIED", "DELETED"};
typedef enum { ADDED, MODIFIED, DELETED, NOTHING } Type;

static int append(const char *piece, size_t size, void *text)
{
    g_string_append_len(text, piece, size);
    return 0;
}

static GBytes *line_of_json(const char *type, const json_t *object)
{
    GString *text = g_string_sized_new(512);
    g_string_append_printf(text, "{\"type\":\"%s\",\"object\":", type);
    json_dump_callback(object, append, text, JSON_COMPACT | JSON_REAL_PRECISION(15));
    g_string_append(text, "}\n");
    return g_string_free_to_bytes(text);
}

static GBytes *line_of_record(const Record *record, Type type)
{
    GString *text = g_string_sized_new(record->size + 40);
    g_string_append_printf(text, "{\"type\":\"%s\",\"object\":", type_names[type]);
    g_string_append_len(text, record->text, record->size);
    g_string_append(text, "}\n");
    return g_string_free_to_bytes(text);
}

static gboolean shows_plain(const Request *view)
{
    return view->shape == SHAPE_PLAIN && !strcmp(view->kind->version, view->kind->storage_version);
}

static GBytes *line_shaped(const Watch *watch, const Record *record, Type type)
{
    g_autoptr(json_t) object = object_of_record(&watch->view, record);
    g_autoptr(json_t) shown = watch->view.shape == SHAPE_TABLE     ? table_of_object(&watch->view, object)
                              : watch->view.shape == SHAPE_PARTIAL ? partial_of(object)
                                                                   : json_incref(object);
    return line_of_json(type_names[type], shown);
}

/* Most watchers of a change are sent the same line: it is made once. */
static GBytes *line_of_event(const Watch *watch, StoreEvent *event, Type type)
{
    GBytes *line;

    if (!shows_plain(&watch->view))
        return line_shaped(watch, event->last, type);
    line = g_atomic_pointer_get(&event->lines[type]);
    if (!line) {
        line = line_of_record(event->last, type);
        if (!g_atomic_pointer_compare_and_exchange(&event->lines[type], NULL, line)) {
            g_bytes_unref(line);
            line = g_atomic_pointer_get(&event->lines[type]);
        }
    }
    return g_bytes_ref(line);
}

static GBytes *bookmark(const Watch *watch, guint64 revision, gboolean initial_end)
{
    g_autofree char *version = kind_api_version(watch->view.kind);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, revision);
    g_autoptr(json_t) object = json_pack("{s:s, s:s, s:{s:s}}", "kind", watch->view.kind->kind, "apiVersion",
                                         version, "metadata", "resourceVersion", number);

    if (initial_end)
        json_set_at_new(object, "metadata.annotations",
                        json_pack("{s:s}", "k8s.io/initial-events-end", "true"));
    if (watch->view.shape == SHAPE_TABLE) {
        g_autoptr(json_t) table = table_of_object(&watch->view, object);
        return line_of_json("BOOKMARK", table);
    }
    return line_of_json("BOOKMARK", object);
}

/* ---- what a change is to this watch ---- */

static gboolean selects(const Watch *watch, const Record *record)
{
    g_autoptr(json_t) object = NULL;

    if (!record)
        return FALSE;
    if (!watch->selective)
        return TRUE;
    object = record_json(record);
    return selector_matches(watch->labels, object) && selector_matches(watch->fields, object);
}

/* An object that comes into the selection is added to it, one that leaves it is deleted from it. */
static Type type_for(const Watch *watch, const StoreEvent *event)
{
    gboolean before = selects(watch, event->before), after = selects(watch, event->after);

    if (before)
        return after ? MODIFIED : DELETED;
    return after ? ADDED : NOTHING;
}

/* ---- life ---- */

static Watch *watch_ref(Watch *watch)
{
    g_atomic_int_inc(&watch->refs);
    return watch;
}

static void watch_unref(gpointer data)
{
    Watch *watch = data;

    if (!g_atomic_int_dec_and_test(&watch->refs))
        return;
    g_queue_clear_full(&watch->waiting, (GDestroyNotify)store_event_unref);
    http_stream_unref(watch->stream);
    g_clear_pointer(&watch->labels, selector_free);
    g_clear_pointer(&watch->fields, selector_free);
    kind_unref(watch->view.kind);
    g_mutex_clear(&watch->lock);
    g_free(watch);
}

/* Sends one change without waiting; FALSE when the client is to be cut off. With the watch's lock held. */
static gboolean send_event(Watch *watch, StoreEvent *event)
{
    Type type = type_for(watch, event);

    if (type != NOTHING) {
        g_autoptr(GBytes) line = line_of_event(watch, event, type);
        if (http_stream_send(watch->stream, line) != HTTP_SENT)
            return FALSE;
        watch->sent = event->revision;
    }
    return TRUE;
}

/* On the store's writer thread. */
static void on_change(StoreEvent *event, gpointer data)
{
    Watch *watch = data;

    g_mutex_lock(&watch->lock);
    if (watch->cut) {
        /* it is on its way out */
    } else if (!watch->live) {
        if (g_queue_get_length(&watch->waiting) < most_waiting)
            g_queue_push_tail(&watch->waiting, store_event_ref(event));
        else
            watch->cut = TRUE;
    } else if (!send_event(watch, event)) {
        watch->cut = TRUE;
        http_stream_end(watch->stream);
    }
    g_mutex_unlock(&watch->lock);
}

/* Takes the watch out of the hub and off the store. */
static void watch_close(Watch *watch)
{
    ApiWatches *hub = watch->server->watches;
    gboolean ours;

    g_mutex_lock(&hub->lock);
    ours = g_hash_table_steal(hub->watches, watch);
    if (g_hash_table_size(hub->watches) == 0)
        g_cond_broadcast(&hub->changed);
    g_mutex_unlock(&hub->lock);
    if (!ours)
        return;
    http_stream_end(watch->stream);
    store_unwatch(watch->server->store, watch->watch);
    watch_unref(watch);
}

static void on_closed(gpointer data)
{
    watch_close(data);
    watch_unref(data);
}

/* ---- the hub: bookmarks and timeouts ---- */

static void send_bookmark(Watch *watch, guint64 revision)
{
    g_mutex_lock(&watch->lock);
    if (watch->live && !watch->cut && watch->sent < revision) {
        g_autoptr(GBytes) line = bookmark(watch, revision, FALSE);
        if (http_stream_send(watch->stream, line) == HTTP_SENT)
            watch->sent = revision;
    }
    g_mutex_unlock(&watch->lock);
}

/* What is due now; gives the time of what is due next. With the hub's lock held. */
static gint64 collect_due(ApiWatches *hub, GPtrArray *expired, GPtrArray *marked)
{
    gint64 now = g_get_monotonic_time(), next = now + (gint64)3600 * G_USEC_PER_SEC;
    GHashTableIter each;
    gpointer key;

    g_hash_table_iter_init(&each, hub->watches);
    while (g_hash_table_iter_next(&each, &key, NULL)) {
        Watch *watch = key;
        if (watch->ends_at <= now) {
            g_ptr_array_add(expired, watch_ref(watch));
            continue;
        }
        if (watch->bookmarks && watch->bookmark_at <= now) {
            g_ptr_array_add(marked, watch_ref(watch));
            watch->bookmark_at = now + (gint64)bookmark_seconds * G_USEC_PER_SEC;
        }
        next = MIN(next, watch->bookmarks ? MIN(watch->ends_at, watch->bookmark_at) : watch->ends_at);
    }
    return next;
}

static gpointer run_clock(gpointer data)
{
    ApiWatches *hub = data;

    g_mutex_lock(&hub->lock);
    while (!hub->stopping) {
        g_autoptr(GPtrArray) expired = g_ptr_array_new_with_free_func(watch_unref);
        g_autoptr(GPtrArray) marked = g_ptr_array_new_with_free_func(watch_unref);
        gint64 next = collect_due(hub, expired, marked);

        if (expired->len || marked->len) {
            g_mutex_unlock(&hub->lock);
            for (guint i = 0; i < expired->len; i++)
                http_stream_end(((Watch *)g_ptr_array_index(expired, i))->stream);
            for (guint i = 0; i < expired->len; i++)
                watch_close(g_ptr_array_index(expired, i));
            for (guint i = 0; i < marked->len; i++) {
                Watch *watch = g_ptr_array_index(marked, i);
                send_bookmark(watch, store_revision(watch->server->store));
            }
            g_mutex_lock(&hub->lock);
            continue;
        }
        g_cond_wait_until(&hub->changed, &hub->lock, next);
    }
    g_mutex_unlock(&hub->lock);
    return NULL;
}

ApiWatches *api_watches_new(void)
{
    ApiWatches *hub = g_new0(ApiWatches, 1);

    g_mutex_init(&hub->lock);
    g_cond_init(&hub->changed);
    hub->watches = g_hash_table_new_full(NULL, NULL, watch_unref, NULL);
    hub->clock = g_thread_new("watch-clock", run_clock, hub);
    return hub;
}

void api_watches_stop(ApiWatches *hub)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func(watch_unref);
    GHashTableIter each;
    gpointer key;

    g_mutex_lock(&hub->lock);
    hub->stopping = TRUE;
    g_cond_broadcast(&hub->changed);
    g_hash_table_iter_init(&each, hub->watches);
    while (g_hash_table_iter_next(&each, &key, NULL))
        g_ptr_array_add(open, watch_ref(key));
    g_mutex_unlock(&hub->lock);
    g_thread_join(hub->clock);
    for (guint i = 0; i < open->len; i++)
        watch_close(g_ptr_array_index(open, i));
}

void api_watches_free(ApiWatches *hub)
{
    if (!hub)
        return;
    g_hash_table_unref(hub->watches);
    g_mutex_clear(&hub->lock);
    g_cond_clear(&hub->changed);
    g_free(hub);
}

/* FALSE: the server stops. */
static gboolean hub_add(ApiWatches *hub, Watch *watch)
{
    gboolean open;

    g_mutex_lock(&hub->lock);
    if ((open = !hub->stopping)) {
        g_hash_table_add(hub->watches, watch_ref(watch));
        g_cond_broadcast(&hub->changed);
    }
    g_mutex_unlock(&hub->lock);
    return open;
}

/* ---- the start ---- */

static Watch *watch_new(Request *request, GError **error)
{
    const char *labels = http_exchange_query(request->x, "labelSelector");
    const char *fields = http_exchange_query(request->x, "fieldSelector");
    g_autoptr(Selector) by_label = selector_parse_labels(labels, error);
    g_autoptr(Selector) by_field = by_label ? selector_parse_fields(fields, error) : NULL;
    gint64 timeout = request_number(request, "timeoutSeconds", 0), now = g_get_monotonic_time();
    Watch *watch;

    if (!by_field)
        return NULL;
    watch = g_new0(Watch, 1);
    watch->refs = 1;
    watch->server = request->server;
    watch->view.server = request->server;
    watch->view.kind = kind_ref(request->kind);
    watch->view.shape = request->shape;
    watch->view.ns = watch->view.name = (char *)"";
    watch->labels = g_steal_pointer(&by_label);
    watch->fields = g_steal_pointer(&by_field);
    watch->selective = (labels && *labels) || (fields && *fields);
    watch->bookmarks = request_flag(request, "allowWatchBookmarks");
    if (timeout <= 0)
        timeout = g_random_int_range(1800, 3600);
    watch->ends_at = now + MIN(timeout, 86400) * G_USEC_PER_SEC;
    watch->bookmark_at = now + (gint64)bookmark_seconds * G_USEC_PER_SEC;
    g_mutex_init(&watch->lock);
    return watch;
}

/* The list, as if each object had just been added. */
static gboolean send_records(Watch *watch, GPtrArray *records, GCancellable *cancel)
{
    for (guint i = 0; i < records->len; i++) {
        Record *record = g_ptr_array_index(records, i);
        g_autoptr(GBytes) line = NULL;
        if (!selects(watch, record))
            continue;
        line = shows_plain(&watch->view) ? line_of_record(record, ADDED) : line_shaped(watch, record, ADDED);
        if (!http_stream_send_wait(watch->stream, line, cancel))
            return FALSE;
    }
    return TRUE;
}

static gboolean send_missed(Watch *watch, GPtrArray *missed, GCancellable *cancel)
{
    for (guint i = 0; i < missed->len; i++) {
        StoreEvent *event = g_ptr_array_index(missed, i);
        Type type = type_for(watch, event);
        g_autoptr(GBytes) line = type == NOTHING ? NULL : line_of_event(watch, event, type);
        if (line && !http_stream_send_wait(watch->stream, line, cancel))
            return FALSE;
    }
    return TRUE;
}

/* Sends what queued up meanwhile, until there is nothing left and the watch can go live. */
static gboolean go_live(Watch *watch, GCancellable *cancel)
{
    for (;;) {
        g_autoptr(StoreEvent) event = NULL;
        g_autoptr(GBytes) line = NULL;
        Type type;

        g_mutex_lock(&watch->lock);
        event = g_queue_pop_head(&watch->waiting);
        if (!event)
            watch->live = TRUE;
        g_mutex_unlock(&watch->lock);
        if (!event)
            return !watch->cut;
        type = type_for(watch, event);
        line = type == NOTHING ? NULL : line_of_event(watch, event, type);
        if (line && !http_stream_send_wait(watch->stream, line, cancel))
            return FALSE;
    }
}

static gboolean send_beginning(Watch *watch, GPtrArray *records, GPtrArray *missed, guint64 revision,
                               gboolean initial_end, GCancellable *cancel)
{
    if (records ? !send_records(watch, records, cancel) : !send_missed(watch, missed, cancel))
        return FALSE;
    watch->sent = revision;
    if (initial_end) {
        g_autoptr(GBytes) line = bookmark(watch, revision, TRUE);
        if (!http_stream_send_wait(watch->stream, line, cancel))
            return FALSE;
    }
    return go_live(watch, cancel);
}

/* An error that comes once the watch is accepted is an event, so that informers list anew. */
static void answer_gone(Request *request, const GError *error)
{
    g_autoptr(HttpStream) stream = http_exchange_stream(request->x, 200, "application/json");
    g_autoptr(json_t) status = status_of_error(NULL, error, NULL);
    g_autoptr(GBytes) line = line_of_json("ERROR", status);

    http_stream_send(stream, line);
}

void serve_watch(Request *request)
{
    const char *ns = *request->ns ? request->ns : NULL;
    gint64 from = request_number(request, "resourceVersion", 0);
    gboolean initial = request_flag(request, "sendInitialEvents");
    gboolean listed = from <= 0 || initial;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GPtrArray) missed = NULL;
    g_autoptr(GError) error = NULL;
    guint64 revision;
    Watch *watch = watch_new(request, &error);

    if (!watch) {
        answer_error(request, error);
        return;
    }
    watch->watch = store_watch(request->server->store, request->kind->resource, ns, MAX(from, 0),
                               listed ? &records : NULL, &revision, &missed, on_change, watch, &error);
    if (!watch->watch) {
        answer_gone(request, error);
        watch->stream = NULL;
        g_clear_pointer(&watch->labels, selector_free);
        g_clear_pointer(&watch->fields, selector_free);
        kind_unref(watch->view.kind);
        g_mutex_clear(&watch->lock);
        g_free(watch);
        return;
    }
    watch->stream = http_exchange_stream(request->x, 200, "application/json");
    if (!hub_add(request->server->watches, watch)) {
        store_unwatch(request->server->store, watch->watch);
        watch_unref(watch);
        return;
    }
    http_stream_on_closed(watch->stream, on_closed, watch_ref(watch));
    if (!send_beginning(watch, records, missed, revision, initial && watch->bookmarks,
                        http_exchange_cancellable(request->x)))
        watch_close(watch);
    watch_unref(watch);
}
