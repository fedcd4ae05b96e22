/* admission: what is filled in, and what is refused. */
#include "admission/admission.h"
#include <string.h>

#define EXECUTING "\"status\":{\"conditions\":[{\"type\":\"Executing\",\"status\":\"True\"}]}"

static Object *look(const char *resource, const char *ns, const char *name, gpointer store)
{
    g_autofree char *key = g_strdup_printf("%s/%s/%s", resource, ns ? ns : "(null)", name);
    const char *text = NULL;

    if (!strcmp(key, "providers.forklift.konveyor.io/openshift-mtv/host"))
        text = "{\"metadata\":{\"annotations\":{\"forklift.konveyor.io/defaultTransferNetwork\":\"target/"
               "fast\"}}}";
    else if (!strcmp(key, "network-attachment-definitions.k8s.cni.cncf.io/target/fast"))
        text = "{}";
    else if (!strcmp(key, "plans.forklift.konveyor.io/openshift-mtv/p"))
        text = "{\"metadata\":{\"uid\":\"u-1\",\"name\":\"p\"},\"spec\":{}}";
    else if (!strcmp(key, "plans.forklift.konveyor.io/openshift-mtv/old"))
        text = "{\"metadata\":{\"uid\":\"u-2\",\"name\":\"old\"},\"spec\":{\"archived\":true}}";
    else if (!strcmp(key, "namespaces/(null)/leaving"))
        text = "{\"metadata\":{\"name\":\"leaving\",\"deletionTimestamp\":\"2026-11-23T17:00:00Z\"}}";
    else if (!strcmp(key, "namespaces/(null)/staying"))
        text = "{\"metadata\":{\"name\":\"staying\"}}";
    return text ? object_new_take(json_loads(text, 0, NULL)) : NULL;
}

static gboolean review(const char *operation, const char *resource, const char *before, json_t *object,
                       GError **error)
{
    g_autoptr(json_t) old = before ? json_loads(before, 0, NULL) : NULL;
    AdmissionRequest request = {.operation = operation,
                                .resource = resource,
                                .user = "system:admin",
                                .before = old,
                                .object = object,
                                .look = look};
    g_assert_true(!before == !old);
    return admission_review(&request, error);
}

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    g_assert_nonnull(json);
    return json;
}

static void a_plan_gets_the_providers_transfer_network(void)
{
    g_autoptr(json_t) plan =
        parse("{\"metadata\":{\"namespace\":\"openshift-mtv\"},\"spec\":{\"targetNamespace\":\"target\","
              "\"provider\":{\"destination\":{\"name\":\"host\"}}}}");
    g_assert_true(review("CREATE", "plans", NULL, plan, NULL));
    g_assert_cmpstr(json_string_at(plan, "spec.transferNetwork.name", ""), ==, "fast");
}

static void type_and_warm_agree(void)
{
    g_autoptr(json_t) warm = parse("{\"spec\":{\"type\":\"warm\"}}"),
                      cold = parse("{\"spec\":{\"type\":\"cold\",\"warm\":true}}");
    g_autoptr(json_t) guide = parse("{\"spec\":{\"warm\":true}}");
    g_assert_true(review("CREATE", "plans", NULL, warm, NULL));
    g_assert_true(json_bool_at(warm, "spec.warm", FALSE));
    g_assert_true(review("CREATE", "plans", NULL, cold, NULL));
    g_assert_false(json_bool_at(cold, "spec.warm", TRUE));
    g_assert_true(review("CREATE", "plans", NULL, guide, NULL));
    g_assert_true(json_bool_at(guide, "spec.warm", FALSE));
}

static void a_migration_gets_its_plans_uid_and_cutover_moves_to_its_place(void)
{
    g_autoptr(json_t) migration =
        parse("{\"metadata\":{\"namespace\":\"openshift-mtv\"},\"spec\":{\"plan\":{\"name\":\"p\","
              "\"namespace\":\"openshift-mtv\",\"cutover\":\"2021-04-04T01:23:45.678+09:00\"}}}");
    g_assert_true(review("CREATE", "migrations", NULL, migration, NULL));
    g_assert_cmpstr(json_string_at(migration, "spec.plan.uid", ""), ==, "u-1");
    g_assert_cmpstr(json_string_at(migration, "spec.cutover", ""), ==, "2021-04-04T01:23:45.678+09:00");
    g_assert_null(json_at(migration, "spec.plan.cutover"));
}

