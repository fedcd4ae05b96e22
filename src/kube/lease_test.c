/* lease: who may take it when, and that its holder notices when it cannot be kept. */
#include "kube/lease.h"
#include "kube/scripted_server.h"
#include <string.h>

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/n/leases"
#define LEASE  LEASES "/l"
#define HELD_BY(name)                                                                                        \
    "{'metadata':{'name':'l','namespace':'n','resourceVersion':'7'},'spec':{'holderIdentity':'" name         \
    "','leaseDurationSeconds':60,'leaseTransitions':2}}"

typedef struct {
    ScriptedServer *server;
    KubeClient *client;
    GMutex lock;
    GCond changed;
    gboolean lost;
} Bench;

static void bench_init(Bench *bench)
{
    bench->server = scripted_server_start();
    bench->client =
        kube_client_new_token(scripted_server_url(bench->server),
                              &(HttpTrust){.ca_pem = scripted_server_ca(bench->server)}, "t", NULL);
    g_mutex_init(&bench->lock);
    g_cond_init(&bench->changed);
    scripted_server_answer(bench->server, "PUT", LEASE, 200, HELD_BY("me"));
}

static void bench_clear(Bench *bench)
{
    kube_client_unref(bench->client);
    scripted_server_stop(bench->server);
    g_mutex_clear(&bench->lock);
    g_cond_clear(&bench->changed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void on_lost(gpointer data)
{
    Bench *bench = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bench->lock);

    bench->lost = TRUE;
    g_cond_broadcast(&bench->changed);
}

static Lease *take(Bench *bench, guint seconds, GCancellable *cancel, GError **error)
{
    const LeaseOptions options = {
        .ns = "n", .name = "l", .seconds = seconds, .lost = on_lost, .user_data = bench};
    return lease_take(bench->client, &options, cancel, error);
}

static void one_that_nobody_has_is_made(void)
{
    g_auto(Bench) bench = {0};
    g_autofree char *last = NULL, *body = NULL;

    bench_init(&bench);
    scripted_server_answer(bench.server, "GET", LEASE, 404,
                           "{'kind':'Status','reason':'NotFound','code':404}");
    scripted_server_answer(bench.server, "POST", LEASES, 201, HELD_BY("me"));
    g_autoptr(Lease) lease = take(&bench, 0, NULL, NULL);
    g_assert_nonnull(lease);
    last = scripted_server_last(bench.server);
    body = scripted_server_last_body(bench.server);
    g_assert_cmpstr(last, ==, "POST " LEASES);
    g_assert_nonnull(strstr(body, "\"holderIdentity\":\"me\""));
}

/* Whose Lease it may be so that we get it without waiting. */
static void one_is_taken_at_once(gconstpointer holder)
{
    g_auto(Bench) bench = {0};
    g_autofree char *json = g_strdup_printf(HELD_BY("%s"), (const char *)holder), *body = NULL;

    bench_init(&bench);
    scripted_server_answer(bench.server, "GET", LEASE, 200, json);
    scripted_server_answer(bench.server, "GET", "/api/v1/namespaces/n/pods/gone", 404,
                           "{'kind':'Status','reason':'NotFound','code':404}");
    scripted_server_answer(bench.server, "GET", "/api/v1/namespaces/n/pods/ended", 200,
                           "{'metadata':{'name':'ended'},'status':{'phase':'Failed'}}");
    g_autoptr(Lease) lease = take(&bench, 0, NULL, NULL);
    g_assert_nonnull(lease);
    body = scripted_server_last_body(bench.server);
    g_assert_nonnull(strstr(body, "\"holderIdentity\":\"me\""));
    g_assert_nonnull(strstr(body, "\"resourceVersion\":\"7\""));
}

static gpointer cancel_when_asked_twice(gpointer data)
{
    gpointer *pair = data;
    Bench *bench = pair[0];

    while (scripted_server_count(bench->server, LEASE) < 2)
        g_usleep(10 * 1000);
    g_cancellable_cancel(pair[1]);
    return NULL;
}

/* By a Pod that runs, and by something that is no Pod. */
static void one_that_is_held_is_waited_for(gconstpointer holder)
{
    g_auto(Bench) bench = {0};
    g_autofree char *json = g_strdup_printf(HELD_BY("%s"), (const char *)holder);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    gpointer pair[] = {&bench, cancel};
    GThread *thread;

    bench_init(&bench);
    scripted_server_answer(bench.server, "GET", LEASE, 200, json);
    scripted_server_answer(bench.server, "GET", "/api/v1/namespaces/n/pods/other", 200,
                           "{'metadata':{'name':'other'},'status':{'phase':'Running'}}");
    thread = g_thread_new("cancel", cancel_when_asked_twice, pair);
    g_assert_null(take(&bench, 1, cancel, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_CANCELED);
    g_thread_join(thread);
}

static void one_that_is_not_renewed_is_taken(void)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench);
    scripted_server_answer(bench.server, "GET", LEASE, 200,
                           "{'metadata':{'name':'l','namespace':'n','resourceVersion':'7'},"
                           "'spec':{'holderIdentity':'a/1','leaseDurationSeconds':1}}");
    g_autoptr(Lease) lease = take(&bench, 1, NULL, NULL);
    g_assert_nonnull(lease);
}

