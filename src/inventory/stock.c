/* stock: the parts of one provider's inventory, and the order in which they start and stop. */
#include "inventory/stock.h"
#include "inventory/collector.h"
#include <string.h>

struct Stock {
    gatomicrefcount references;
    char *uid, *type, *path;
    const ProviderType *kinds;
    StockOptions options;
    gboolean is_source; /* collected into a database; else a cluster that is asked */
    Database *database;
    WatchHub *hub;
    Validation *validation;
    gint64 born;    /* microseconds: tells the tags of one process from another's */
    guint commits;  /* atomic */
    guint forgets;  /* atomic */
    GMutex writing; /* held from stock_begin() to its end */

    GMutex connecting; /* of collector, held while one is replaced */
    Collector *collector;

    GMutex lock; /* of what follows */
    GCond stage_changed;
    Object *provider;
    StockState state;
    KubeClient *cluster;
    gboolean closed;
};

/* ---- life ---------------------------------------------------------------------------------------------- */

static char *database_path(const StockOptions *options, const Object *provider)
{
    g_autofree char *file = g_strconcat(object_uid(provider), ".db", NULL);
    return g_build_filename(options->folder, object_namespace(provider), object_name(provider), file, NULL);
}

Stock *stock_new(Object *provider, const StockOptions *options, GError **error)
{
    g_autoptr(Database) database = NULL;
    g_autofree char *path = database_path(options, provider);
    const char *type = json_string_at(object_json(provider), "spec.type", "");
    gboolean is_source = strcmp(type, "openshift");
    Stock *stock;

    if (is_source && !(database = database_open(path, error)))
        return NULL;
    stock = g_new0(Stock, 1);
    g_atomic_ref_count_init(&stock->references);
    g_mutex_init(&stock->writing);
    g_mutex_init(&stock->connecting);
    g_mutex_init(&stock->lock);
    g_cond_init(&stock->stage_changed);
    stock->uid = g_strdup(object_uid(provider));
    stock->type = g_strdup(type);
    stock->kinds = provider_type(type);
    stock->born = g_get_real_time();
    stock->path = g_steal_pointer(&path);
    stock->options = *options;
    stock->is_source = is_source;
    stock->database = g_steal_pointer(&database);
    stock->hub = watch_hub_new(stock->kinds, stock->uid);
    stock->provider = object_ref(provider);
    if (is_source)
        stock->validation = validation_start(options->validator, stock);
    return stock;
}

Stock *stock_ref(Stock *stock)
{
    g_atomic_ref_count_inc(&stock->references);
    return stock;
}

void stock_unref(Stock *stock)
{
    if (!stock || !g_atomic_ref_count_dec(&stock->references))
        return;
    g_clear_pointer(&stock->hub, watch_hub_free);
    g_clear_pointer(&stock->database, database_close);
    g_clear_pointer(&stock->provider, object_unref);
    g_clear_pointer(&stock->cluster, kube_client_unref);
    stock_state_clear(&stock->state);
    g_mutex_clear(&stock->writing);
    g_mutex_clear(&stock->connecting);
    g_mutex_clear(&stock->lock);
    g_cond_clear(&stock->stage_changed);
    g_free(stock->uid);
    g_free(stock->type);
    g_free(stock->path);
    g_free(stock);
}

const char *stock_uid(const Stock *stock)
{
    return stock->uid;
}

const char *stock_type(const Stock *stock)
{
    return stock->type;
}

const ProviderType *stock_kinds(const Stock *stock)
{
    return stock->kinds;
}

Object *stock_provider(Stock *stock)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->lock);
    return object_ref(stock->provider);
}

void stock_set_provider(Stock *stock, Object *provider)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->lock);
    Object *before = stock->provider;
    stock->provider = object_ref(provider);
    object_unref(before);
}

/* ---- state --------------------------------------------------------------------------------------------- */

void stock_state_clear(StockState *state)
{
    g_clear_error(&state->error);
    g_clear_pointer(&state->about, json_decref);
    g_clear_pointer(&state->key, g_free);
    state->stage = STOCK_IDLE;
}

void stock_state(Stock *stock, StockState *state)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->lock);

    *state = (StockState){
        .stage = stock->state.stage,
        .error = stock->state.error ? g_error_copy(stock->state.error) : NULL,
        .about = stock->state.about ? json_incref(stock->state.about) : NULL,
        .key = g_strdup(stock->state.key),
    };
}

