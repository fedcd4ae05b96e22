/* watch: watchers, and the frames that they get. */
#include "inventory/watch.h"
#include <string.h>

enum { CLOSE_NORMAL = 1000 };

typedef struct {
    gatomicrefcount references; /* the hub's and the socket's */
    HttpSocket *socket;
    char *kind, *id; /* id NULL: all of the kind */
    guint64 number;
    gint gone; /* atomic: the peer has closed or asked to end */
} Watcher;

struct WatchHub {
    const ProviderType *type;
    char *uid;
    GMutex lock;
    GPtrArray *watchers;
    guint64 last_number;
};

static void watcher_unref(gpointer data)
{
    Watcher *watcher = data;

    if (!g_atomic_ref_count_dec(&watcher->references))
        return;
    g_clear_pointer(&watcher->socket, http_socket_unref);
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

void watch_hub_free(WatchHub *hub)
{
    g_mutex_lock(&hub->lock);
    for (guint i = 0; i < hub->watchers->len; i++)
        end_watch(hub->watchers->pdata[i]);
    g_ptr_array_set_size(hub->watchers, 0);
    g_mutex_unlock(&hub->lock);
    g_ptr_array_unref(hub->watchers);
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

typedef struct {
    Watcher *watcher;
    DocumentView *view;
    GString *text;
} Sending;

static gboolean send_existing(const Row *row, gpointer user_data)
{
    Sending *sending = user_data;
    g_autoptr(GBytes) bytes = NULL;

    g_string_truncate(sending->text, 0);
    document_append(sending->text, sending->view, row, DETAIL_FULL);
    bytes = frame(0, NULL, WATCH_CREATED, sending->text->str, NULL);
    return http_socket_send(sending->watcher->socket, FALSE, bytes);
}

static void send_snapshot(WatchHub *hub, Watcher *watcher, Snapshot *snapshot)
{
    g_autoptr(DocumentView) view = document_view_new(hub->type, hub->uid, snapshot);
    g_autoptr(GString) text = g_string_new(NULL);
    Sending sending = {.watcher = watcher, .view = view, .text = text};
    Query query = {.kind = watcher->kind, .id = watcher->id, .full = TRUE, .limit = -1};

    snapshot_each(snapshot, &query, send_existing, &sending, NULL);
}

void watch_hub_add(WatchHub *hub, HttpExchange *exchange, const char *kind, const char *id,
                   Snapshot *snapshot)
{
    static const HttpSocketEvents events = {.message = on_message, .closed = on_closed};
    Watcher *watcher = g_new0(Watcher, 1);
    HttpSocket *socket;

    g_atomic_ref_count_init(&watcher->references);
    g_atomic_ref_count_inc(&watcher->references);
    watcher->kind = g_strdup(kind);
    watcher->id = g_strdup(id);
    g_mutex_lock(&hub->lock);
    watcher->number = ++hub->last_number;
    g_mutex_unlock(&hub->lock);
    socket = http_exchange_websocket(exchange, NULL, &events, watcher);
    watcher->socket = socket;

    send_action(watcher, watcher->number, WATCH_STARTED);
    if (snapshot)
        send_snapshot(hub, watcher, snapshot);
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
        if (!http_socket_send(watcher->socket, FALSE, bytes))
            g_atomic_int_set(&watcher->gone, TRUE);
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
