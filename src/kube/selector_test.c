/* selector: what kubectl may write, and what is refused. */
#include "kube/selector.h"
#include <string.h>

static json_t *object(void)
{
    return json_pack("{s:{s:s,s:{s:s,s:s,s:s}},s:{s:s,s:b},s:{s:i}}", "metadata", "name", "x", "labels", "a",
                     "b", "example.com/f", "1", "n", "7", "status", "phase", "Running", "ready", 1, "spec",
                     "replicas", 3);
}

typedef struct {
    const char *text;
    gboolean matches;
} Row;

static void check(Selector *(*parse)(const char *, GError **), const Row *rows, gsize len)
{
    g_autoptr(json_t) json = object();

    for (gsize i = 0; i < len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Selector) selector = parse(rows[i].text, &error);
        g_assert_no_error(error);
        g_test_message("%s", rows[i].text);
        g_assert_cmpint(selector_matches(selector, json), ==, rows[i].matches);
    }
}

static void labels_match_as_kubernetes_says(void)
{
    static const Row rows[] = {
        {NULL, TRUE},
        {"", TRUE},
        {"a=b", TRUE},
        {"a==b", TRUE},
        {" a = b , example.com/f ", TRUE},
        {"a!=b", FALSE},
        {"a=c", FALSE},
        {"a=", FALSE},
        {"z!=q", TRUE},
        {"z=q", FALSE},
        {"a", TRUE},
        {"z", FALSE},
        {"!z", TRUE},
        {"!a", FALSE},
        {"a in (c,b)", TRUE},
        {"a in (c, d)", FALSE},
        {"a in ()", FALSE},
        {"a notin (c)", TRUE},
        {"z notin (c)", TRUE},
        {"a notin (b)", FALSE},
        {"n>6", TRUE},
        {"n > 7", FALSE},
        {"n<8,a", TRUE},
        {"a>1", FALSE},
        {"in=b", FALSE},
        {"notin in (x),!in", FALSE},
    };
    check(selector_parse_labels, rows, G_N_ELEMENTS(rows));
}

static void fields_match_by_their_path(void)
{
    static const Row rows[] = {
        {NULL, TRUE},
        {"metadata.name=x", TRUE},
        {"metadata.name==x,status.phase!=Failed", TRUE},
        {"status.phase=Failed", FALSE},
        {"status.ready=true", TRUE},
        {"spec.replicas=3", TRUE},
        {"spec.nodeName=", TRUE},
        {"spec.nodeName!=", FALSE},
        {"metadata.name=a b:c", FALSE},
    };
    check(selector_parse_fields, rows, G_N_ELEMENTS(rows));
}

static void a_broken_selector_is_refused_with_its_place(void)
{
    static const struct {
        gboolean fields;
        const char *text, *message;
    } rows[] = {
        {FALSE, ",", "character 1: a label key"},
        {FALSE, "a=b,", "character 5: a label key"},
        {FALSE, "a b", "one of = =="},
        {FALSE, "a in b", "'(' expected"},
        {FALSE, "a in (b", "',' or ')'"},
        {FALSE, "a=b c", "',' or the end"},
        {FALSE, "a=b$", "not a label value"},
        {FALSE, "!a=b", "',' or the end"},
        {FALSE, "a>x", "whole number"},
        {TRUE, "metadata.name", "one of = == !="},
        {TRUE, "=x", "a field path"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null((rows[i].fields ? selector_parse_fields : selector_parse_labels)(rows[i].text, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_SELECTOR);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, rows[i].message));
    }
}

static void a_label_selector_of_json_matches_too(void)
{
    static const struct {
        const char *json;
        int matches; /* -1: refused */
    } rows[] = {
        {"{}", TRUE},
        {"{\"matchLabels\":{\"a\":\"b\"}}", TRUE},
        {"{\"matchLabels\":{\"a\":\"c\"}}", FALSE},
        {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"b\"]}]}", TRUE},
        {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"DoesNotExist\"}]}", FALSE},
        {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Like\"}]}", -1},
        {"{\"matchLabels\":{\"a\":1}}", -1},
    };
    g_autoptr(json_t) json = object();

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) source = json_loads(rows[i].json, 0, NULL);
        g_autoptr(Selector) selector = selector_from_json(source, &error);
        if (rows[i].matches < 0)
            g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_SELECTOR);
        else
            g_assert_cmpint(selector_matches(selector, json), ==, rows[i].matches);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kube/selector/labels match as Kubernetes says", labels_match_as_kubernetes_says);
    g_test_add_func("/kube/selector/fields match by their path", fields_match_by_their_path);
    g_test_add_func("/kube/selector/a broken selector is refused with its place",
                    a_broken_selector_is_refused_with_its_place);
    g_test_add_func("/kube/selector/a label selector of JSON matches too",
                    a_label_selector_of_json_matches_too);
    return g_test_run();
}
