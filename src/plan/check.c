/* check: the plan's references, in the order in which a user would set them up. */
#include "plan/check.h"
#include "kube/find.h"
#include "plan/bandwidth.h"
#include "plan/check_guest.h"
#include "plan/check_inspection.h"
#include "plan/check_reach.h"
#include "plan/check_rights.h"
#include "plan/check_vms.h"
#include "plan/naming.h"
#include "plan/preflight.h"
#include "plan/probe.h"
#include "plan/provider_access.h"
#include "plan/transfer_network.h"
#include "source/warm.h"
#include <string.h>

void plan_check_clear(PlanCheck *check)
{
    g_clear_pointer(&check->provider, object_unref);
    g_clear_pointer(&check->destination, object_unref);
    g_clear_pointer(&check->secret, object_unref);
    g_clear_pointer(&check->network_map, object_unref);
    g_clear_pointer(&check->storage_map, object_unref);
    g_clear_pointer(&check->target, kube_client_unref);
}

static const json_t *spec_of(const PlanCheck *check)
{
    return json_object_get(object_json(check->plan), "spec");
}

/* ---- references ---- */

typedef struct {
    const char *path; /* in spec */
    const KubeResource *resource;
    const char *not_valid, *not_ready; /* condition types */
} Reference;

static const Reference source_ref = {"provider.source", &KUBE_PROVIDER, "SourceProviderNotValid",
                                     "SourceProviderNotReady"};
static const Reference destination_ref = {"provider.destination", &KUBE_PROVIDER,
                                          "DestinationProviderNotValid", "DestinationProviderNotReady"};
static const Reference network_ref = {"map.network", &KUBE_NETWORK_MAP, "NetworkMapRefNotValid",
                                      "NetworkMapNotReady"};
static const Reference storage_ref = {"map.storage", &KUBE_STORAGE_MAP, "StorageRefNotValid",
                                      "StorageMapNotReady"};

/* A map whose last change its reconciler has not seen yet says nothing. */
static gboolean is_ready(const Object *object)
{
    return object_condition(object, "Ready") &&
           json_int_at(object_json(object), "status.observedGeneration", 0) >= object_generation(object);
}

static gboolean resolve(PlanCheck *check, const Reference *ref, Object **out, GCancellable *cancel,
                        GError **error)
{
    const json_t *found = json_at(spec_of(check), ref->path);
    const char *name = json_string_at(found, "name", ""), *ns = json_string_at(found, "namespace", "");

    if (!*ns)
        ns = object_namespace(check->plan);
    if (!*name) {
        conditions_set(check->conditions, ref->not_valid, CONDITION_CRITICAL, "NotSet",
                       "spec.%s is not set: give the name and namespace of a %s.", ref->path,
                       ref->resource->kind);
        return TRUE;
    }
    if (!kube_find(check->kube, ref->resource, ns, name, out, cancel, error))
        return FALSE;
    if (!*out)
        conditions_set(check->conditions, ref->not_valid, CONDITION_CRITICAL, "NotFound",
                       "spec.%s: there is no %s '%s' in namespace '%s'.", ref->path, ref->resource->kind,
                       name, ns);
    else if (!is_ready(*out))
        conditions_set(check->conditions, ref->not_ready, CONDITION_CRITICAL, NULL,
                       "spec.%s: %s '%s' is not ready; its status says why.", ref->path, ref->resource->kind,
                       name);
    return TRUE;
}

static gboolean resolve_all(PlanCheck *check, GCancellable *cancel, GError **error)
{
    return resolve(check, &source_ref, &check->provider, cancel, error) &&
           resolve(check, &destination_ref, &check->destination, cancel, error) &&
           resolve(check, &network_ref, &check->network_map, cancel, error) &&
           resolve(check, &storage_ref, &check->storage_map, cancel, error);
}

