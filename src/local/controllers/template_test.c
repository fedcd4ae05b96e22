/* template: hashes, numbers and conditions of rollouts. */
#include "local/controllers/template.h"
#include <string.h>

static void hashes(void)
{
    g_autoptr(json_t) one = json_pack("{s:i}", "a", 1), two = json_pack("{s:i}", "a", 2);
    g_autofree char *a = template_hash(one, 0), *same = template_hash(one, 0), *b = template_hash(two, 0),
                    *c = template_hash(one, 1);
    g_assert_cmpstr(a, ==, same);
    g_assert_cmpstr(a, !=, b);
    g_assert_cmpstr(a, !=, c);
    g_assert_cmpuint(strlen(a), ==, 10);
    g_assert_cmpuint(strspn(a, "bcdfghjklmnpqrstvwxz2456789"), ==, 10);
}

static void numbers(void)
{
    static const struct {
        const char *value, *absent;
        gint64 total;
        gboolean up;
        gint64 wanted;
    } rows[] = {{NULL, "25%", 1, TRUE, 1},       {NULL, "25%", 1, FALSE, 0}, {"\"50%\"", "25%", 5, TRUE, 3},
                {"\"50%\"", "25%", 5, FALSE, 2}, {"2", "25%", 1, TRUE, 2},   {"\"0%\"", "25%", 9, TRUE, 0}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) value = rows[i].value ? json_loads(rows[i].value, JSON_DECODE_ANY, NULL) : NULL;
        g_assert_cmpint(int_or_percent(value, rows[i].absent, rows[i].total, rows[i].up), ==, rows[i].wanted);
    }
}

static void conditions_keep_their_time(void)
{
    g_autoptr(json_t) conditions = json_pack("[{s:s,s:s,s:s,s:s}]", "type", "Available", "status", "True",
                                             "reason", "R", "lastTransitionTime", "2020-01-01T00:00:00Z");
    set_condition(conditions, "Available", TRUE, "R", "m");
    g_assert_cmpstr(json_string_at(json_array_get(conditions, 0), "lastTransitionTime", ""), ==,
                    "2020-01-01T00:00:00Z");
    set_condition(conditions, "Available", FALSE, "R", "m");
    g_assert_cmpstr(json_string_at(json_array_get(conditions, 0), "lastTransitionTime", ""), !=,
                    "2020-01-01T00:00:00Z");
    set_condition(conditions, "Progressing", TRUE, "P", "m");
    g_assert_cmpuint(json_array_size(conditions), ==, 2);
}

static void pods_name_their_owner(void)
{
    g_autoptr(Object) owner = object_new_take(
        json_pack("{s:{s:s,s:s,s:s}}", "metadata", "name", "web-abc", "namespace", "n", "uid", "u"));
    g_autoptr(json_t) pod_template =
        json_pack("{s:{s:{s:s}},s:{s:[]}}", "metadata", "labels", "app", "web", "spec", "containers");
    g_autoptr(json_t) pod = template_pod(pod_template, owner, &KUBE_REPLICA_SET);
    g_autoptr(Object) object = object_new_take(json_incref(pod));
    const json_t *controller = local_controller_of(object);
    g_assert_cmpstr(json_string_at(pod, "metadata.generateName", ""), ==, "web-abc-");
    g_assert_cmpstr(object_label(object, "app", ""), ==, "web");
    g_assert_cmpstr(json_string_at(controller, "apiVersion", ""), ==, "apps/v1");
    g_assert_cmpstr(json_string_at(controller, "uid", ""), ==, "u");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/controllers/template/a hash tells templates apart", hashes);
    g_test_add_func("/controllers/template/percentages are rounded as asked", numbers);
    g_test_add_func("/controllers/template/a condition's time changes with its status only",
                    conditions_keep_their_time);
    g_test_add_func("/controllers/template/a Pod of a template names its owner", pods_name_their_owner);
    return g_test_run();
}
