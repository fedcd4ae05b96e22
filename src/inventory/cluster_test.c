/* cluster: a target that is too old is refused by what was found there. */
#include "inventory/cluster.h"
#include "kube/scripted_server.h"
#include <string.h>

#define NEW_ENOUGH "{'major':'1','minor':'27+','gitVersion':'v1.27.3'}"

/* How much of what is needed the server has. */
typedef struct {
    const char *version;  /* of Kubernetes */
    const char *kubevirt; /* its group, or NULL: there is none */
    const char *machines; /* its list of VirtualMachines, or NULL */
    int code;             /* -1: it will do */
    const char *words;
} Cluster;

static void answer(ScriptedServer *server, const Cluster *row)
{
    for (const char *const *collection = cluster_collections(); *collection; collection++) {
        g_autofree char *path = kube_list_path(cluster_resource(*collection), NULL, NULL, NULL);
        scripted_server_answer(server, "GET", path, 200, "{'items':[]}");
    }
    scripted_server_answer(server, "GET", "/version", 200, row->version);
    if (row->kubevirt)
        scripted_server_answer(server, "GET", "/apis/kubevirt.io", 200, row->kubevirt);
    if (!row->machines) {
        g_autofree char *path = kube_list_path(cluster_resource("vms"), NULL, NULL, NULL);
        scripted_server_answer(server, "GET", path, 404, "{'kind':'Status','code':404,'reason':'NotFound'}");
    }
}

static void what_is_too_old_is_named_with_what_is_needed(void)
{
    static const Cluster rows[] = {
        {NEW_ENOUGH, NULL, "", -1, ""},
        {"{'major':'1','minor':'16','gitVersion':'v1.16.2'}", NULL, "", ERROR_CLUSTER_VERSION,
         "runs Kubernetes v1.16.2; 1."},
        {"{'major':'1'}", NULL, "", ERROR_CLUSTER_VERSION, "runs Kubernetes of an unknown version"},
        {NEW_ENOUGH, NULL, NULL, ERROR_CLUSTER_VERSION,
         "serves nothing of kubevirt.io; kubevirt.io/v1 is needed"},
        {NEW_ENOUGH, "{'versions':[{'version':'v1alpha3'},{'version':'v1beta1'}]}", NULL,
         ERROR_CLUSTER_VERSION,
         "serves kubevirt.io v1alpha3, v1beta1; kubevirt.io/v1 is needed for virtualmachines"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(ScriptedServer) server = scripted_server_start();
        g_autoptr(GError) error = NULL;
        g_autoptr(KubeClient) client = kube_client_new_token(
            scripted_server_url(server), &(HttpTrust){.ca_pem = scripted_server_ca(server)}, "t", &error);

        g_assert_no_error(error);
        answer(server, &rows[i]);
        cluster_check(client, NULL, &error);
        g_assert_cmpint(error ? error->code : -1, ==, rows[i].code);
        if (error && !strstr(error->message, rows[i].words))
            g_error("'%s' is not in: %s", rows[i].words, error->message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inventory/cluster/what is too old is named with what is needed",
                    what_is_too_old_is_named_with_what_is_needed);
    return g_test_run();
}
