/* collector: writes what a source says, in its batches, and sweeps what it did not say. */
#include "inventory/collector.h"
#include "base/clock.h"
#include "base/log.h"
#include "inventory/sharing.h"
#include <malloc.h>
#include <string.h>

enum { FIRST_WAIT_MS = 2000, MOST_WAIT_MS = 60000 };

struct Collector {
    Stock *stock; /* borrowed: it stops its collector before it goes */
    char *type, *url, *user, *password, *ca_pem, *fingerprint;
    gboolean insecure;
    CollectorStage stage;
    gpointer user_data;
    GCancellable *cancel;
    GThread *thread;
    GMutex lock;
    Source *source; /* under lock: the connection while it says or follows things */
};

/* ---- writing ------------------------------------------------------------------------------------------- */

typedef struct {
    Collector *collector;
    json_t *about;
    GCancellable *cancel; /* of this attempt: cancelled also when writing fails */
    GHashTable *said;     /* "kind/id" of everything said so far; NULL once all has been */
    StockTransaction *transaction;
    GError *failed;
} Ingest;

static gboolean refresh(Ingest *ingest, GPtrArray *others, GError **error)
{
    Database *database = stock_transaction_database(ingest->transaction);
    const ProviderType *type = stock_kinds(ingest->collector->stock);

    for (guint i = 0; i < others->len; i++)
        if (!sharing_refresh(database, type, others->pdata[i], stock_transaction_changed, ingest->transaction,
                             error))
            return FALSE;
    return TRUE;
}

static gboolean shares_files(const Ingest *ingest, const char *kind)
{
    const ProviderKind *known = provider_kind(stock_kinds(ingest->collector->stock), kind);
    return known && known->shares_files;
}

static gboolean put(Ingest *ingest, const char *kind, const char *id, json_t *model, GError **error)
{
    Database *database = stock_transaction_database(ingest->transaction);
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);
    g_auto(DocumentTexts) texts = {0};
    Row row;

    if (shares_files(ingest, kind) && !sharing_put(database, id, model, others, error))
        return FALSE;

    if (!document_row(stock_kinds(ingest->collector->stock), kind, id, model, &texts, &row)) {
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE, "'%s' is no kind of the inventory", kind);
        return FALSE;
    }
    if (ingest->said)
        g_hash_table_add(ingest->said, g_strconcat(kind, "/", id, NULL));
    return database_put(database, &row, stock_transaction_changed, ingest->transaction, error) &&
           refresh(ingest, others, error);
}

static gboolean delete_object(Ingest *ingest, const char *kind, const char *id, GError **error)
{
    Database *database = stock_transaction_database(ingest->transaction);
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);

    if (shares_files(ingest, kind) && !sharing_delete(database, id, others, error))
        return FALSE;
    return database_delete(database, kind, id, stock_transaction_changed, ingest->transaction, error) &&
           refresh(ingest, others, error);
}

