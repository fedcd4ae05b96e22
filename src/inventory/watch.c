/* watch: watchers, and the frames that they get. */
#include "inventory/watch.h"
#include <string.h>

enum {
    CLOSE_NORMAL = 1000,
    CLOSE_POLICY = 1008,
    MOST_UNREAD = 16 * 1024 * 1024,    /* of changes */
    SNAPSHOT_UNREAD = 1 * 1024 * 1024, /* of what there is already: its sender waits */
    STALLED_S = 30,
    LOOK_AGAIN_US = 10 * 1000,
};

typedef struct {
    WatchHub *hub;
    gatomicrefcount references; /* the hub's, the socket's and the snapshot thread's */
    HttpSocket *socket;
    char *kind, *id; /* id NULL: all of the kind */
    guint64 number;
    gint gone; /* atomic: the peer has closed, asked to end, or was given up */

    Snapshot *snapshot; /* the thread's */
    GQueue later; /* with the hub's lock: of GBytes, changes that came while the snapshot is being sent */
    gsize later_size;
    gboolean sending_snapshot; /* with the hub's lock */
} Watcher;

struct WatchHub {
    const ProviderType *type;
    char *uid;
    GMutex lock;
    GPtrArray *watchers;
    guint64 last_number;
    guint threads; /* that send snapshots */
    GCond thread_ended;
};

static void watcher_unref(gpointer data)
{
    Watcher *watcher = data;

    if (!g_atomic_ref_count_dec(&watcher->references))
        return;
    g_clear_pointer(&watcher->socket, http_socket_unref);
    g_queue_clear_full(&watcher->later, (GDestroyNotify)g_bytes_unref);
    g_free(watcher->kind);
    g_free(watcher->id);
    g_free(watcher);
}

WatchHub *watch_hub_new(const ProviderType *type, const char *provider_uid)
{
    WatchHub *hub = g_new0(WatchHub, 1);

    hub->type = type;
    hub->uid = g_strdup(provider_uid);
    hub->watchers = g_ptr_array_new_with_free_func(watcher_unref);
    g_mutex_init(&hub->lock);
    g_cond_init(&hub->thread_ended);
    return hub;
}

/* ---- frames -------------------------------------------------------------------------------------------- */

static GBytes *frame(guint64 number, const char *label, WatchAction action, const char *resource,
                     const char *updated)
{
    GString *text = g_string_new(NULL);

    g_string_printf(text, "{\"ID\":%" G_GUINT64_FORMAT ",\"Labels\":", number);
    if (label)
        g_string_append_printf(text, "[\"%s\"]", label);
    else
        g_string_append(text, "null");
    g_string_append_printf(text, ",\"Action\":%d,\"Resource\":%s,\"Updated\":%s}", action,
                           resource ? resource : "null", updated ? updated : "null");
    return g_string_free_to_bytes(text);
}

static void send_action(Watcher *watcher, guint64 number, WatchAction action)
{
    g_autoptr(GBytes) bytes = frame(number, NULL, action, NULL, NULL);
    http_socket_send(watcher->socket, FALSE, bytes);
}

static void end_watch(Watcher *watcher)
{
    send_action(watcher, watcher->number, WATCH_END);
    http_socket_close(watcher->socket, CLOSE_NORMAL);
    g_atomic_int_set(&watcher->gone, TRUE);
}

/* It reads too slowly: rather than leave something out, all is begun anew. */
static void give_up(Watcher *watcher)
{
    if (!g_atomic_int_compare_and_exchange(&watcher->gone, FALSE, TRUE))
        return;
    send_action(watcher, watcher->number, WATCH_ERROR);
    send_action(watcher, watcher->number, WATCH_END);
    http_socket_close_because(watcher->socket, CLOSE_POLICY,
                              "the client reads too slowly: list again, then watch again");
}

