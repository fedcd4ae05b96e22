/* environment: variables, their sources, and $(NAME). */
#include "kube/client.h"
#include "local/kubelet/environment.h"
#include <string.h>

static Object *source(const char *kind, const char *name, gpointer user_data, GError **error)
{
    if (!strcmp(kind, "Secret") && !strcmp(name, "s"))
        return object_new_take(json_pack("{s:s,s:{s:s}}", "kind", "Secret", "data", "password", "cGFzcw=="));
    if (!strcmp(kind, "ConfigMap") && !strcmp(name, "c"))
        return object_new_take(
            json_pack("{s:s,s:{s:s,s:s}}", "kind", "ConfigMap", "data", "B", "two", "A", "one"));
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s '%s' not found", kind, name);
    return NULL;
}

static char **build(const char *container_text, GError **error)
{
    g_autoptr(json_t) container =
        json_parse(container_text, strlen(container_text), 1 << 20, "container", NULL);
    g_autoptr(json_t) pod = json_pack("{s:{s:s,s:{s:s}},s:{s:s}}", "metadata", "name", "p", "labels",
                                      "app.kubernetes.io/x", "y", "status", "podIP", "127.70.0.2");
    const char *const base[] = {"PATH=/bin", NULL};
    g_assert_nonnull(container);
    return container_environment(pod, container, base, source, NULL, error);
}

static void values_come_from_everywhere(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) environment =
        build("{\"envFrom\":[{\"prefix\":\"P_\",\"configMapRef\":{\"name\":\"c\"}}],\"env\":["
              "{\"name\":\"IP\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"status.podIP\"}}},"
              "{\"name\":\"L\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['app.kubernetes."
              "io/x']\"}}},"
              "{\"name\":\"SECRET\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"password\"}}},"
              "{\"name\":\"GONE\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"no\",\"key\":\"x\","
              "\"optional\":true}}},"
              "{\"name\":\"URL\",\"value\":\"http://$(IP):80\"},{\"name\":\"PATH\",\"value\":\"/own\"}]}",
              &error);
    static const char *const wanted[] = {
        "PATH=/own", "P_A=one", "P_B=two", "IP=127.70.0.2", "L=y", "SECRET=pass", "URL=http://127.70.0.2:80"};
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(environment), ==, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpstr(environment[i], ==, wanted[i]);
}

static void errors_name_the_variable(void)
{
    static const struct {
        const char *container, *wanted;
    } rows[] = {
        {"{\"env\":[{\"name\":\"X\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"no\",\"key\":\"k\"}}}]}",
         "env 'X': Secret 'no' not found"},
        {"{\"env\":[{\"name\":\"X\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}]}",
         "env 'X': Secret 's' has no key 'k'"},
        {"{\"env\":[{\"name\":\"X\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"spec.x\"}}}]}",
         "env 'X': fieldPath 'spec.x'"},
        {"{\"env\":[{\"name\":\"X\",\"valueFrom\":{}}]}", "env 'X': valueFrom needs"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(build(rows[i].container, &error));
        g_assert_true(g_str_has_prefix(error->message, rows[i].wanted));
    }
}

static void references_expand(void)
{
    const char *const environment[] = {"A=1", "AB=2", NULL};
    static const struct {
        const char *text, *wanted;
    } rows[] = {{"$(A)-$(AB)", "1-2"}, {"$$(A)", "$(A)"}, {"$(NO)", "$(NO)"},
                {"$(A", "$(A"},        {"$A $", "$A $"},  {"$$$(A)", "$1"}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = expand_variables(rows[i].text, environment);
        g_assert_cmpstr(text, ==, rows[i].wanted);
    }
}

static void commands(void)
{
    const char *const environment[] = {"IP=127.0.0.9", NULL};
    g_autoptr(json_t) both = json_pack("{s:[s,s],s:[s]}", "command", "gantry", "copy", "args", "$(IP):8080");
    g_autoptr(json_t) neither = json_object();
    g_auto(GStrv) words = container_command(both, environment);
    g_autofree char *line = g_strjoinv(" ", words);
    g_assert_cmpstr(line, ==, "gantry copy 127.0.0.9:8080");
    g_assert_null(container_command(neither, environment));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kubelet/environment/later settings win and values come from every source",
                    values_come_from_everywhere);
    g_test_add_func("/kubelet/environment/an error names the variable and what is missing",
                    errors_name_the_variable);
    g_test_add_func("/kubelet/environment/references are replaced by values, two dollars by one",
                    references_expand);
    g_test_add_func("/kubelet/environment/args follow the command, both expanded", commands);
    return g_test_run();
}
