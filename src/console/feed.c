/* feed: informers mark what is dirty; one thread looks it up and tells the viewers. */
#include "console/feed.h"
#include "console/digest.h"
#include "kube/informer.h"
#include <string.h>

enum {
    COALESCE_US = 200 * 1000,
    BEAT_US = 10 * G_USEC_PER_SEC,
    DIAGNOSE_US = 5 * G_USEC_PER_SEC,
    PATIENCE_US = 3 * G_USEC_PER_SEC, /* how long a kind may be without its list before we ask why */
    REST_US = 60 * G_USEC_PER_SEC,    /* without viewers */
};

static const KubeResource *const kinds[] = {
    &KUBE_PROVIDER, &KUBE_NETWORK_MAP, &KUBE_STORAGE_MAP, &KUBE_HOST,
    &KUBE_HOOK,     &KUBE_PLAN,        &KUBE_MIGRATION,   &KUBE_FORKLIFT_CONTROLLER,
};
enum { KINDS = G_N_ELEMENTS(kinds) };

typedef struct {
    Feed *feed;
    Informer *informer;
    gint64 unsynced_since; /* 0: it has its list */
    gint64 diagnosed;
    char *trouble; /* the reason last told, or NULL */
    char *message;
} Watched;

typedef struct {
    HttpStream *stream;
    char *id;                 /* by which its page changes the view */
    char *plan;               /* or NULL */
    RowsView view;            /* of the plan's VMs */
    json_t *rows;             /* as last sent, or NULL */
    guint found, offset;      /* told with them */
    gboolean started, synced; /* has got the snapshot; has been told that it is whole */
} Viewer;

struct Feed {
    KubeClient *client;
    char *ns;
    void (*signed_out)(gpointer);
    gpointer user_data;
    GCancellable *cancel;
    GMutex start_lock; /* of thread */
    GThread *thread;

    GMutex lock; /* of the rest; taken before any informer's own */
    GCond woken;
    gboolean running, stopping, refused;
    gint64 last_viewer;
    Watched watched[KINDS]; /* informers: changed by the feed's thread only */
    GHashTable *dirty;      /* "Kind/name" */
    GPtrArray *viewers;     /* of Viewer */
    gint64 last_beat;
};

static void viewer_free(Viewer *viewer)
{
    http_stream_end(viewer->stream);
    http_stream_unref(viewer->stream);
    json_decref(viewer->rows);
    rows_view_clear(&viewer->view);
    g_free(viewer->plan);
    g_free(viewer->id);
    g_free(viewer);
}

/* ---- messages ---- */

static GBytes *message(const char *event, const json_t *data)
{
    g_autofree char *text = json_text(data);
    char *out = g_strdup_printf("event: %s\ndata: %s\n\n", event, text);
    return g_bytes_new_take(out, strlen(out));
}

/* FALSE: the viewer is lost. */
static gboolean tell(Viewer *viewer, GBytes *bytes)
{
    return http_stream_send(viewer->stream, bytes) == HTTP_SENT;
}

static gboolean tell_new(Viewer *viewer, const char *event, json_t *data)
{
    g_autoptr(json_t) owned = data;
    g_autoptr(GBytes) bytes = message(event, owned);
    return tell(viewer, bytes);
}

static void tell_all(Feed *feed, GBytes *bytes)
{
    for (guint i = feed->viewers->len; i-- > 0;) {
        Viewer *viewer = g_ptr_array_index(feed->viewers, i);
        if (viewer->started && !tell(viewer, bytes))
            g_ptr_array_remove_index(feed->viewers, i);
    }
}

static void tell_all_new(Feed *feed, const char *event, json_t *data)
{
    g_autoptr(json_t) owned = data;
    g_autoptr(GBytes) bytes = message(event, owned);
    tell_all(feed, bytes);
}

/* ---- a plan's VMs ---- */

static const char *row_key(const json_t *row)
{
    const char *id = json_string_at(row, "id", "");
    return *id ? id : json_string_at(row, "name", "");
}

static gboolean same_order(const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return FALSE;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (strcmp(row_key(json_array_get(a, i)), row_key(json_array_get(b, i))))
            return FALSE;
    return TRUE;
}