void watch_hub_free(WatchHub *hub)
{
    g_mutex_lock(&hub->lock);
    for (guint i = 0; i < hub->watchers->len; i++)
        end_watch(hub->watchers->pdata[i]);
    g_ptr_array_set_size(hub->watchers, 0);
    while (hub->threads)
        g_cond_wait(&hub->thread_ended, &hub->lock);
    g_mutex_unlock(&hub->lock);
    g_ptr_array_unref(hub->watchers);
    g_cond_clear(&hub->thread_ended);
    g_mutex_clear(&hub->lock);
    g_free(hub->uid);
    g_free(hub);
}

/* ---- watchers ------------------------------------------------------------------------------------------ */

/* With the hub's lock held. */
static void drop_gone(WatchHub *hub)
{
    for (guint i = hub->watchers->len; i-- > 0;) {
        Watcher *watcher = hub->watchers->pdata[i];
        if (g_atomic_int_get(&watcher->gone))
            g_ptr_array_remove_index_fast(hub->watchers, i);
    }
}

gboolean watch_hub_wants(WatchHub *hub, const char *kind)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&hub->lock);

    drop_gone(hub);
    for (guint i = 0; i < hub->watchers->len; i++) {
        const Watcher *watcher = hub->watchers->pdata[i];
        if (!strcmp(watcher->kind, kind))
            return TRUE;
    }
    return FALSE;
}

/* The only thing a client says is {"Action":4}: it has seen enough. */
static void on_message(HttpSocket *socket, gboolean binary, GBytes *message, gpointer user_data)
{
    Watcher *watcher = user_data;
    gsize size;
    const char *text = g_bytes_get_data(message, &size);
    g_autoptr(json_t) said = json_parse(text, size, 4096, "frame", NULL);

    if (said && json_int_at(said, "Action", -1) == WATCH_END) {
        g_atomic_int_set(&watcher->gone, TRUE);
        http_socket_close(socket, CLOSE_NORMAL);
    }
}

static void on_closed(HttpSocket *socket, gpointer user_data)
{
    Watcher *watcher = user_data;

    g_atomic_int_set(&watcher->gone, TRUE);
    watcher_unref(watcher);
}

/* ---- what there is already ----------------------------------------------------------------------------- */

typedef struct {
    Watcher *watcher;
    DocumentView *view;
    GString *text;
} Sending;

/* FALSE: the peer has gone, or has taken nothing for so long that it is given up. */
static gboolean wait_for_room(Watcher *watcher)
{
    gsize least = G_MAXSIZE, waiting;
    gint64 since = g_get_monotonic_time();

    while ((waiting = http_socket_waiting(watcher->socket)) > SNAPSHOT_UNREAD) {
        gint64 now = g_get_monotonic_time();
        if (g_atomic_int_get(&watcher->gone))
            return FALSE;
        if (waiting < least) {
            least = waiting;
            since = now;
        } else if (now - since > STALLED_S * G_USEC_PER_SEC) {
            give_up(watcher);
            return FALSE;
        }
        g_usleep(LOOK_AGAIN_US);
    }
    return !g_atomic_int_get(&watcher->gone);
}

static gboolean send_existing(const Row *row, gpointer user_data)
{
    Sending *sending = user_data;
    g_autoptr(GBytes) bytes = NULL;

    g_string_truncate(sending->text, 0);
    document_append(sending->text, sending->view, row, DETAIL_FULL);
    bytes = frame(0, NULL, WATCH_CREATED, sending->text->str, NULL);
    return http_socket_send(sending->watcher->socket, FALSE, bytes) && wait_for_room(sending->watcher);
}

static void send_all_existing(Watcher *watcher)
{
    WatchHub *hub = watcher->hub;
    g_autoptr(DocumentView) view = document_view_new(hub->type, hub->uid, watcher->snapshot);
    g_autoptr(GString) text = g_string_new(NULL);
    Sending sending = {.watcher = watcher, .view = view, .text = text};
    Query query = {.kind = watcher->kind, .id = watcher->id, .full = TRUE, .limit = -1};

    snapshot_each(watcher->snapshot, &query, send_existing, &sending, NULL);
}