static void what_waiting_does_not_mend_is_an_error(void)
{
    g_auto(Bench) bench = {0};
    g_autoptr(GError) error = NULL;

    bench_init(&bench);
    scripted_server_answer(bench.server, "GET", LEASE, 403,
                           "{'kind':'Status','reason':'Forbidden','code':403}");
    g_assert_null(take(&bench, 0, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN);
}

static void wait_lost(Bench *bench)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bench->lock);

    while (!bench->lost)
        if (!g_cond_wait_until(&bench->changed, &bench->lock, deadline))
            g_error("the loss was not told");
}

static void losing_it_is_told(gconstpointer how)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench);
    scripted_server_answer(bench.server, "GET", LEASE, 200, HELD_BY("me"));
    g_autoptr(Lease) lease = take(&bench, 1, NULL, NULL);
    g_assert_nonnull(lease);
    if (!strcmp(how, "silence"))
        scripted_server_pause(bench.server);
    else
        scripted_server_answer(bench.server, "GET", LEASE, 200, HELD_BY("a/1"));
    wait_lost(&bench);
    if (!strcmp(how, "silence"))
        scripted_server_resume(bench.server);
}

int main(int argc, char **argv)
{
    g_setenv("POD_NAME", "me", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kube/lease/one that nobody has is made", one_that_nobody_has_is_made);
    g_test_add_data_func("/kube/lease/one that was given up is taken at once", "", one_is_taken_at_once);
    g_test_add_data_func("/kube/lease/our own of an earlier start is taken at once", "me",
                         one_is_taken_at_once);
    g_test_add_data_func("/kube/lease/one of a Pod that is gone is taken at once", "gone",
                         one_is_taken_at_once);
    g_test_add_data_func("/kube/lease/one of a Pod that has ended is taken at once", "ended",
                         one_is_taken_at_once);
    g_test_add_data_func("/kube/lease/one of a Pod that runs is waited for", "other",
                         one_that_is_held_is_waited_for);
    g_test_add_data_func("/kube/lease/one of a process is waited for", "machine/1",
                         one_that_is_held_is_waited_for);
    g_test_add_func("/kube/lease/one that is not renewed is taken", one_that_is_not_renewed_is_taken);
    g_test_add_func("/kube/lease/what waiting does not mend is an error",
                    what_waiting_does_not_mend_is_an_error);
    g_test_add_data_func("/kube/lease/an answer that does not come is a loss", "silence", losing_it_is_told);
    g_test_add_data_func("/kube/lease/another holder is a loss", "other", losing_it_is_told);
    return g_test_run();
}