/* Rows at the same place that are equal are not sent again; when the order changed, all are. */
static gboolean tell_rows(Viewer *viewer, Object *plan)
{
    guint found, offset;
    g_autoptr(json_t) rows = rows_page(plan, &viewer->view, &found, &offset);
    gboolean whole = !viewer->rows || !same_order(viewer->rows, rows);
    gboolean counted = found != viewer->found || offset != viewer->offset;
    json_t *changed = json_array();
    json_t *row;
    size_t i;

    json_array_foreach (rows, i, row)
        if (whole || !json_equal(row, json_array_get(viewer->rows, i)))
            json_array_append(changed, row);
    json_decref(viewer->rows);
    viewer->rows = g_steal_pointer(&rows);
    viewer->found = found;
    viewer->offset = offset;
    if (!whole && !counted && !json_array_size(changed)) {
        json_decref(changed);
        return TRUE;
    }
    return tell_new(viewer, "rows",
                    json_pack("{ss so sb sI sI}", "plan", viewer->plan, "rows", changed, "reset", whole,
                              "found", (json_int_t)found, "offset", (json_int_t)offset));
}

static void tell_rows_to_all(Feed *feed, Object *plan)
{
    for (guint i = feed->viewers->len; i-- > 0;) {
        Viewer *viewer = g_ptr_array_index(feed->viewers, i);
        if (viewer->started && !g_strcmp0(viewer->plan, object_name(plan)) && !tell_rows(viewer, plan))
            g_ptr_array_remove_index(feed->viewers, i);
    }
}

/* ---- the snapshot that a viewer begins with ---- */

static gboolean tell_snapshot(Feed *feed, Viewer *viewer)
{
    if (!tell_new(viewer, "hello", json_pack("{ss ss}", "namespace", feed->ns, "viewer", viewer->id)))
        return FALSE;
    for (int i = 0; i < KINDS; i++) {
        g_autoptr(GPtrArray) objects = informer_list(feed->watched[i].informer, NULL);

        for (guint n = 0; n < objects->len; n++) {
            Object *object = g_ptr_array_index(objects, n);

            if (!tell_new(viewer, "upsert", digest(object)))
                return FALSE;
            if (viewer->plan && kinds[i] == &KUBE_PLAN && !strcmp(viewer->plan, object_name(object)) &&
                !tell_rows(viewer, object))
                return FALSE;
        }
        if (feed->watched[i].trouble &&
            !tell_new(viewer, "trouble",
                      json_pack("{ss ss ss}", "kind", kinds[i]->kind, "reason", feed->watched[i].trouble,
                                "message", feed->watched[i].message)))
            return FALSE;
    }
    viewer->started = TRUE;
    return TRUE;
}

static void tell_snapshots(Feed *feed)
{
    gboolean whole = TRUE;

    for (int i = 0; i < KINDS; i++)
        whole = whole && (informer_synced(feed->watched[i].informer) || feed->watched[i].trouble);

    for (guint i = feed->viewers->len; i-- > 0;) {
        Viewer *viewer = g_ptr_array_index(feed->viewers, i);
        gboolean told = viewer->started || tell_snapshot(feed, viewer);

        if (told && whole && !viewer->synced)
            told = viewer->synced = tell_new(viewer, "synced", json_object());
        if (!told)
            g_ptr_array_remove_index(feed->viewers, i);
    }
}

/* ---- changes ---- */

static void mark_dirty(Object *before, Object *after, gpointer user_data)
{
    Watched *watched = user_data;
    Feed *feed = watched->feed;
    const KubeResource *kind = kinds[watched - feed->watched];

    g_mutex_lock(&feed->lock);
    g_hash_table_add(feed->dirty, g_strdup_printf("%s/%s", kind->kind, object_name(after ? after : before)));
    g_cond_signal(&feed->woken);
    g_mutex_unlock(&feed->lock);
}

