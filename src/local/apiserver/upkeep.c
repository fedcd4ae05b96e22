/* upkeep: what the API server does from time to time by itself: Events older than an hour go, tokens that are
 * good for nothing go, and the serving certificate is renewed before it ends. */
#include "base/clock.h"
#include "base/log.h"
#include "local/apiserver/auth.h"
#include "local/apiserver/server.h"

enum { every_seconds = 600, event_seconds = 3600, renew_days = 30 };

struct Upkeep {
    ApiServer *server;
    char *listen;
    GThread *thread;
    GMutex lock; /* of stopping */
    GCond stop;
    gboolean stopping;
};

static gboolean is_old(const json_t *event)
{
    static const char *const times[] = {"series.lastObservedTime", "lastTimestamp", "eventTime",
                                        "metadata.creationTimestamp"};
    gint64 seen = -1;

    for (guint i = 0; i < G_N_ELEMENTS(times) && seen < 0; i++)
        seen = clock_parse(json_string_at(event, times[i], NULL));
    return seen >= 0 && seen < g_get_real_time() - (gint64)event_seconds * G_USEC_PER_SEC;
}

static void sweep_events(Store *store)
{
    guint64 revision;
    g_autoptr(GPtrArray) records = store_list(store, "events", NULL, NULL, NULL, &revision);

    for (guint i = 0; i < records->len; i++) {
        const Record *record = g_ptr_array_index(records, i);
        g_autoptr(json_t) event = record_json(record);
        if (is_old(event)) /* one that was counted up meanwhile stays */
            store_write(store, STORE_DELETE, "events", record->ns, record->name, record->revision,
                        g_steal_pointer(&event), NULL, NULL);
    }
}

static void renew_certificate(const Upkeep *upkeep)
{
    Pki *pki = upkeep->server->pki;
    g_autoptr(GError) error = NULL;

    if (certificate_lasts(pki->serving->pem, renew_days))
        return;
    if (!pki_renew_serving(pki, upkeep->listen, &error) ||
        !http_server_set_certificate(upkeep->server->http, pki->serving->pem, pki->serving->key_pem, &error))
        log_error("the API server's certificate was not renewed", "error", error->message, NULL);
}

/* TRUE: go on; FALSE: it is to stop. */
static gboolean rest(Upkeep *upkeep)
{
    gint64 until = g_get_monotonic_time() + (gint64)every_seconds * G_USEC_PER_SEC;
    gboolean go_on;

    g_mutex_lock(&upkeep->lock);
    while (!upkeep->stopping && g_cond_wait_until(&upkeep->stop, &upkeep->lock, until))
        ;
    go_on = !upkeep->stopping;
    g_mutex_unlock(&upkeep->lock);
    return go_on;
}

static gpointer run(gpointer data)
{
    Upkeep *upkeep = data;

    do {
        sweep_events(upkeep->server->store);
        auth_sweep(upkeep->server);
        renew_certificate(upkeep);
    } while (rest(upkeep));
    return NULL;
}

Upkeep *upkeep_start(ApiServer *server, const char *listen)
{
    Upkeep *upkeep = g_new0(Upkeep, 1);

    upkeep->server = server;
    upkeep->listen = g_strdup(listen);
    g_mutex_init(&upkeep->lock);
    g_cond_init(&upkeep->stop);
    upkeep->thread = g_thread_new("api-upkeep", run, upkeep);
    return upkeep;
}

void upkeep_stop(Upkeep *upkeep)
{
    if (!upkeep)
        return;
    g_mutex_lock(&upkeep->lock);
    upkeep->stopping = TRUE;
    g_cond_signal(&upkeep->stop);
    g_mutex_unlock(&upkeep->lock);
    g_thread_join(upkeep->thread);
    g_mutex_clear(&upkeep->lock);
    g_cond_clear(&upkeep->stop);
    g_free(upkeep->listen);
    g_free(upkeep);
}