static gboolean delete_unsaid(Ingest *ingest, GPtrArray *known, GError **error)
{
    for (guint i = 0; i < known->len; i++) {
        char *kind = known->pdata[i], *slash;
        if (g_hash_table_contains(ingest->said, kind))
            continue;
        slash = strchr(kind, '/');
        *slash = 0;
        if (!delete_object(ingest, kind, slash + 1, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean sweep(Ingest *ingest, GError **error)
{
    g_autoptr(Snapshot) snapshot = stock_snapshot(ingest->collector->stock, error);
    g_autoptr(GPtrArray) known = snapshot ? snapshot_ids(snapshot, NULL, error) : NULL;

    if (!known)
        return FALSE;
    g_clear_pointer(&snapshot, snapshot_free);
    ingest->transaction = stock_begin(ingest->collector->stock, NULL, error);
    if (!ingest->transaction || !delete_unsaid(ingest, known, error))
        return FALSE;
    return stock_commit(g_steal_pointer(&ingest->transaction), error);
}

static gboolean reach_parity(Ingest *ingest, GError **error)
{
    Collector *collector = ingest->collector;

    if (!sweep(ingest, error))
        return FALSE;
    g_clear_pointer(&ingest->said, g_hash_table_unref);
    malloc_trim(0); /* loading leaves much behind that is not needed again */
    collector->stage(STOCK_READY, NULL, ingest->about, collector->user_data);
    return TRUE;
}

static gboolean take_change(Ingest *ingest, SourceEvent event, const char *kind, const char *id,
                            json_t *model, gboolean batch_end, GError **error)
{
    if (event == SOURCE_PARITY)
        return reach_parity(ingest, error);
    if (!ingest->transaction && !(ingest->transaction = stock_begin(ingest->collector->stock, NULL, error)))
        return FALSE;
    if (event == SOURCE_UPSERT ? !put(ingest, kind, id, model, error)
                               : !delete_object(ingest, kind, id, error))
        return FALSE;
    return !batch_end || stock_commit(g_steal_pointer(&ingest->transaction), error);
}

/* A change that cannot be written is not lost: the attempt ends, and the next one hears it again. */
static void on_change(SourceEvent event, const char *kind, const char *id, json_t *model, gboolean batch_end,
                      gpointer user_data)
{
    Ingest *ingest = user_data;

    if (ingest->failed || take_change(ingest, event, kind, id, model, batch_end, &ingest->failed))
        return;
    g_clear_pointer(&ingest->transaction, stock_roll_back);
    g_cancellable_cancel(ingest->cancel);
}

/* ---- one connection ------------------------------------------------------------------------------------ */

static Source *open_source(Collector *collector, GError **error)
{
    SourceAccess access = {
        .type = collector->type,
        .url = collector->url,
        .user = collector->user,
        .password = collector->password,
        .trust = {.ca_pem = collector->ca_pem,
                  .fingerprint = collector->fingerprint,
                  .insecure = collector->insecure},
    };
    return source_open(&access, error);
}

static void pass_cancel(GCancellable *outer, gpointer inner)
{
    g_cancellable_cancel(inner);
}

/* Always ends with an error. was_ready: everything had been said before it broke. */
static void collect_from(Collector *collector, Source *source, gboolean *was_ready, GError **error)
{
    g_autoptr(json_t) about = source_about(source, collector->cancel, error);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    Ingest ingest = {.collector = collector, .about = about, .cancel = cancel};
    gulong handler;

    if (!about)
        return;
    collector->stage(STOCK_LOADING, NULL, about, collector->user_data);
    ingest.said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    handler = g_cancellable_connect(collector->cancel, G_CALLBACK(pass_cancel), cancel, NULL);
    source_collect(source, on_change, &ingest, cancel, error);
    g_cancellable_disconnect(collector->cancel, handler);

    *was_ready = ingest.said == NULL;
    g_clear_pointer(&ingest.said, g_hash_table_unref);
    g_clear_pointer(&ingest.transaction, stock_roll_back);
    if (ingest.failed) {
        g_clear_error(error);
        g_propagate_error(error, ingest.failed);
    }
}

/* What no further attempt with the same access can change. */
static gboolean is_final(const GError *error)
{
    return g_error_matches(error, GANTRY_ERROR, ERROR_SOURCE_LOGIN) ||
           g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT);
}

static void wait_ms(Collector *collector, guint ms)
{
    gint64 until = g_get_monotonic_time() + ms * G_TIME_SPAN_MILLISECOND;

    while (!g_cancellable_is_cancelled(collector->cancel) && g_get_monotonic_time() < until) {
        GPollFD poll;
        int left = (until - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND + 1;
        if (!g_cancellable_make_pollfd(collector->cancel, &poll))
            return;
        g_poll(&poll, 1, MAX(left, 1));
        g_cancellable_release_fd(collector->cancel);
    }
}

static void set_source(Collector *collector, Source *source)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&collector->lock);
    collector->source = source;
}

static gpointer run(gpointer data)
{
    Collector *collector = data;
    const char *uid = stock_uid(collector->stock);

    for (guint attempt = 0;; attempt++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Source) source = open_source(collector, &error);
        gboolean was_ready = FALSE;

        set_source(collector, source);
        if (source)
            collect_from(collector, source, &was_ready, &error);
        set_source(collector, NULL);
        g_clear_pointer(&source, source_close);
        if (g_cancellable_is_cancelled(collector->cancel))
            return NULL;
        log_warn("the connection to a provider ended", "provider", uid, "url", collector->url, "error",
                 error->message, NULL);
        collector->stage(is_final(error) ? STOCK_REFUSED : STOCK_BROKEN, error, NULL, collector->user_data);
        if (is_final(error))
            return NULL;
        if (was_ready)
            attempt = 0;
        wait_ms(collector, backoff_ms(attempt, FIRST_WAIT_MS, MOST_WAIT_MS));
        if (g_cancellable_is_cancelled(collector->cancel))
            return NULL;
    }
}

/* ---- life ---------------------------------------------------------------------------------------------- */

Collector *collector_start(Stock *stock, const SourceAccess *access, CollectorStage stage, gpointer user_data)
{
    Collector *collector = g_new0(Collector, 1);

    collector->stock = stock;
    collector->type = g_strdup(access->type);
    collector->url = g_strdup(access->url);
    collector->user = g_strdup(access->user);
    collector->password = g_strdup(access->password);
    collector->ca_pem = g_strdup(access->trust.ca_pem);
    collector->fingerprint = g_strdup(access->trust.fingerprint);
    collector->insecure = access->trust.insecure;
    collector->stage = stage;
    collector->user_data = user_data;
    collector->cancel = g_cancellable_new();
    g_mutex_init(&collector->lock);
    collector->thread = g_thread_new("collector", run, collector);
    return collector;
}

void collector_stop(Collector *collector)
{
    g_cancellable_cancel(collector->cancel);
    g_thread_join(collector->thread);
    g_object_unref(collector->cancel);
    explicit_bzero(collector->password, strlen(collector->password));
    g_free(collector->password);
    g_free(collector->type);
    g_free(collector->url);
    g_free(collector->user);
    g_free(collector->ca_pem);
    g_free(collector->fingerprint);
    g_mutex_clear(&collector->lock);
    g_free(collector);
}

Source *collector_source(Collector *collector)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&collector->lock);
    return collector->source ? source_hold(collector->source) : NULL;
}
