/* host_access: Hosts by id or name, their Secrets. */
#include "plan/host_access.h"
#include "plan/provider_access.h"
#include <string.h>

void host_access_clear(HostAccess *access)
{
    g_clear_pointer(&access->address, g_free);
    g_clear_pointer(&access->user, g_free);
    g_clear_pointer(&access->password, g_free);
    g_clear_pointer(&access->trust, json_decref);
}

static gboolean names(const Object *host, const PlanRun *plan, const json_t *workload)
{
    const json_t *spec = json_object_get(object_json(host), "spec");
    const char *id = json_string_at(spec, "id", ""), *name = json_string_at(spec, "name", "");

    if (strcmp(json_string_at(spec, "provider.name", ""), object_name(plan->provider)))
        return FALSE;
    return *id ? !strcmp(id, json_string_at(workload, "host.id", ""))
               : *name && !strcmp(name, json_string_at(workload, "host.name", ""));
}

static gboolean read_secret(const PlanRun *plan, const Object *host, HostAccess *out, GCancellable *cancel,
                            GError **error)
{
    const json_t *ref = json_at(object_json(host), "spec.secret");
    const char *ns = json_string_at(ref, "namespace", "");
    g_autoptr(Object) secret = kube_get(plan->kube, &KUBE_SECRET, *ns ? ns : object_namespace(host),
                                        json_string_at(ref, "name", ""), cancel, error);

    if (!secret)
        return FALSE;
    out->user = secret_text(secret, "user");
    out->password = secret_text(secret, "password");
    return TRUE;
}

gboolean host_access_find(VmRun *vm, HostAccess *out, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    const json_t *workload = vm_run_workload(vm, cancel, error);
    g_autoptr(GPtrArray) hosts = workload ? kube_list(plan->kube, &KUBE_HOST, object_namespace(plan->plan),
                                                      NULL, NULL, NULL, cancel, error)
                                          : NULL;
    const char *thumbprint;

    for (guint i = 0; hosts && i < hosts->len; i++) {
        const Object *host = hosts->pdata[i];
        if (!names(host, plan, workload) || !object_condition(host, "Ready") ||
            !*json_string_at(object_json(host), "spec.secret.name", ""))
            continue;
        if (!read_secret(plan, host, out, cancel, error))
            return FALSE;
        thumbprint = json_string_at(workload, "host.thumbprint", "");
        out->address = g_strdup(json_string_at(object_json(host), "spec.ipAddress", ""));
        out->trust = *thumbprint ? json_pack("{s:s}", "fingerprint", thumbprint) : json_object();
        return TRUE;
    }
    return hosts != NULL;
}
