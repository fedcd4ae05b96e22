/* host_access: Hosts by id or name, and how each is entered. */
#include "plan/host_access.h"
#include <string.h>

void host_access_clear(HostAccess *access)
{
    g_clear_pointer(&access->id, g_free);
    g_clear_pointer(&access->address, g_free);
    g_clear_pointer(&access->user, g_free);
    if (access->password)
        explicit_bzero(access->password, strlen(access->password));
    g_clear_pointer(&access->password, g_free);
    g_clear_pointer(&access->trust, json_decref);
    g_clear_pointer(&access->ticket, json_decref);
}

static gboolean names(const Object *host, const Object *provider, const json_t *workload)
{
    const json_t *spec = json_object_get(object_json(host), "spec");
    const char *id = json_string_at(spec, "id", ""), *name = json_string_at(spec, "name", "");
    const char *ns = json_string_at(spec, "provider.namespace", object_namespace(host));

    if (strcmp(json_string_at(spec, "provider.name", ""), object_name(provider)) ||
        (*ns && strcmp(ns, object_namespace(provider))))
        return FALSE;
    if (*id)
        return !strcmp(id, json_string_at(workload, "host.id", ""));
    return *name && (!strcmp(name, json_string_at(workload, "host.name", "")) ||
                     !strcmp(name, json_string_at(workload, "host.path", "")));
}

Object *host_access_host(KubeClient *kube, const Object *provider, const json_t *workload,
                         GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) hosts =
        kube_list(kube, &KUBE_HOST, object_namespace(provider), NULL, NULL, NULL, cancel, error);

    for (guint i = 0; hosts && i < hosts->len; i++)
        if (names(hosts->pdata[i], provider, workload) && object_condition(hosts->pdata[i], "Ready"))
            return object_ref(hosts->pdata[i]);
    return NULL;
}

/* The host's own user and password. */
static gboolean use_secret(KubeClient *kube, const Object *host, HostAccess *out, GCancellable *cancel,
                           GError **error)
{
    const json_t *ref = json_at(object_json(host), "spec.secret");
    const char *ns = json_string_at(ref, "namespace", "");
    g_autoptr(Object) secret = kube_get(kube, &KUBE_SECRET, *ns ? ns : object_namespace(host),
                                        json_string_at(ref, "name", ""), cancel, error);

    if (!secret)
        return FALSE;
    out->user = secret_text(secret, "user");
    out->password = secret_text(secret, "password");
    return TRUE;
}

/* vCenter's, and where the copier gets its tickets. */
static void use_tickets(const ProviderAccess *vcenter, HostAccess *out)
{
    out->user = g_strdup(vcenter->access.user);
    out->password = g_strdup(vcenter->access.password);
    out->ticket =
        json_pack("{s:s, s:o}", "url", vcenter->access.url, "trust", provider_access_trust(vcenter));
}

/* ---- sources whose hosts are not entered ---- */

/* The inventory's id of the host that a Host names, when it is one of the VM's cluster; else NULL. */
static char *id_in_cluster(const PlanRun *plan, const Object *host, const json_t *workload,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) found = inventory_find(plan->inventory, plan->provider, "hosts",
                                             json_object_get(object_json(host), "spec"), cancel, &problem);
    const char *cluster = json_string_at(workload, "cluster.id", "");

    if (problem && !g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return found && !strcmp(json_string_at(found, "cluster", ""), cluster)
               ? g_strdup(json_string_at(found, "id", ""))
               : NULL;
}

/* A VM that is off is on no host: any of its cluster may read its disks, so that one with a Host is
 * preferred. */
static gboolean find_in_cluster(const PlanRun *plan, const json_t *workload, HostAccess *out,
                                GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) hosts =
        kube_list(plan->kube, &KUBE_HOST, object_namespace(plan->provider), NULL, NULL, NULL, cancel, error);

    for (guint i = 0; hosts && i < hosts->len && !out->address; i++) {
        const Object *host = hosts->pdata[i];
        g_autoptr(GError) problem = NULL;
        if (strcmp(json_string_at(object_json(host), "spec.provider.name", ""),
                   object_name(plan->provider)) ||
            !object_condition(host, "Ready"))
            continue;
        out->id = id_in_cluster(plan, host, workload, cancel, &problem);
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        if (out->id)
            out->address = g_strdup(json_string_at(object_json(host), "spec.ipAddress", ""));
    }
    return hosts != NULL;
}

/* ---- any source ---- */

gboolean host_access_find(VmRun *vm, const ProviderAccess *vcenter, HostAccess *out, GCancellable *cancel,
                          GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    const json_t *workload = vm_run_workload(vm, cancel, error);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) host =
        workload ? host_access_host(plan->kube, plan->provider, workload, cancel, &problem) : NULL;
    const char *thumbprint = json_string_at(workload, "host.thumbprint", "");

    if (workload && !problem && !source_hosts_log_in(vcenter->access.type))
        return find_in_cluster(plan, workload, out, cancel, error);
    if (!host) {
        if (problem)
            g_propagate_error(error, g_steal_pointer(&problem));
        return workload && !problem;
    }
    if (!*json_string_at(object_json(host), "spec.secret.name", ""))
        use_tickets(vcenter, out);
    else if (!use_secret(plan->kube, host, out, cancel, error))
        return FALSE;
    out->address = g_strdup(json_string_at(object_json(host), "spec.ipAddress", ""));
    out->trust = *thumbprint ? json_pack("{s:s}", "fingerprint", thumbprint)
                             : json_pack("{s:b}", "insecure", (int)vcenter->access.trust.insecure);
    return TRUE;
}
