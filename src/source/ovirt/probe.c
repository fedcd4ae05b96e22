/* probe: whether the hosts that hand out disks answer, and prove who they are, before anything is begun.
 *
 * A host is asked at the address and port at which a transfer would be read; no ticket is needed to see that
 * it is an imageio service with a certificate that the provider's CA vouches for. Where no host can be
 * reached the proxy beside the engine has to.
 */
#include "source/ovirt/ovirt.h"
#include <string.h>

enum { PROXY_PORT = 54323, MOST_REPLY_SIZE = 64 * 1024 };

typedef struct {
    OvirtSession *session;
    HttpClient *http;
    GCancellable *cancel;
    GHashTable *clusters; /* id → GPtrArray of char *: what is wrong; empty: nothing */
} Probe;

static gboolean answers(const Probe *probe, const char *address, guint port, GError **error)
{
    gboolean bare = strchr(address, ':') && *address != '[';
    g_autofree char *url = bare ? g_strdup_printf("https://[%s]:%u/info/", address, port)
                                : g_strdup_printf("https://%s:%u/info/", address, port);
    g_autoptr(HttpReply) reply =
        http_client_send(probe->http, "GET", url, NULL, NULL, NULL, MOST_REPLY_SIZE, probe->cancel, error);
    return reply != NULL;
}

static gboolean proxy_answers(const Probe *probe)
{
    g_autofree char *engine = ovirt_session_host(probe->session);
    return answers(probe, engine, PROXY_PORT, NULL);
}

/* FALSE: the engine cannot be asked. One host of the cluster that answers is enough: the engine takes one
 * that works. */
static gboolean probe_hosts(const Probe *probe, const char *cluster, GPtrArray *problems, GError **error)
{
    g_autoptr(json_t) list = ovirt_get(probe->session, "hosts", probe->cancel, error);
    gboolean good = FALSE;
    json_t *host;
    size_t i;

    json_array_foreach (json_object_get(list, "host"), i, host) {
        g_autoptr(GError) failed = NULL;
        if (good || strcmp(ovirt_text(host, "cluster.id"), cluster) ||
            strcmp(ovirt_text(host, "status"), "up"))
            continue;
        good = answers(probe, ovirt_text(host, "address"), OVIRT_IMAGEIO_PORT, &failed);
        if (!good)
            g_ptr_array_add(problems,
                            g_strdup_printf("host %s: %s", ovirt_text(host, "name"), failed->message));
    }
    if (!problems->len && !good)
        g_ptr_array_add(problems, g_strdup("no host of its cluster is up"));
    if (good || proxy_answers(probe))
        g_ptr_array_set_size(problems, 0);
    return list != NULL;
}

static GPtrArray *problems_of(const Probe *probe, const char *cluster, GError **error)
{
    GPtrArray *problems = g_hash_table_lookup(probe->clusters, cluster);

    if (problems)
        return problems;
    problems = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_insert(probe->clusters, g_strdup(cluster), problems);
    return probe_hosts(probe, cluster, problems, error) ? problems : NULL;
}

static gboolean probe_all(const Probe *probe, const json_t *workloads, json_t *unreachable, GError **error)
{
    const json_t *workload;
    size_t i;

    json_array_foreach (workloads, i, workload) {
        const GPtrArray *problems = problems_of(probe, json_string_at(workload, "cluster.id", ""), error);
        g_autoptr(json_t) texts = json_array();
        if (!problems)
            return FALSE;
        for (guint n = 0; n < problems->len; n++)
            json_array_append_new(texts, json_string(problems->pdata[n]));
        if (problems->len)
            json_object_set(unreachable, json_string_at(workload, "id", ""), texts);
    }
    return TRUE;
}

json_t *ovirt_unreachable(gpointer session, const json_t *workloads, GCancellable *cancel, GError **error)
{
    g_autoptr(HttpClient) http = ovirt_session_prober(session, error);
    g_autoptr(GHashTable) clusters =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    Probe probe = {.session = session, .http = http, .cancel = cancel, .clusters = clusters};
    g_autoptr(json_t) unreachable = json_object();

    return http && probe_all(&probe, workloads, unreachable, error) ? g_steal_pointer(&unreachable) : NULL;
}