static void set_stage(StockStage stage, const GError *error, json_t *about, gpointer user_data)
{
    Stock *stock = user_data;
    gboolean begins = stage == STOCK_READY && stock->is_source;

    g_mutex_lock(&stock->lock);
    stock->state.stage = stage;
    g_clear_error(&stock->state.error);
    if (error)
        stock->state.error = g_error_copy(error);
    if (about) {
        json_incref(about);
        g_clear_pointer(&stock->state.about, json_decref);
        stock->state.about = about;
    }
    g_cond_broadcast(&stock->stage_changed);
    g_mutex_unlock(&stock->lock);

    if (begins)
        validation_wake(stock->validation);
    stock->options.changed(stock, stock->options.user_data);
}

char *stock_validation_problem(Stock *stock)
{
    return stock->validation ? validation_problem(stock->validation) : NULL;
}

enum { LOOK_AT_CANCEL_MS = 100 };

gboolean stock_wait_ready(Stock *stock, guint ms, GCancellable *cancel)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->lock);
    gint64 until = g_get_monotonic_time() + ms * G_TIME_SPAN_MILLISECOND;

    while (stock->state.stage != STOCK_READY && g_get_monotonic_time() < until &&
           !g_cancellable_is_cancelled(cancel))
        g_cond_wait_until(&stock->stage_changed, &stock->lock,
                          MIN(until, g_get_monotonic_time() + LOOK_AT_CANCEL_MS * G_TIME_SPAN_MILLISECOND));
    return stock->state.stage == STOCK_READY;
}

/* ---- the connection ------------------------------------------------------------------------------------ */

/* With the lock of connecting held. */
static void stop_collecting(Stock *stock)
{
    g_clear_pointer(&stock->collector, collector_stop);
}

static gboolean take_key(Stock *stock, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->lock);

    if (stock->closed || !g_strcmp0(stock->state.key, key))
        return FALSE;
    stock_state_clear(&stock->state);
    stock->state.key = g_strdup(key);
    stock->state.stage = key ? STOCK_CONNECTING : STOCK_IDLE;
    return TRUE;
}

void stock_collect(Stock *stock, const SourceAccess *access, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->connecting);

    if (!take_key(stock, key))
        return;
    stop_collecting(stock);
    set_stage(STOCK_CONNECTING, NULL, NULL, stock);
    stock->collector = collector_start(stock, access, set_stage, stock);
}

void stock_serve_cluster(Stock *stock, KubeClient *cluster, const char *key)
{
    if (!take_key(stock, key))
        return;
    g_mutex_lock(&stock->lock);
    g_clear_pointer(&stock->cluster, kube_client_unref);
    stock->cluster = kube_client_ref(cluster);
    g_mutex_unlock(&stock->lock);
    set_stage(STOCK_READY, NULL, NULL, stock);
}

void stock_disconnect(Stock *stock)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->connecting);

    stop_collecting(stock);
    take_key(stock, NULL);
}

/* ---- rights -------------------------------------------------------------------------------------------- */

typedef struct {
    DocumentView *view;
    json_t *vms;
} Sample;

static gboolean take_vm(const Row *row, gpointer user_data)
{
    Sample *sample = user_data;
    json_t *vm = document_json(sample->view, row, FALSE);

    if (vm)
        json_array_append_new(sample->vms, vm);
    return TRUE;
}

static json_t *first_vms(Stock *stock, guint most, GError **error)
{
    const Query query = {.kind = "VM", .full = TRUE, .limit = most};
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, error);
    g_autoptr(DocumentView) view = snapshot ? stock_view(stock, snapshot) : NULL;
    g_autoptr(json_t) vms = json_array();
    Sample sample = {.view = view, .vms = vms};

    return snapshot && snapshot_each(snapshot, &query, take_vm, &sample, error) ? g_steal_pointer(&vms)
                                                                                : NULL;
}

/* A reference, or NULL: whoever asks the source does so without a lock. */
static Source *connection(Stock *stock)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->connecting);
    return stock->collector ? collector_source(stock->collector) : NULL;
}

json_t *stock_missing_rights(Stock *stock, guint most, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) vms = first_vms(stock, most, error);
    g_autoptr(Source) source = vms ? connection(stock) : NULL;

    return source ? source_missing_rights(source, vms, cancel, error) : NULL;
}

json_t *stock_host_option(Stock *stock, const char *host_id, const char *key, GCancellable *cancel,
                          GError **error)
{
    g_autoptr(Source) source = connection(stock);

    if (source)
        return source_host_option(source, host_id, key, cancel, error);
    g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_READY, "the provider is not connected");
    return NULL;
}

void stock_close(Stock *stock, gboolean erase)
{
    stock_disconnect(stock);
    g_mutex_lock(&stock->lock);
    stock->closed = TRUE;
    g_cond_broadcast(&stock->stage_changed);
    g_mutex_unlock(&stock->lock);
    g_clear_pointer(&stock->validation, validation_stop);
    if (erase && stock->is_source)
        database_remove(stock->path);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

Snapshot *stock_snapshot(Stock *stock, GError **error)
{
    if (stock->database)
        return database_snapshot(stock->database, error);
    g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_READY,
                "provider '%s' is a cluster: it has no database", stock->uid);
    return NULL;
}

