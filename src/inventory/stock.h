/* stock: what is known of one provider: its database, the collector that fills it, the validation of its VMs, its watchers.
 *
 * A source (vSphere) is collected: a thread logs in, loads everything, follows changes, and begins again when the connection
 * breaks, after a growing wait. A refused login ends it: the same credentials are never tried twice. A cluster (OpenShift) has
 * no database: it is asked when a client asks.
 * Guarantee: readers see whole commits; an object that has not changed keeps its revision and its validation, also across a
 * new connection and a restart; what vanished while nobody looked is deleted when everything has been said again.
 * Threads: a Stock is refcounted and may be used by any thread.
 */
#pragma once
#include "inventory/validator.h"
#include "inventory/watch.h"
#include "kube/client.h"
#include "source/source.h"

typedef struct Stock Stock;

/* Called, on a thread of the stock's, when its state changes. */
typedef void (*StockChanged)(Stock *stock, gpointer user_data);

typedef struct {
    const char *folder; /* databases lie in FOLDER/NAMESPACE/NAME/UID.db; must outlive the stock */
    Validator *validator; /* borrowed, must outlive it */
    StockChanged changed;
    gpointer user_data;
} StockOptions;

/* Errors: INVENTORY_DATABASE. Nothing is collected yet. */
Stock *stock_new(Object *provider, const StockOptions *options, GError **error);
Stock *stock_ref(Stock *stock);
void stock_unref(Stock *stock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stock, stock_unref)

/* Stops whatever runs and ends the watches; the database's file goes too when erase is set. To be called once; the stock is of no
 * more use afterwards, but may still be held by requests under way. */
void stock_close(Stock *stock, gboolean erase);

const char *stock_uid(const Stock *stock);
const char *stock_type(const Stock *stock);
const ProviderType *stock_kinds(const Stock *stock); /* the table of its type */
Object *stock_provider(Stock *stock); /* a reference to drop */
void stock_set_provider(Stock *stock, Object *provider);

/* ---- the connection ------------------------------------------------------------------------------------ */

/* Collects from here on. key names the credentials and all else that makes the connection: with the key of before nothing
 * happens (also when they were refused), with another one a running collector is replaced. */
void stock_collect(Stock *stock, const SourceAccess *access, const char *key);
/* Serves a cluster from here on; the reference is the caller's. */
void stock_serve_cluster(Stock *stock, KubeClient *cluster, const char *key);
/* Closes the connection and forgets its key. */
void stock_disconnect(Stock *stock);

typedef enum {
    STOCK_IDLE,       /* not told to connect */
    STOCK_CONNECTING, /* the first attempt is under way */
    STOCK_LOADING,    /* connected; everything is being said */
    STOCK_READY,      /* complete and followed */
    STOCK_BROKEN,     /* error says why; it is tried again */
    STOCK_REFUSED,    /* error says why; it is not tried again with this key */
} StockStage;

typedef struct {
    StockStage stage;
    GError *error;  /* of BROKEN and REFUSED */
    json_t *about;  /* what the peer says of itself, or NULL */
    char *key;      /* what the stage is about */
} StockState;
void stock_state_clear(StockState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StockState, stock_state_clear)
void stock_state(Stock *stock, StockState *state);
/* TRUE as soon as it is ready, FALSE when it is not within that time. */
gboolean stock_wait_ready(Stock *stock, guint ms, GCancellable *cancel);

/* Why VMs cannot be validated, to be freed; NULL: they can. */
char *stock_validation_problem(Stock *stock);

/* What the account lacks for each of the first VMs of a source, at most so many: as source_missing_rights() of source/source.h. NULL
 * without an error while it is not connected. */
json_t *stock_missing_rights(Stock *stock, guint most, GCancellable *cancel, GError **error);

/* What an option of a host is set to just now, asked of the source: as source_host_option() of source/source.h. Errors also:
 * INVENTORY_NOT_READY (not connected). */
json_t *stock_host_option(Stock *stock, const char *host_id, const char *key, GCancellable *cancel, GError **error);

/* ---- reading ------------------------------------------------------------------------------------------- */

/* NULL with INVENTORY_NOT_READY for a cluster. */
Snapshot *stock_snapshot(Stock *stock, GError **error);
DocumentView *stock_view(Stock *stock, Snapshot *snapshot); /* its objects at that moment; snapshot is borrowed */
KubeClient *stock_cluster(Stock *stock); /* a reference, or NULL */
/* Names what is in the database now, as an HTTP entity tag: another one after each commit and restart. To be freed. */
char *stock_tag(Stock *stock);
/* Another number after each commit that made judgements of VMs void because of a host, a cluster, a profile or a disk: what was
 * before may rest on what is no more. */
guint stock_forgets(Stock *stock);
/* Begins a watch; see watch_hub_add(). */
gboolean stock_watch(Stock *stock, HttpExchange *exchange, const char *kind, const char *id, gboolean with_snapshot,
                     GError **error);

/* ---- writing (the collector and the validator) --------------------------------------------------------- */

/* One writer at a time: stock_begin() waits for the one before, stock_commit() and stock_roll_back() let the next one in. */
typedef struct StockTransaction StockTransaction;
StockTransaction *stock_begin(Stock *stock, const char *label, GError **error); /* label: of watchers' frames, or NULL */
Database *stock_transaction_database(StockTransaction *transaction);
void stock_transaction_changed(const Row *before, const Row *after, gpointer transaction); /* a DatabaseChanged */
/* Takes the transaction; tells watchers and the validation when it is through. */
gboolean stock_commit(StockTransaction *transaction, GError **error);
void stock_roll_back(StockTransaction *transaction);