static void tell_change(Feed *feed, const char *key)
{
    const char *slash = strchr(key, '/');
    g_autoptr(Object) object = NULL;

    for (int i = 0; i < KINDS; i++)
        if (strlen(kinds[i]->kind) == (gsize)(slash - key) && g_str_has_prefix(key, kinds[i]->kind))
            object = informer_get(feed->watched[i].informer, feed->ns, slash + 1);
    if (!object) {
        g_autofree char *kind = g_strndup(key, (gsize)(slash - key));
        tell_all_new(feed, "remove", json_pack("{ss ss}", "kind", kind, "name", slash + 1));
        return;
    }
    tell_all_new(feed, "upsert", digest(object));
    if (!strcmp(object_kind(object), "Plan"))
        tell_rows_to_all(feed, object);
}

static void tell_changes(Feed *feed)
{
    g_autoptr(GHashTable) dirty = g_steal_pointer(&feed->dirty);
    GHashTableIter iter;
    gpointer key;

    feed->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_iter_init(&iter, dirty);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        tell_change(feed, key);
}

/* ---- trouble ---- */

static void set_trouble(Watched *watched, const char *reason, const char *message)
{
    Feed *feed = watched->feed;

    if (!g_strcmp0(watched->trouble, reason) && !g_strcmp0(watched->message, message))
        return;
    g_free(watched->trouble);
    g_free(watched->message);
    watched->trouble = g_strdup(reason);
    watched->message = g_strdup(message);
    tell_all_new(feed, "trouble",
                 json_pack("{ss ss ss}", "kind", kinds[watched - feed->watched]->kind, "reason",
                           reason ? reason : "", "message", message ? message : ""));
}

/* A kind has been without its list for a while: asks the server why. The lock is not held meanwhile. */
static void diagnose(Feed *feed, Watched *watched)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) objects = NULL;

    g_mutex_unlock(&feed->lock);
    objects = kube_list(feed->client, kinds[watched - feed->watched], feed->ns, NULL, NULL, NULL,
                        feed->cancel, &error);
    g_mutex_lock(&feed->lock);
    if (feed->stopping)
        return;
    if (g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED))
        feed->refused = TRUE;
    else if (error)
        set_trouble(watched, error_reason(error), error->message);
}

static void look_for_trouble(Feed *feed, gint64 now)
{
    for (int i = 0; i < KINDS && !feed->refused && !feed->stopping; i++) {
        Watched *watched = &feed->watched[i];

        if (informer_synced(watched->informer)) {
            watched->unsynced_since = 0;
            set_trouble(watched, NULL, NULL);
            continue;
        }
        if (!watched->unsynced_since)
            watched->unsynced_since = now;
        if (now - watched->unsynced_since < PATIENCE_US || now - watched->diagnosed < DIAGNOSE_US)
            continue;
        watched->diagnosed = now;
        diagnose(feed, watched);
    }
}

static void beat(Feed *feed, gint64 now)
{
    if (now - feed->last_beat < BEAT_US)
        return;
    feed->last_beat = now;
    tell_all_new(feed, "beat", json_object());
}

static void drop_the_gone(Feed *feed)
{
    for (guint i = feed->viewers->len; i-- > 0;)
        if (!http_stream_is_open(((Viewer *)g_ptr_array_index(feed->viewers, i))->stream))
            g_ptr_array_remove_index(feed->viewers, i);
}

/* ---- life ---- */

static void start_watching(Feed *feed)
{
    for (int i = 0; i < KINDS; i++)
        feed->watched[i].informer =
            informer_new(feed->client, kinds[i], feed->ns, NULL, mark_dirty, &feed->watched[i]);
}

static void stop_watching(Feed *feed)
{
    for (int i = 0; i < KINDS; i++) {
        g_clear_pointer(&feed->watched[i].informer, informer_free);
        g_clear_pointer(&feed->watched[i].trouble, g_free);
        g_clear_pointer(&feed->watched[i].message, g_free);
    }
}

static void one_round(Feed *feed, gint64 now)
{
    drop_the_gone(feed);
    if (feed->viewers->len)
        feed->last_viewer = now;
    look_for_trouble(feed, now);
    tell_changes(feed);
    tell_snapshots(feed);
    beat(feed, now);
}

static gboolean still_needed(Feed *feed)
{
    return !feed->stopping && !feed->refused && g_get_monotonic_time() - feed->last_viewer < REST_US;
}