/* What a provider may be in its place. */
static void check_types(PlanCheck *check)
{
    const char *source =
        check->provider ? json_string_at(object_json(check->provider), "spec.type", "") : "vsphere";
    const char *destination =
        check->destination ? json_string_at(object_json(check->destination), "spec.type", "") : "openshift";

    if (strcmp(source, "vsphere") && strcmp(source, "ovirt"))
        conditions_set(check->conditions, source_ref.not_valid, CONDITION_CRITICAL, "TypeNotValid",
                       "spec.provider.source is of type '%s': it must be vsphere or ovirt.", source);
    if (strcmp(destination, "openshift"))
        conditions_set(check->conditions, destination_ref.not_valid, CONDITION_CRITICAL, "TypeNotValid",
                       "spec.provider.destination is of type '%s': it must be openshift.", destination);
}

static gboolean connect_target(PlanCheck *check, GCancellable *cancel, GError **error)
{
    if (check->destination)
        check->target = provider_target(check->kube, check->destination, cancel, error);
    return check->target || !check->destination;
}

/* The provider's own reconciler complains when its Secret is missing. */
static gboolean read_secret(PlanCheck *check, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (!check->provider)
        return TRUE;
    check->secret = provider_secret(check->kube, check->provider, cancel, &problem);
    if (check->secret || g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

/* ---- the plan's own fields ---- */

static void check_namespace(PlanCheck *check)
{
    const char *ns = json_string_at(spec_of(check), "targetNamespace", "");

    if (!*ns)
        conditions_set(check->conditions, "NamespaceNotValid", CONDITION_CRITICAL, "NotSet",
                       "spec.targetNamespace is not set: name the namespace that the VMs go to.");
    else if (!naming_is_label(ns))
        conditions_set(check->conditions, "NamespaceNotValid", CONDITION_CRITICAL, "NotValid",
                       "spec.targetNamespace '%s' is no DNS label: at most 63 of a-z, 0-9 and '-'.", ns);
}

static void check_kind(PlanCheck *check)
{
    const char *type = json_string_at(spec_of(check), "type", "");
    const char *source =
        check->provider ? json_string_at(object_json(check->provider), "spec.type", "") : "vsphere";

    if (*type && strcmp(type, "cold") && strcmp(type, "warm"))
        conditions_set(check->conditions, "MigrationTypeNotValid", CONDITION_CRITICAL, "NotSupported",
                       "spec.type '%s' is not supported by this version; use cold or warm.", type);
    else if (json_bool_at(spec_of(check), "warm", FALSE) && !source_reads_running(source))
        conditions_set(
            check->conditions, "WarmMigrationNotReady", CONDITION_CRITICAL, "NotSupported",
            "spec.warm: VMs of a provider of type '%s' are migrated cold only; set spec.warm to false.",
            source);
    else if (json_bool_at(spec_of(check), "warm", FALSE) && !strcmp(source, "ovirt") &&
             !check->settings->ovirt_warm)
        conditions_set(
            check->conditions, "WarmMigrationNotReady", CONDITION_CRITICAL, "NotSupported",
            "spec.warm: warm migrations of oVirt are switched off; set "
            "controller_ovirt_warm_migration of the ForkliftController to true, or spec.warm to false.");
}

static gboolean check_transfer_network(PlanCheck *check, GCancellable *cancel, GError **error)
{
    g_autofree char *network = transfer_network_find(check->plan, check->destination, check->settings);
    g_auto(GStrv) parts = network ? g_strsplit(network, "/", 2) : NULL;
    g_autoptr(Object) found = NULL;
    g_autoptr(GError) problem = NULL;

    if (!network || !check->target)
        return TRUE;
    found =
        kube_get(check->target, &KUBE_NETWORK_ATTACHMENT_DEFINITION, parts[0], parts[1], cancel, &problem);
    if (found)
        return TRUE;
    if (!g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    conditions_set(check->conditions, "TransferNetworkNotValid", CONDITION_CRITICAL, "NotFound",
                   "The transfer network: there is no NetworkAttachmentDefinition '%s' in namespace '%s'. It "
                   "is named by "
                   "spec.transferNetwork, else the destination provider, else the settings.",
                   parts[1], parts[0]);
    return TRUE;
}

/* ---- hooks ---- */

static gboolean check_hook(PlanCheck *check, const json_t *hook, const char *vm, GHashTable *steps,
                           GCancellable *cancel, GError **error)
{
    const char *step = json_string_at(hook, "step", json_string_at(hook, "hook.step", ""));
    const char *name = json_string_at(hook, "hook.name", "");
    const char *ns = json_string_at(hook, "hook.namespace", object_namespace(check->plan));
    g_autoptr(Object) found = NULL;

    if ((strcmp(step, "PreHook") && strcmp(step, "PostHook")) || !g_hash_table_add(steps, (gpointer)step))
        conditions_add_item(check->conditions, "HookStepNotValid", CONDITION_CRITICAL, "NotValid",
                            "spec.vms[].hooks[].step must be PreHook or PostHook, each at most once per VM.",
                            vm);
    if (!*name) {
        conditions_add_item(check->conditions, "HookNotValid", CONDITION_CRITICAL, "NotSet",
                            "spec.vms[].hooks[].hook must name a Hook.", vm);
        return TRUE;
    }
    if (!kube_find(check->kube, &KUBE_HOOK, ns, name, &found, cancel, error))
        return FALSE;
    if (!found)
        conditions_add_item(check->conditions, "HookNotValid", CONDITION_CRITICAL, "NotFound",
                            "spec.vms[].hooks[].hook names a Hook that does not exist.", name);
    else if (!is_ready(found))
        conditions_add_item(check->conditions, "HookNotReady", CONDITION_CRITICAL, NULL,
                            "A Hook is not ready; its status says why.", name);
    return TRUE;
}

static gboolean check_hooks(PlanCheck *check, GCancellable *cancel, GError **error)
{
    size_t i, j;
    json_t *vm, *hook;

    json_array_foreach (json_object_get(spec_of(check), "vms"), i, vm) {
        g_autoptr(GHashTable) steps = g_hash_table_new(g_str_hash, g_str_equal);
        const char *text = json_string_at(vm, "id", json_string_at(vm, "name", ""));
        json_array_foreach (json_object_get(vm, "hooks"), j, hook)
            if (!check_hook(check, hook, text, steps, cancel, error))
                return FALSE;
    }
    return TRUE;
}

/* ---- all ---- */

static gboolean check_machines(PlanCheck *check, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) vms = NULL;

    if (check->executing || conditions_critical(check->conditions) || !check->secret)
        return TRUE;
    if (!preflight_target(check, cancel, error))
        return FALSE;
    if (conditions_critical(check->conditions))
        return TRUE;
    vms = check_vms(check, cancel, error);
    for (guint i = 0; vms && i < vms->len; i++)
        if (!check_guest(check, vms->pdata[i], cancel, error))
            return FALSE;
    return vms && check_rights(check, vms, cancel, error) && check_reach(check, vms, cancel, error) &&
           preflight_run(check, vms, cancel, error) && probe_run(check, vms, cancel, error) &&
           check_inspection(check, vms, cancel, error);
}

static void check_bandwidth(PlanCheck *check)
{
    g_autoptr(GError) problem = NULL;
    guint64 limit;

    if (!bandwidth_read(check->plan, &limit, &problem))
        conditions_set(check->conditions, "BandwidthLimitNotValid", CONDITION_WARN, "NotValid",
                       "The limit is not in force: %s", problem->message);
}

gboolean plan_check_run(PlanCheck *check, GCancellable *cancel, GError **error)
{
    if (!resolve_all(check, cancel, error) || !read_secret(check, cancel, error))
        return FALSE;
    check_types(check);
    check_namespace(check);
    check_kind(check);
    check_bandwidth(check);
    if (!connect_target(check, cancel, error))
        return FALSE;
    return check_transfer_network(check, cancel, error) && check_hooks(check, cancel, error) &&
           check_machines(check, cancel, error);
}

PlanRun plan_check_objects(const PlanCheck *check)
{
    return (PlanRun){.kube = check->kube,
                     .target = check->target,
                     .inventory = check->inventory,
                     .settings = check->settings,
                     .plan = check->plan,
                     .provider = check->provider,
                     .destination = check->destination,
                     .secret = check->secret,
                     .network_map = check->network_map,
                     .storage_map = check->storage_map,
                     .image = check->image,
                     .home = check->home};
}
