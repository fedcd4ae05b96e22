/* map_check: providers, then sources, then destinations. */
#include "controller/map_check.h"
#include "controller/controllers.h"
#include "controller/status.h"
#include "plan/provider_access.h"
#include <string.h>

static void map_check_clear(MapCheck *check)
{
    g_clear_pointer(&check->source, object_unref);
    g_clear_pointer(&check->destination, object_unref);
    g_clear_pointer(&check->target, kube_client_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MapCheck, map_check_clear)

static gboolean find_provider(MapCheck *check, const char *side, const char *prefix, Object **out,
                              GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_strdup_printf("spec.provider.%s", side);
    g_autofree char *not_valid = g_strdup_printf("%sProviderNotValid", prefix);
    g_autofree char *not_ready = g_strdup_printf("%sProviderNotReady", prefix);
    const json_t *ref = json_at(object_json(check->map), path);
    const char *name = json_string_at(ref, "name", ""), *ns = reference_namespace(ref, check->map);
    g_autoptr(GError) problem = NULL;

    if (!*name) {
        conditions_set(check->conditions, not_valid, CONDITION_CRITICAL, "NotSet",
                       "%s is not set: give the name and namespace of a Provider.", path);
        return TRUE;
    }
    *out = kube_get(check->kube, &KUBE_PROVIDER, ns, name, cancel, &problem);
    if (!*out && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!*out)
        conditions_set(check->conditions, not_valid, CONDITION_CRITICAL, "NotFound",
                       "%s: there is no Provider '%s' in namespace '%s'.", path, name, ns);
    else if (!object_condition(*out, "Ready"))
        conditions_set(check->conditions, not_ready, CONDITION_CRITICAL, NULL,
                       "%s: Provider '%s' is not ready; its status says why.", path, name);
    return TRUE;
}

/* FALSE: the API could not be asked. */
static gboolean check_providers(MapCheck *check, GCancellable *cancel, GError **error)
{
    const char *type;

    if (!find_provider(check, "source", "Source", &check->source, cancel, error) ||
        !find_provider(check, "destination", "Destination", &check->destination, cancel, error))
        return FALSE;
    if (!check->destination)
        return TRUE;
    type = json_string_at(object_json(check->destination), "spec.type", "");
    if (strcmp(type, "openshift")) {
        conditions_set(check->conditions, "DestinationProviderNotValid", CONDITION_CRITICAL, "TypeNotValid",
                       "spec.provider.destination is of type '%s': it must be openshift.", type);
        return TRUE;
    }
    check->target = provider_target(check->kube, check->destination, cancel, error);
    return check->target != NULL;
}

/* The inventory's collection of the map's sources. */
static const char *collection(const MapCheck *check)
{
    const char *type = check->source ? json_string_at(object_json(check->source), "spec.type", "") : "";

    if (!strcmp(check->kind->what, "network"))
        return "networks";
    return !strcmp(type, "ovirt") ? "storagedomains" : "datastores";
}

static json_t *resolve(MapCheck *check, const json_t *source, GCancellable *cancel)
{
    const char *id = json_string_at(source, "id", ""), *name = json_string_at(source, "name", "");
    g_autofree char *item = *id ? g_strdup_printf("id:%s", id) : g_strdup_printf("name:'%s'", name);
    g_autofree char *message = NULL;
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) found = NULL;

    if (!*id && !*name) {
        conditions_add_item(check->conditions, check->kind->source_condition, CONDITION_CRITICAL, "NotSet",
                            "Each of spec.map[].source must have an id or a name.", "(empty)");
        return json_object();
    }
    found = inventory_find(check->inventory, check->source, collection(check), source, cancel, &problem);
    if (found)
        return json_pack("{s:s, s:s}", "id", json_string_at(found, "id", ""), "name",
                         json_string_at(found, "name", ""));
    if (g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND)) {
        message = g_strdup_printf("The source provider has no such %s.", check->kind->what);
        conditions_add_item(check->conditions, check->kind->source_condition, CONDITION_CRITICAL, "NotFound",
                            message, item);
    } else if (g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_AMBIGUOUS)) {
        message = g_strdup_printf("Several %ss have this name: give the id or the path.", check->kind->what);
        conditions_add_item(check->conditions, check->kind->source_condition, CONDITION_CRITICAL, "Ambiguous",
                            message, item);
    } else {
        conditions_add_item(check->conditions, "SourceProviderNotReady", CONDITION_CRITICAL, NULL,
                            "The source provider's inventory cannot be asked.", problem->message);
        check->again = TRUE;
    }
    return json_object();
}

/* What was found for this very spec before; NULL: nothing. */
static json_t *resolved_before(const MapCheck *check, size_t index)
{
    const json_t *map = object_json(check->map);

    if (json_int_at(map, "status.observedGeneration", -1) != object_generation(check->map))
        return NULL;
    return json_incref(json_array_get(json_at(map, "status.references"), index));
}

/* The {id, name} of each pair's source, in the order of spec.map; a pair that does not resolve has {} there
 * and a condition. While the inventory cannot be asked, as after a restart, references stay: a plan under way
 * needs them. */
static json_t *check_references(MapCheck *check, GCancellable *cancel)
{
    const json_t *pairs = json_at(object_json(check->map), "spec.map");
    json_t *references = json_array();

    for (size_t i = 0; i < json_array_size(pairs); i++) {
        g_autoptr(json_t) found = resolve(check, json_at(json_array_get(pairs, i), "source"), cancel);
        json_t *before = check->again && !json_object_size(found) ? resolved_before(check, i) : NULL;
        json_array_append_new(references, before ? before : json_incref(found));
    }
    return references;
}

guint map_reconcile(const MapKind *kind, const char *key, gpointer controllers, GCancellable *cancel,
                    GError **error)
{
    KubeClient *kube = controllers_kube(controllers);
    g_autoptr(Object) map = status_get(kube, kind->resource, key, cancel, error);
    g_autoptr(Conditions) conditions = map ? status_conditions(map) : NULL;
    g_auto(MapCheck) check = {.kind = kind,
                              .kube = kube,
                              .inventory = controllers_inventory(controllers),
                              .map = map,
                              .conditions = conditions};
    g_autofree char *component = g_strdup_printf("%s-map", kind->what);
    json_t *status;
    size_t i;
    json_t *pair;

    if (!map || !check_providers(&check, cancel, error))
        return 0;
    status = status_copy(map);
    if (!conditions_critical(conditions)) {
        json_object_set_new(status, "references", check_references(&check, cancel));
        json_array_foreach (json_at(object_json(map), "spec.map"), i, pair)
            kind->check_destination(&check, json_object_get(pair, "destination"), cancel);
    }
    if (!conditions_blocked(conditions) && !check.again)
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The %s map is ready.", kind->what);
    status_write(kube, kind->resource, map, status, conditions, component, cancel, error);
    return conditions_has(conditions, "Ready") ? AGAIN_LATER : AGAIN_SOON;
}
