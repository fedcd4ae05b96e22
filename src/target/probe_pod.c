/* probe_pod: the manifest. */
#include "target/probe_pod.h"
#include "target/pod.h"

enum { DEADLINE_S = 60 };

json_t *target_probe_pod(const ProbePod *probe)
{
    json_t *command = json_pack("[s, s]", "gantry", "probe"), *spec, *metadata;
    g_autofree char *name = g_strdup_printf("%.*s-probe-", TARGET_NAME_BASE - 7, probe->plan_name);

    for (const char *const *endpoint = probe->endpoints; *endpoint; endpoint++)
        json_array_append_new(command, json_string(*endpoint));
    spec = pod_spec(TARGET_PROBE_APP, probe->image, command, "Never");
    pod_request(spec, "10m", "32Mi");
    json_object_set_new(spec, "activeDeadlineSeconds", json_integer(DEADLINE_S));
    if (probe->service_account)
        json_object_set_new(spec, "serviceAccountName", json_string(probe->service_account));
    metadata =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "generateName", name, "namespace", probe->ns,
                  "labels", "plan", probe->plan_uid, "plan-name", probe->plan_name, "plan-namespace",
                  probe->plan_namespace, "forklift.app", TARGET_PROBE_APP, TARGET_PROBE_LABEL, probe->mark);
    pod_transfer_network(metadata, probe->transfer_network);
    return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Pod", "metadata", metadata, "spec",
                     spec);
}