static gpointer feed_thread(gpointer data)
{
    Feed *feed = data;
    gboolean refused;

    start_watching(feed);
    g_mutex_lock(&feed->lock);
    while (still_needed(feed)) {
        one_round(feed, g_get_monotonic_time());
        if (!g_hash_table_size(feed->dirty))
            g_cond_wait_until(&feed->woken, &feed->lock, g_get_monotonic_time() + G_USEC_PER_SEC);
        g_mutex_unlock(&feed->lock);
        g_usleep(COALESCE_US);
        g_mutex_lock(&feed->lock);
    }
    feed->running = FALSE;
    refused = feed->refused && !feed->stopping;
    if (refused)
        tell_all_new(feed, "signedout", json_object());
    g_ptr_array_set_size(feed->viewers, 0);
    g_mutex_unlock(&feed->lock);
    stop_watching(feed);
    if (refused)
        feed->signed_out(feed->user_data);
    return NULL;
}

Feed *feed_new(KubeClient *client, const char *ns, void (*signed_out)(gpointer), gpointer user_data)
{
    Feed *feed = g_new0(Feed, 1);

    feed->client = kube_client_ref(client);
    feed->ns = g_strdup(ns);
    feed->signed_out = signed_out;
    feed->user_data = user_data;
    feed->cancel = g_cancellable_new();
    feed->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    feed->viewers = g_ptr_array_new_with_free_func((GDestroyNotify)viewer_free);
    for (int i = 0; i < KINDS; i++)
        feed->watched[i].feed = feed;
    g_mutex_init(&feed->start_lock);
    g_mutex_init(&feed->lock);
    g_cond_init(&feed->woken);
    return feed;
}

/* The thread that rests is joined without the lock: its informers may wait for it. */
static void run_again(Feed *feed)
{
    gboolean running;

    g_mutex_lock(&feed->lock);
    running = feed->running;
    feed->last_viewer = g_get_monotonic_time();
    g_mutex_unlock(&feed->lock);
    if (running)
        return;
    if (feed->thread)
        g_thread_join(feed->thread);
    feed->running = TRUE;
    feed->thread = g_thread_new("console-feed", feed_thread, feed);
}

void feed_add_viewer(Feed *feed, HttpStream *stream)
{
    Viewer *viewer = g_new0(Viewer, 1);

    viewer->stream = stream;
    viewer->id = g_uuid_string_random();
    g_mutex_lock(&feed->start_lock);
    run_again(feed);
    g_mutex_lock(&feed->lock);
    g_ptr_array_add(feed->viewers, viewer);
    g_cond_signal(&feed->woken);
    g_mutex_unlock(&feed->lock);
    g_mutex_unlock(&feed->start_lock);
}

static Viewer *find_viewer(Feed *feed, const char *id)
{
    for (guint i = 0; i < feed->viewers->len; i++)
        if (!strcmp(((Viewer *)g_ptr_array_index(feed->viewers, i))->id, id))
            return g_ptr_array_index(feed->viewers, i);
    return NULL;
}

void feed_change_view(Feed *feed, const char *id, const char *plan, RowsView *view)
{
    Viewer *viewer;

    g_mutex_lock(&feed->lock);
    viewer = find_viewer(feed, id);
    if (viewer) {
        RowsView before = viewer->view;

        viewer->view = *view;
        *view = before;
        g_free(viewer->plan);
        viewer->plan = g_strdup(plan);
        g_clear_pointer(&viewer->rows, json_decref);
        if (plan)
            g_hash_table_add(feed->dirty, g_strdup_printf("Plan/%s", plan));
        g_cond_signal(&feed->woken);
    }
    g_mutex_unlock(&feed->lock);
}

void feed_free(Feed *feed)
{
    g_mutex_lock(&feed->lock);
    feed->stopping = TRUE;
    g_cond_signal(&feed->woken);
    g_mutex_unlock(&feed->lock);
    g_cancellable_cancel(feed->cancel);
    if (feed->thread)
        g_thread_join(feed->thread);

    g_ptr_array_unref(feed->viewers);
    g_hash_table_unref(feed->dirty);
    g_object_unref(feed->cancel);
    kube_client_unref(feed->client);
    g_mutex_clear(&feed->start_lock);
    g_mutex_clear(&feed->lock);
    g_cond_clear(&feed->woken);
    g_free(feed->ns);
    g_free(feed);
}
