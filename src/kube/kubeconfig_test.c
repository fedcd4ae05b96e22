/* kubeconfig: what kubectl reads is read; what cannot work is refused with the field. */
#include "kube/kubeconfig.h"
#include <glib/gstdio.h>
#include <string.h>

#define HEAD    "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
#define CONTEXT "contexts:\n- name: here\n  context: {cluster: c, user: u}\n"
#define CLUSTER "clusters:\n- name: c\n  cluster: {server: \"https://127.0.0.1:6443/\"}\n"

static Kubeconfig *parse(const char *text, GError **error)
{
    return kubeconfig_parse(text, strlen(text), "/nowhere", "config", error);
}

static void the_current_context_is_read(void)
{
    const char *text = "apiVersion: v1\nkind: Config\ncurrent-context: b\n"
                       "contexts:\n- name: a\n  context: {cluster: x, user: y}\n"
                       "- name: b\n  context: {cluster: c, user: u, namespace: openshift-mtv}\n"
                       "clusters:\n- name: c\n  cluster:\n    server: https://127.0.0.1:6443/\n"
                       "    certificate-authority-data: Q0EgUEVN\n"
                       "users:\n- name: u\n  user:\n    token: secret\n"
                       "    client-certificate-data: Q0VSVA==\n    client-key-data: S0VZ\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(Kubeconfig) config = parse(text, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->server, ==, "https://127.0.0.1:6443");
    g_assert_cmpstr(config->ca_pem, ==, "CA PEM");
    g_assert_cmpstr(config->token, ==, "secret");
    g_assert_cmpstr(config->certificate_pem, ==, "CERT");
    g_assert_cmpstr(config->key_pem, ==, "KEY");
    g_assert_cmpstr(config->ns, ==, "openshift-mtv");
    g_assert_false(config->insecure);
}

static void files_are_found_beside_the_kubeconfig(void)
{
    g_autofree char *directory = g_dir_make_tmp("gantry-kubeconfig-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "config", NULL);
    g_autofree char *ca = g_build_filename(directory, "ca.crt", NULL);
    g_autofree char *token = g_build_filename(directory, "token", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Kubeconfig) config = NULL;

    g_file_set_contents(ca, "THE CA", -1, NULL);
    g_file_set_contents(path,
                        HEAD CONTEXT
                        "clusters:\n- name: c\n  cluster:\n    server: https://h:1\n"
                        "    certificate-authority: ca.crt\nusers:\n- name: u\n  user: {tokenFile: token}\n",
                        -1, NULL);
    config = kubeconfig_read(path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->ca_pem, ==, "THE CA");
    g_assert_cmpstr(config->token_file, ==, token);
    g_assert_cmpstr(config->ns, ==, "default");
    g_unlink(path);
    g_unlink(ca);
    g_rmdir(directory);
}

static void what_cannot_work_is_refused_with_its_field(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "documents"},
        {"[]", "current-context"},
        {"a: b", "current-context"},
        {HEAD, "contexts: there is none called \"here\""},
        {HEAD CONTEXT, "clusters: there is none called \"c\""},
        {HEAD "contexts:\n- name: here\n", "contexts[\"here\"].context: missing"},
        {HEAD CONTEXT CLUSTER, "users: there is none called \"u\""},
        {HEAD CONTEXT
         "clusters:\n- name: c\n  cluster: {server: \"http://h\"}\nusers:\n- name: u\n  user: {}\n",
         "clusters[].cluster.server: \"http://h\""},
        {HEAD CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {command: aws}}\n",
         "users[].user.exec: not supported"},
        {HEAD CONTEXT CLUSTER "users:\n- name: u\n  user: {username: a, password: b}\n",
         "users[].user.username"},
        {HEAD CONTEXT CLUSTER "users:\n- name: u\n  user: {client-certificate-data: \"?\"}\n",
         "client-certificate-data: not base64"},
        {HEAD CONTEXT CLUSTER "users:\n- name: u\n  user: {client-certificate-data: QQ==}\n",
         "belong together"},
        {HEAD CONTEXT
         "clusters:\n- name: c\n  cluster: {server: \"https://h\", certificate-authority: none}\n"
         "users:\n- name: u\n  user: {}\n",
         "certificate-authority"},
        {"a: [", "line"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(rows[i].text, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, rows[i].message));
        g_assert_true(g_str_has_prefix(error->message, "config: "));
    }
}

static void outside_a_pod_there_is_no_cluster(void)
{
    g_autoptr(GError) error = NULL;

    g_unsetenv("KUBERNETES_SERVICE_HOST");
    g_assert_null(kubeconfig_in_cluster(&error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBECONFIG);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kube/kubeconfig/the current context is read", the_current_context_is_read);
    g_test_add_func("/kube/kubeconfig/files are found beside the kubeconfig",
                    files_are_found_beside_the_kubeconfig);
    g_test_add_func("/kube/kubeconfig/what cannot work is refused with its field",
                    what_cannot_work_is_refused_with_its_field);
    g_test_add_func("/kube/kubeconfig/outside a Pod there is no cluster", outside_a_pod_there_is_no_cluster);
    return g_test_run();
}