DocumentView *stock_view(Stock *stock, Snapshot *snapshot)
{
    return document_view_new(stock->kinds, stock->uid, snapshot);
}

KubeClient *stock_cluster(Stock *stock)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->lock);
    return stock->cluster ? kube_client_ref(stock->cluster) : NULL;
}

guint stock_forgets(Stock *stock)
{
    return g_atomic_int_get(&stock->forgets);
}

char *stock_tag(Stock *stock)
{
    return g_strdup_printf("W/\"%" G_GINT64_FORMAT "-%u\"", stock->born, g_atomic_int_get(&stock->commits));
}

gboolean stock_watch(Stock *stock, HttpExchange *exchange, const char *kind, const char *id,
                     gboolean with_snapshot, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&stock->writing);
    Snapshot *snapshot = NULL;

    if (with_snapshot && !(snapshot = stock_snapshot(stock, error)))
        return FALSE;
    watch_hub_add(stock->hub, exchange, kind, id, snapshot);
    return TRUE;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

struct StockTransaction {
    Stock *stock;
    WatchCommit *commit;
    GPtrArray *hosts; /* whose VMs have to be checked again */
    gboolean wake;    /* there is something to check */
    gboolean all;     /* every VM has to be checked again */
};

StockTransaction *stock_begin(Stock *stock, const char *label, GError **error)
{
    StockTransaction *transaction;

    g_mutex_lock(&stock->writing);
    if (!database_begin(stock->database, error)) {
        g_mutex_unlock(&stock->writing);
        return NULL;
    }
    transaction = g_new0(StockTransaction, 1);
    transaction->stock = stock;
    transaction->commit = watch_commit_new(stock->hub, label);
    transaction->hosts = g_ptr_array_new_with_free_func(g_free);
    return transaction;
}

Database *stock_transaction_database(StockTransaction *transaction)
{
    return transaction->stock->database;
}

/* Rules see a VM together with its host, cluster and profiles, so a change of those concerns their VMs too.
 * While everything is said for the first time nothing has been checked yet. */
void stock_transaction_changed(const Row *before, const Row *after, gpointer user_data)
{
    StockTransaction *transaction = user_data;
    const ProviderKind *kind = provider_kind(transaction->stock->kinds, (after ? after : before)->kind);

    watch_commit_add(transaction->commit, before, after);
    if (!after)
        return;
    if (!strcmp(after->kind, "VM"))
        transaction->wake |= after->revision != after->revision_validated;
    if (kind->recheck == RECHECK_NONE || (!before && !stock_wait_ready(transaction->stock, 0, NULL)))
        return;
    if (kind->recheck == RECHECK_ITS_VMS)
        g_ptr_array_add(transaction->hosts, g_strdup(after->id));
    else
        transaction->all = TRUE;
}

static gboolean forget_validations(StockTransaction *transaction, GError **error)
{
    Database *database = transaction->stock->database;

    if (transaction->all)
        return database_forget_validation(database, NULL, error);
    for (guint i = 0; i < transaction->hosts->len; i++)
        if (!database_forget_validation(database, transaction->hosts->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* Ends it either way; the next writer may begin. */
static void end_transaction(StockTransaction *transaction, gboolean committed)
{
    Stock *stock = transaction->stock;
    gboolean wake = committed && (transaction->wake || transaction->all || transaction->hosts->len);
    gboolean tell = committed && !watch_commit_is_empty(transaction->commit);
    Snapshot *snapshot = tell ? database_snapshot(stock->database, NULL) : NULL;

    if (committed)
        g_atomic_int_inc(&stock->commits);
    if (committed && (transaction->all || transaction->hosts->len))
        g_atomic_int_inc(&stock->forgets);
    watch_commit_send(transaction->commit, snapshot);
    g_clear_pointer(&snapshot, snapshot_free);
    g_mutex_unlock(&stock->writing);
    if (wake && stock->validation)
        validation_wake(stock->validation);
    g_ptr_array_unref(transaction->hosts);
    g_free(transaction);
}

gboolean stock_commit(StockTransaction *transaction, GError **error)
{
    Database *database = transaction->stock->database;
    gboolean ok = forget_validations(transaction, error);

    if (ok)
        ok = database_commit(database, error);
    else
        database_roll_back(database);
    end_transaction(transaction, ok);
    return ok;
}

void stock_roll_back(StockTransaction *transaction)
{
    database_roll_back(transaction->stock->database);
    end_transaction(transaction, FALSE);
}
