/* scope_test: what NS, PLAN and VM mean. */
#include "gather/scope.h"
#include <string.h>

static Object *plan(const char *ns, const char *name, const char *target, const char *id, const char *vm)
{
    return object_new_take(json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:[{s:s}]}, s:{s:{s:[{s:s, s:s}]}}}",
                                     "metadata", "namespace", ns, "name", name, "uid", name, "spec",
                                     "targetNamespace", target, "vms", "id", id, "status", "migration", "vms",
                                     "id", id, "name", vm));
}

static GPtrArray *plans(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_ptr_array_add(all, plan("openshift-mtv", "one", "shop", "vm-1", "web"));
    g_ptr_array_add(all, plan("openshift-mtv", "two", "shop", "vm-2", "db"));
    g_ptr_array_add(all, plan("team", "one", "labs", "vm-3", "db"));
    return all;
}

/* "namespace/plan vm-1 …" of each plan, joined by "; ", or the error. */
static char *scope_text(const GatherFilter *filter)
{
    g_autoptr(GPtrArray) all = plans();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) scope = scope_of(all, filter, &error);
    GString *text = g_string_new(NULL);

    for (guint i = 0; scope && i < scope->len; i++) {
        ScopedPlan *scoped = scope->pdata[i];
        GHashTableIter iter;
        gpointer id;
        g_string_append_printf(text, "%s%s/%s", i ? "; " : "", object_namespace(scoped->plan),
                               object_name(scoped->plan));
        g_hash_table_iter_init(&iter, scoped->vms);
        while (g_hash_table_iter_next(&iter, &id, NULL))
            g_string_append_printf(text, " %s", (char *)id);
    }
    if (error)
        g_string_append(text, error->message);
    return g_string_free(text, FALSE);
}

static void filters_mean_plans_and_vms(void)
{
    static const struct {
        GatherFilter filter;
        const char *means;
    } rows[] = {
        {{"shop", NULL, NULL}, "openshift-mtv/one vm-1; openshift-mtv/two vm-2"},
        {{"team", "", ""}, "team/one vm-3"},
        {{NULL, "two", NULL}, "openshift-mtv/two vm-2"},
        {{"labs", "one", NULL}, "team/one vm-3"},
        {{NULL, NULL, "web"}, "openshift-mtv/one vm-1"},
        {{NULL, NULL, "vm-3"}, "team/one vm-3"},
        {{"shop", NULL, "db"}, "openshift-mtv/two vm-2"},
        {{NULL, "one", NULL}, "PLAN=one means several plans (openshift-mtv/one, team/one): give NS too"},
        {{NULL, "four", NULL},
         "PLAN=four: there is no such Plan; there are: openshift-mtv/one, openshift-mtv/two, team/one"},
        {{"empty", NULL, NULL},
         "NS=empty: no Plan lies or migrates there; there are: openshift-mtv/one, openshift-mtv/two, "
         "team/one"},
        {{NULL, "two", "web"},
         "VM=web: no VM of this id or name stands in a Plan (looked at: openshift-mtv/two)"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = scope_text(&rows[i].filter);
        g_assert_cmpstr(text, ==, rows[i].means);
    }
}

static void one_name_of_two_vms_is_refused(void)
{
    g_autofree char *text = scope_text(&(GatherFilter){.vm = "db"});

    g_assert_true(g_str_has_prefix(text, "VM=db means several VMs ("));
    g_assert_nonnull(strstr(text, "vm-2"));
    g_assert_nonnull(strstr(text, "vm-3"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/scope/filters mean plans and VMs", filters_mean_plans_and_vms);
    g_test_add_func("/gather/scope/one name of two VMs is refused", one_name_of_two_vms_is_refused);
    return g_test_run();
}
