/* fake_stock: says what a test wants it to say. */
#include "controller/fake_stock.h"
#include "inventory/cluster.h"
#include "kube/informer.h"
#include "kube/work_queue.h"
#include "plan/fake_world.h"

FakeStock fake_stock;

static WorkQueueRun captured_run;
static gpointer captured_data;
static InformerChange captured_change;
static gpointer captured_listener;
static const KubeResource *captured_resource;
static int something; /* to point to */

/* ---- kube ---- */

WorkQueue *work_queue_new(const char *name, guint threads, WorkQueueRun run, gpointer user_data)
{
    captured_run = run;
    captured_data = user_data;
    return (WorkQueue *)&something;
}
void work_queue_free(WorkQueue *queue) {}
void work_queue_add(WorkQueue *queue, const char *key) {}

Informer *informer_new(KubeClient *client, const KubeResource *resource, const char *ns,
                       const char *label_selector, InformerChange changed, gpointer user_data)
{
    captured_change = changed;
    captured_listener = user_data;
    captured_resource = resource;
    return (Informer *)&something;
}
void informer_free(Informer *informer) {}
gboolean informer_wait_synced(Informer *informer, GCancellable *cancel)
{
    return FALSE;
}
GPtrArray *informer_list(Informer *informer, const char *label_selector)
{
    return fake_all(captured_resource);
}

void fake_informer_tell(Object *before, Object *after)
{
    captured_change(before, after, captured_listener);
}

/* ---- inventory ---- */

Stock *inventory_add(Inventory *inventory, Object *provider, GError **error)
{
    return (Stock *)&something;
}
void inventory_remove(Inventory *inventory, const char *uid) {}
Stock *inventory_stock_named(Inventory *inventory, const char *ns, const char *name)
{
    return NULL;
}
void inventory_sweep(Inventory *inventory, GHashTable *uids) {}

void stock_unref(Stock *stock) {}
const char *stock_uid(const Stock *stock)
{
    return "";
}
Object *stock_provider(Stock *stock)
{
    return NULL;
}
void stock_collect(Stock *stock, const SourceAccess *access, const char *key) {}
void stock_serve_cluster(Stock *stock, KubeClient *cluster, const char *key) {}
void stock_disconnect(Stock *stock) {}

void stock_state(Stock *stock, StockState *state)
{
    *state = (StockState){.stage = fake_stock.stage,
                          .error = fake_stock.error ? g_error_copy(fake_stock.error) : NULL,
                          .about = fake_stock.about ? json_loads(fake_stock.about, 0, NULL) : NULL,
                          .key = g_strdup("key")};
}

void stock_state_clear(StockState *state)
{
    g_clear_error(&state->error);
    g_clear_pointer(&state->about, json_decref);
    g_clear_pointer(&state->key, g_free);
}

char *stock_validation_problem(Stock *stock)
{
    return g_strdup(fake_stock.validation_problem);
}

json_t *stock_missing_rights(Stock *stock, guint most, GCancellable *cancel, GError **error)
{
    const char *text = fake_stock.missing_rights ? fake_stock.missing_rights : "{}";
    return json_pack("{s:o}", "vm-1", json_loads(text, 0, NULL));
}

gboolean cluster_check(KubeClient *cluster, GCancellable *cancel, GError **error)
{
    return TRUE;
}

guint fake_stock_reconcile(KubeClient *kube, const char *key, GCancellable *cancel, GError **error)
{
    g_autoptr(Providers) providers = providers_new(kube);

    providers_serve(providers, (Inventory *)&something);
    return captured_run(key, captured_data, cancel, error);
}
