/* object: what is absent reads as empty. */
#include "kube/object.h"
#include <string.h>

static Object *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *json = json_parse(text, strlen(text), 4096, "object", &error);
    g_assert_no_error(error);
    return object_new_take(json);
}

static void metadata_reads_as_it_was_written(void)
{
    g_autoptr(Object) object =
        parse("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u\","
              "\"resourceVersion\":\"7\",\"generation\":3,\"labels\":{\"a.b/c\":\"d\"},"
              "\"annotations\":{\"x\":\"y\"},\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
    g_assert_cmpstr(object_kind(object), ==, "Pod");
    g_assert_cmpstr(object_name(object), ==, "a");
    g_assert_cmpstr(object_namespace(object), ==, "n");
    g_assert_cmpstr(object_uid(object), ==, "u");
    g_assert_cmpstr(object_resource_version(object), ==, "7");
    g_assert_cmpint(object_generation(object), ==, 3);
    g_assert_cmpstr(object_label(object, "a.b/c", NULL), ==, "d");
    g_assert_cmpstr(object_annotation(object, "x", NULL), ==, "y");
    g_assert_true(object_deleting(object));
}

static void what_is_absent_or_of_another_type_reads_as_empty(void)
{
    static const char *const texts[] = {
        "{}", "{\"metadata\":null}", "{\"metadata\":[1]}",
        "{\"kind\":1,\"metadata\":{\"name\":2,\"labels\":[],\"generation\":\"x\"}}"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Object) object = parse(texts[i]);
        g_autoptr(Object) second = object_ref(object);
        g_assert_cmpstr(object_kind(second), ==, "");
        g_assert_cmpstr(object_name(object), ==, "");
        g_assert_cmpint(object_generation(object), ==, 0);
        g_assert_cmpstr(object_label(object, "a", "none"), ==, "none");
        g_assert_false(object_deleting(object));
        g_assert_null(object_condition(object, "Ready"));
    }
}

static void a_condition_counts_only_when_it_is_true(void)
{
    g_autoptr(Object) object = parse("{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"},"
                                     "{\"type\":\"Succeeded\",\"status\":\"True\",\"message\":\"m\"}]}}");
    g_assert_null(object_condition(object, "Ready"));
    g_assert_cmpstr(json_string_at(object_condition(object, "Succeeded"), "message", NULL), ==, "m");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kube/object/metadata reads as it was written", metadata_reads_as_it_was_written);
    g_test_add_func("/kube/object/what is absent or of another type reads as empty",
                    what_is_absent_or_of_another_type_reads_as_empty);
    g_test_add_func("/kube/object/a condition counts only when it is true",
                    a_condition_counts_only_when_it_is_true);
    return g_test_run();
}