static const struct {
    const char *what, *operation, *resource, *before, *object, *text;
} refused[] = {
    {"an edit of a running plan", "UPDATE", "plans",
     "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"targetNamespace\":\"a\"}," EXECUTING "}",
     "{\"spec\":{\"targetNamespace\":\"b\"}}", "is running"},
    {"the deletion of a running plan", "DELETE", "plans",
     "{\"metadata\":{\"name\":\"p\",\"namespace\":\"staying\"}," EXECUTING "}", NULL, "cancel its migration"},
    {"the restoration of an archived plan", "UPDATE", "plans",
     "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"archived\":true}}", "{\"spec\":{\"archived\":false}}",
     "spec.archived"},
    {"a migration of an archived plan", "CREATE", "migrations", NULL,
     "{\"metadata\":{\"namespace\":\"openshift-mtv\"},\"spec\":{\"plan\":{\"name\":\"old\"}}}", "archived"},
    {"another type of a provider", "UPDATE", "providers", "{\"spec\":{\"type\":\"vsphere\"}}",
     "{\"spec\":{\"type\":\"ovirt\"}}", "spec.type"},
    {"an unknown sdkEndpoint", "CREATE", "providers", NULL,
     "{\"spec\":{\"type\":\"vsphere\",\"settings\":{\"sdkEndpoint\":\"x\"}}}", "spec.settings.sdkEndpoint"},
};

static void is_refused(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    g_autoptr(json_t) object = refused[i].object ? parse(refused[i].object) : NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(review(refused[i].operation, refused[i].resource, refused[i].before, object, &error));
    g_assert_nonnull(strstr(error->message, refused[i].text));
}

static const struct {
    const char *what, *operation, *before, *object;
} allowed[] = {
    {"archiving a running plan", "UPDATE", "{\"spec\":{\"targetNamespace\":\"a\"}," EXECUTING "}",
     "{\"spec\":{\"targetNamespace\":\"a\",\"archived\":true}}"},
    {"an edit of a plan that does not run", "UPDATE", "{\"spec\":{\"targetNamespace\":\"a\"}}",
     "{\"spec\":{\"targetNamespace\":\"b\"}}"},
    {"the deletion of a plan that does not run", "DELETE", "{\"spec\":{}}", NULL},
    {"the deletion of a running plan with its namespace", "DELETE",
     "{\"metadata\":{\"namespace\":\"leaving\"}," EXECUTING "}", NULL},
};

static void is_allowed(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    g_autoptr(json_t) object = allowed[i].object ? parse(allowed[i].object) : NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(review(allowed[i].operation, "plans", allowed[i].before, object, &error));
    g_assert_no_error(error);
}

static void an_uninstall_is_not_held_up(void)
{
    g_autoptr(json_t) before = parse("{\"metadata\":{\"name\":\"p\"}," EXECUTING "}");
    AdmissionRequest request = {.operation = "DELETE",
                                .resource = "plans",
                                .before = before,
                                .user = "system:serviceaccount:kube-system:namespace-controller"};
    g_assert_true(admission_review(&request, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/admission/a plan gets the provider's transfer network",
                    a_plan_gets_the_providers_transfer_network);
    g_test_add_func("/admission/type and warm agree", type_and_warm_agree);
    g_test_add_func("/admission/a Migration gets its plan's uid, and cutover moves to its place",
                    a_migration_gets_its_plans_uid_and_cutover_moves_to_its_place);
    g_test_add_func("/admission/an uninstall is not held up", an_uninstall_is_not_held_up);
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *path = g_strdup_printf("/admission/%s is refused", refused[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), is_refused);
    }
    for (guint i = 0; i < G_N_ELEMENTS(allowed); i++) {
        g_autofree char *path = g_strdup_printf("/admission/%s is allowed", allowed[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), is_allowed);
    }
    return g_test_run();
}
