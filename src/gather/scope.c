/* scope: picks plans, then VMs of them. */
#include "gather/scope.h"
#include <string.h>

enum { MOST_NAMED = 20 }; /* in an error */

static gboolean is_set(const char *text)
{
    return text && *text;
}

gboolean gather_filter_is_empty(const GatherFilter *filter)
{
    return !is_set(filter->ns) && !is_set(filter->plan) && !is_set(filter->vm);
}

static void scoped_plan_free(ScopedPlan *scoped)
{
    object_unref(scoped->plan);
    g_hash_table_unref(scoped->vms);
    g_free(scoped);
}

/* ---- plans ---- */

static gboolean is_in(const Object *plan, const char *ns)
{
    return !strcmp(object_namespace(plan), ns) ||
           !strcmp(json_string_at(object_json(plan), "spec.targetNamespace", ""), ns);
}

/* "a, b, c …" of the plans' names, each with its namespace. */
static char *named(GPtrArray *plans)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < plans->len && i < MOST_NAMED; i++)
        g_string_append_printf(names, "%s%s/%s", i ? ", " : "", object_namespace(plans->pdata[i]),
                               object_name(plans->pdata[i]));
    if (plans->len > MOST_NAMED)
        g_string_append(names, " …");
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static GPtrArray *pick_plans(GPtrArray *plans, const GatherFilter *filter, GError **error)
{
    g_autoptr(GPtrArray) picked = g_ptr_array_new();
    g_autofree char *all = named(plans);

    for (guint i = 0; i < plans->len; i++)
        if ((!is_set(filter->plan) || !strcmp(object_name(plans->pdata[i]), filter->plan)) &&
            (!is_set(filter->ns) || is_in(plans->pdata[i], filter->ns)))
            g_ptr_array_add(picked, plans->pdata[i]);
    if (picked->len && (!is_set(filter->plan) || picked->len == 1))
        return g_steal_pointer(&picked);
    if (picked->len) {
        g_autofree char *several = named(picked);
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "PLAN=%s means several plans (%s): give NS too",
                    filter->plan, several);
    } else if (is_set(filter->plan))
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                    "PLAN=%s: there is no such Plan%s%s; there are: %s", filter->plan,
                    is_set(filter->ns) ? " of namespace " : "", is_set(filter->ns) ? filter->ns : "",
                    plans->len ? all : "none");
    else
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                    "%s=%s: no Plan lies or migrates there; there are: %s", is_set(filter->ns) ? "NS" : "VM",
                    is_set(filter->ns) ? filter->ns : filter->vm, plans->len ? all : "none");
    return NULL;
}

/* ---- VMs ---- */

static gboolean is_named(const json_t *vm, const char *wanted)
{
    static const char *const members[] = {"id", "name", "newName", "targetName"};

    if (!is_set(wanted))
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        if (!strcmp(json_string_at(vm, members[i], ""), wanted))
            return TRUE;
    return FALSE;
}

/* A plan's VMs stand in its spec, by id or by name, and once it was run in its status with both. */
static GHashTable *pick_vms(const Object *plan, const char *wanted)
{
    static const char *const lists[] = {"status.migration.vms", "spec.vms"};
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_t *vm;
    size_t n;

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        json_array_foreach (json_at(object_json(plan), lists[i]), n, vm) {
            const char *id = json_string_at(vm, "id", "");
            if (*id && is_named(vm, wanted))
                g_hash_table_add(ids, g_strdup(id));
        }
    return ids;
}

/* One VM may stand in several plans; two VMs of one name are two things. */
static gboolean check_one_vm(GPtrArray *scope, const GatherFilter *filter, GPtrArray *plans, GError **error)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *all = named(plans);
    GHashTableIter iter;
    gpointer id;

    for (guint i = 0; i < scope->len; i++) {
        g_hash_table_iter_init(&iter, ((ScopedPlan *)scope->pdata[i])->vms);
        while (g_hash_table_iter_next(&iter, &id, NULL))
            g_hash_table_add(ids, id);
    }
    if (g_hash_table_size(ids) == 1)
        return TRUE;
    if (!g_hash_table_size(ids)) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                    "VM=%s: no VM of this id or name stands in a Plan (looked at: %s)", filter->vm, all);
        return FALSE;
    }
    g_autofree const char **each = (const char **)g_hash_table_get_keys_as_array(ids, NULL);
    g_autofree char *text = g_strjoinv(", ", (char **)each);
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "VM=%s means several VMs (%s): give the id, or PLAN or NS too", filter->vm, text);
    return FALSE;
}

GPtrArray *scope_of(GPtrArray *plans, const GatherFilter *filter, GError **error)
{
    g_autoptr(GPtrArray) picked = pick_plans(plans, filter, error);
    g_autoptr(GPtrArray) scope = g_ptr_array_new_with_free_func((GDestroyNotify)scoped_plan_free);

    for (guint i = 0; picked && i < picked->len; i++) {
        g_autoptr(GHashTable) vms = pick_vms(picked->pdata[i], filter->vm);
        if (is_set(filter->vm) && !g_hash_table_size(vms))
            continue;
        ScopedPlan *scoped = g_new0(ScopedPlan, 1);
        scoped->plan = object_ref(picked->pdata[i]);
        scoped->vms = g_steal_pointer(&vms);
        g_ptr_array_add(scope, scoped);
    }
    if (!picked || (is_set(filter->vm) && !check_one_vm(scope, filter, picked, error)))
        return NULL;
    return g_steal_pointer(&scope);
}

GPtrArray *scope_resolve(KubeClient *client, const GatherFilter *filter, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) plans = NULL;
    g_autoptr(GError) failed = NULL;

    if (is_set(filter->ns)) {
        g_autoptr(Object) ns = kube_get(client, &KUBE_NAMESPACE, NULL, filter->ns, cancel, &failed);
        if (g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "NS=%s: there is no such namespace",
                        filter->ns);
            return NULL;
        }
        if (!ns) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return NULL;
        }
    }
    plans = kube_list(client, &KUBE_PLAN, NULL, NULL, NULL, NULL, cancel, error);
    return plans ? scope_of(plans, filter, error) : NULL;
}