/* The next change that came meanwhile, or NULL: from here on changes are sent as they come. */
static GBytes *take_later(Watcher *watcher)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watcher->hub->lock);
    GBytes *bytes = g_queue_pop_head(&watcher->later);

    if (bytes)
        watcher->later_size -= g_bytes_get_size(bytes);
    else
        watcher->sending_snapshot = FALSE;
    return bytes;
}

static gpointer send_snapshot(gpointer data)
{
    Watcher *watcher = data;
    WatchHub *hub = watcher->hub;
    GBytes *bytes;

    send_all_existing(watcher);
    g_clear_pointer(&watcher->snapshot, snapshot_free);
    if (!g_atomic_int_get(&watcher->gone))
        send_action(watcher, watcher->number, WATCH_PARITY);
    while ((bytes = take_later(watcher))) {
        if (wait_for_room(watcher))
            http_socket_send(watcher->socket, FALSE, bytes);
        g_bytes_unref(bytes);
    }
    watcher_unref(watcher);
    g_mutex_lock(&hub->lock);
    hub->threads--;
    g_cond_broadcast(&hub->thread_ended);
    g_mutex_unlock(&hub->lock);
    return NULL;
}

static Watcher *watcher_new(WatchHub *hub, const char *kind, const char *id, Snapshot *snapshot_take)
{
    Watcher *watcher = g_new0(Watcher, 1);

    watcher->hub = hub;
    g_atomic_ref_count_init(&watcher->references);
    watcher->kind = g_strdup(kind);
    watcher->id = g_strdup(id);
    watcher->snapshot = snapshot_take;
    watcher->sending_snapshot = snapshot_take != NULL;
    g_queue_init(&watcher->later);
    return watcher;
}

static void watcher_ref(Watcher *watcher)
{
    g_atomic_ref_count_inc(&watcher->references);
}

void watch_hub_add(WatchHub *hub, HttpExchange *exchange, const char *kind, const char *id,
                   Snapshot *snapshot_take)
{
    static const HttpSocketEvents events = {.message = on_message, .closed = on_closed};
    Watcher *watcher = watcher_new(hub, kind, id, snapshot_take);

    g_mutex_lock(&hub->lock);
    watcher->number = ++hub->last_number;
    hub->threads += snapshot_take != NULL;
    g_mutex_unlock(&hub->lock);
    watcher_ref(watcher);
    watcher->socket = http_exchange_websocket(exchange, NULL, &events, watcher);
    send_action(watcher, watcher->number, WATCH_STARTED);
    if (snapshot_take) {
        watcher_ref(watcher);
        g_thread_unref(g_thread_new("watch-snapshot", send_snapshot, watcher));
    } else
        send_action(watcher, watcher->number, WATCH_PARITY);

    g_mutex_lock(&hub->lock);
    g_ptr_array_add(hub->watchers, watcher);
    g_mutex_unlock(&hub->lock);
}

/* ---- commits ------------------------------------------------------------------------------------------- */

/* Row's texts, owned. */
typedef struct {
    Row row;
    char *texts[9];
} RowCopy;

typedef struct {
    RowCopy *before, *after;
} Change;

struct WatchCommit {
    WatchHub *hub;
    const char *label;
    GPtrArray *changes;
};

static RowCopy *copy_row(const Row *row)
{
    RowCopy *copy = g_new0(RowCopy, 1);
    const char *const from[] = {row->kind, row->id,    row->name, row->parent_kind, row->parent_id,
                                row->base, row->brief, row->full, row->concerns};

    copy->row = *row;
    for (guint i = 0; i < G_N_ELEMENTS(from); i++)
        copy->texts[i] = g_strdup(from[i]);
    copy->row.kind = copy->texts[0];
    copy->row.id = copy->texts[1];
    copy->row.name = copy->texts[2];
    copy->row.parent_kind = copy->texts[3];
    copy->row.parent_id = copy->texts[4];
    copy->row.base = copy->texts[5];
    copy->row.brief = copy->texts[6];
    copy->row.full = copy->texts[7];
    copy->row.concerns = copy->texts[8];
    return copy;
}

