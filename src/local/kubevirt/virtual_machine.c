/* virtual_machine: run strategy in, instance and status out. */
#include "local/kubevirt/virtual_machine.h"
#include "base/clock.h"
#include "local/kubevirt/kubevirt.h"
#include <string.h>

enum { RESTART_MS = 3000 };

typedef enum { RUN_NEVER, RUN_ONCE, RUN_ON_FAILURE, RUN_ALWAYS, RUN_AS_IT_IS } RunStrategy;

static RunStrategy strategy_of(const json_t *machine)
{
    static const struct {
        const char *name;
        RunStrategy strategy;
    } names[] = {{"Always", RUN_ALWAYS},
                 {"Halted", RUN_NEVER},
                 {"RerunOnFailure", RUN_ON_FAILURE},
                 {"Once", RUN_ONCE},
                 {"Manual", RUN_AS_IT_IS}};
    const char *name = json_string_at(machine, "spec.runStrategy", NULL);

    for (gsize i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (!strcmp(names[i].name, name))
            return names[i].strategy;
    return json_bool_at(machine, "spec.running", FALSE) ? RUN_ALWAYS : RUN_NEVER;
}

static const char *phase_of(const Object *instance)
{
    return instance ? json_string_at(object_json(instance), "status.phase", "Pending") : "";
}

static gboolean is_final(const Object *instance)
{
    const char *phase = phase_of(instance);
    return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

/* When the instance came to its phase, in microseconds. */
static gint64 last_transition(const Object *instance)
{
    const json_t *times = json_at(object_json(instance), "status.phaseTransitionTimestamps");
    const json_t *last = json_array_get(times, json_array_size(times) - 1);
    return clock_parse(json_string_at(last, "phaseTransitionTimestamp", NULL));
}

static gboolean should_go_on(RunStrategy strategy, const Object *instance)
{
    switch (strategy) {
    case RUN_ALWAYS:
        return TRUE;
    case RUN_ON_FAILURE:
        return !is_final(instance) || !strcmp(phase_of(instance), "Failed");
    case RUN_ONCE:
    case RUN_AS_IT_IS:
        return !is_final(instance);
    case RUN_NEVER:
        break;
    }
    return FALSE;
}

static gboolean make_instance(LocalView *view, const Object *machine, GCancellable *cancel, GError **error)
{
    const json_t *template = json_at(object_json(machine), "spec.template");
    const json_t *labels = json_at(template, "metadata.labels"), *spec = json_object_get(template, "spec");
    g_autoptr(json_t) manifest =
        json_pack("{s:{s:s, s:o, s:[o]}, s:o}", "metadata", "name", object_name(machine), "labels",
                  labels ? json_deep_copy(labels) : json_object(), "ownerReferences",
                  local_owner_reference(machine, &KUBE_VIRTUAL_MACHINE, TRUE), "spec",
                  spec ? json_deep_copy(spec) : json_object());
    json_object_set_new(json_at(manifest, "metadata"), "finalizers", json_pack("[s]", KUBEVIRT_FINALIZER));
    g_autoptr(Object) instance = kube_create_or_get(local_view_client(view), &KUBE_VIRTUAL_MACHINE_INSTANCE,
                                                    object_namespace(machine), manifest, NULL, cancel, error);
    return instance != NULL;
}

static gboolean delete_instance(LocalView *view, const Object *instance, GCancellable *cancel, GError **error)
{
    GError *why = NULL;

    if (kube_delete(local_view_client(view), &KUBE_VIRTUAL_MACHINE_INSTANCE, object_namespace(instance),
                    object_name(instance), NULL, cancel, &why))
        return TRUE;
    if (g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_error_free(why);
        return TRUE;
    }
    g_propagate_error(error, why);
    return FALSE;
}

static const char *printable_status(const Object *machine, const Object *instance, RunStrategy strategy)
{
    const char *phase = phase_of(instance);

    if (object_deleting(machine))
        return "Terminating";
    if (!instance)
        return strategy == RUN_ALWAYS || strategy == RUN_ON_FAILURE ? "Starting" : "Stopped";
    if (object_deleting(instance))
        return "Stopping";
    if (!strcmp(phase, "Running"))
        return "Running";
    return is_final(instance) ? "Stopped" : "Starting";
}

static gboolean write_status(LocalView *view, const Object *machine, const Object *instance,
                             RunStrategy strategy, GCancellable *cancel, GError **error)
{
    gboolean ready = !strcmp(phase_of(instance), "Running") && !object_deleting(instance);
    const json_t *old = object_condition(machine, "Ready");
    g_autofree char *now = clock_now();
    const char *since = old && ready ? json_string_at(old, "lastTransitionTime", now) : now;
    g_autoptr(json_t) status =
        json_pack("{s:b, s:b, s:s, s:[{s:s, s:s, s:s}]}", "created", instance != NULL, "ready", ready,
                  "printableStatus", printable_status(machine, instance, strategy), "conditions", "type",
                  "Ready", "status", ready ? "True" : "False", "lastTransitionTime", since);
    const json_t *before = json_object_get(object_json(machine), "status");

    if (json_bool_at(before, "created", FALSE) == (instance != NULL) &&
        json_bool_at(before, "ready", FALSE) == ready &&
        !strcmp(json_string_at(before, "printableStatus", ""), json_string_at(status, "printableStatus", "")))
        return TRUE;
    g_autoptr(json_t) change = json_pack("{s:O}", "status", status);
    g_autoptr(Object) changed =
        kube_patch(local_view_client(view), &KUBE_VIRTUAL_MACHINE, object_namespace(machine),
                   object_name(machine), KUBE_PATCH_MERGE, change, "status", cancel, error);
    return changed != NULL;
}

guint virtual_machine_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error)
{
    g_autofree char *ns = NULL, *name = NULL;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) machine = local_view_get(view, &KUBE_VIRTUAL_MACHINE, ns, name);
    if (!machine)
        return 0; /* its instance goes as its owner has gone */
    g_autoptr(Object) instance = local_view_get(view, &KUBE_VIRTUAL_MACHINE_INSTANCE, ns, name);
    RunStrategy strategy = strategy_of(object_json(machine));
    if (!write_status(view, machine, instance, strategy, cancel, error) || object_deleting(machine))
        return 0;

    gboolean wanted = should_go_on(strategy, instance);
    if (!instance && wanted && strategy != RUN_ONCE && strategy != RUN_AS_IT_IS)
        make_instance(view, machine, cancel, error);
    else if (!instance && strategy == RUN_ONCE && !json_at(object_json(machine), "status.created"))
        make_instance(view, machine, cancel, error);
    else if (instance && !object_deleting(instance) && is_final(instance) && wanted) {
        /* Ended by itself and is to run: a new instance, but not in a tight loop. */
        if (g_get_real_time() - last_transition(instance) < RESTART_MS * 1000)
            return RESTART_MS;
        delete_instance(view, instance, cancel, error);
    } else if (instance && !object_deleting(instance) && !wanted && strategy == RUN_NEVER)
        delete_instance(view, instance, cancel, error);
    return 0;
}