static void free_row(RowCopy *copy)
{
    if (!copy)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(copy->texts); i++)
        g_free(copy->texts[i]);
    g_free(copy);
}

static void free_change(gpointer data)
{
    Change *change = data;

    free_row(change->before);
    free_row(change->after);
    g_free(change);
}

WatchCommit *watch_commit_new(WatchHub *hub, const char *label)
{
    WatchCommit *commit = g_new0(WatchCommit, 1);

    commit->hub = hub;
    commit->label = label;
    commit->changes = g_ptr_array_new_with_free_func(free_change);
    return commit;
}

void watch_commit_add(WatchCommit *commit, const Row *before, const Row *after)
{
    Change *change;

    if (!watch_hub_wants(commit->hub, after ? after->kind : before->kind))
        return;
    change = g_new0(Change, 1);
    change->before = before ? copy_row(before) : NULL;
    change->after = after ? copy_row(after) : NULL;
    g_ptr_array_add(commit->changes, change);
}

gboolean watch_commit_is_empty(const WatchCommit *commit)
{
    return commit->changes->len == 0;
}

static char *text_of(DocumentView *view, const RowCopy *copy)
{
    GString *text;

    if (!copy)
        return NULL;
    text = g_string_new(NULL);
    document_append(text, view, &copy->row, DETAIL_FULL);
    return g_string_free(text, FALSE);
}

/* With the hub's lock held. */
static void send_to(Watcher *watcher, GBytes *bytes)
{
    gsize unread = http_socket_waiting(watcher->socket) + watcher->later_size;

    if (g_atomic_int_get(&watcher->gone))
        return;
    if (unread && unread + g_bytes_get_size(bytes) > MOST_UNREAD)
        give_up(watcher);
    else if (watcher->sending_snapshot) {
        g_queue_push_tail(&watcher->later, g_bytes_ref(bytes));
        watcher->later_size += g_bytes_get_size(bytes);
    } else if (!http_socket_send(watcher->socket, FALSE, bytes))
        g_atomic_int_set(&watcher->gone, TRUE);
}

/* With the hub's lock held. */
static void send_change(WatchCommit *commit, DocumentView *view, const Change *change)
{
    const Row *row = change->after ? &change->after->row : &change->before->row;
    WatchAction action = !change->before ? WATCH_CREATED : !change->after ? WATCH_DELETED : WATCH_UPDATED;
    g_autofree char *before = text_of(view, change->before), *after = text_of(view, change->after);
    GPtrArray *watchers = commit->hub->watchers;

    for (guint i = 0; i < watchers->len; i++) {
        Watcher *watcher = watchers->pdata[i];
        g_autoptr(GBytes) bytes = NULL;
        if (strcmp(watcher->kind, row->kind) || (watcher->id && strcmp(watcher->id, row->id)))
            continue;
        bytes = action == WATCH_CREATED ? frame(watcher->number, commit->label, action, after, NULL)
                                        : frame(watcher->number, commit->label, action, before, after);
        send_to(watcher, bytes);
    }
}

void watch_commit_send(WatchCommit *commit, Snapshot *snapshot)
{
    if (snapshot && commit->changes->len) {
        g_autoptr(DocumentView) view = document_view_new(commit->hub->type, commit->hub->uid, snapshot);
        g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&commit->hub->lock);
        for (guint i = 0; i < commit->changes->len; i++)
            send_change(commit, view, commit->changes->pdata[i]);
    }
    g_ptr_array_unref(commit->changes);
    g_free(commit);
}
