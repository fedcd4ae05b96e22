/* install: a Deployment of another installation goes before ours comes, and until it has gone another pass is
 * asked for. */
#include "kube/scripted_server.h"
#include "operator/install.h"
#include <glib/gstdio.h>
#include <string.h>

#define NS          "/api/v1/namespaces/n"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/n/deployments/"
#define NONE        "{'kind':'Status','reason':'NotFound','code':404}"
#define OTHERS(meta)                                                                                         \
    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d','namespace':'n','uid':'other'" meta  \
    "},'spec':{'selector':{'matchLabels':{'app':'theirs'}}}}"

static const char ours[] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: n}\n"
                           "spec: {selector: {matchLabels: {app: ours}}}\n";

typedef struct {
    ScriptedServer *server;
    KubeClient *kube;
    Object *settings;
    char *templates, *template;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    static const char settings[] =
        "{\"metadata\":{\"name\":\"forklift-controller\",\"uid\":\"s\"},\"spec\":{}}";

    f->server = scripted_server_start();
    f->kube = kube_client_new_token(scripted_server_url(f->server),
                                    &(HttpTrust){.ca_pem = scripted_server_ca(f->server)}, "t", NULL);
    f->settings = object_new_take(json_loads(settings, 0, NULL));
    f->templates = g_dir_make_tmp("install-test-XXXXXX", NULL);
    f->template = g_build_filename(f->templates, "d.yaml", NULL);
    g_assert_true(g_file_set_contents(f->template, ours, -1, NULL));
    scripted_server_answer(f->server, "GET", NS, 200, "{'metadata':{'name':'n','uid':'ns'}}");
    scripted_server_answer(f->server, "GET", DEPLOYMENTS "forklift-controller", 404, NONE);
    scripted_server_answer(f->server, "GET", "/apis/route.openshift.io/v1", 200,
                           "{'resources':[{'name':'routes'}]}");
    scripted_server_answer(f->server, "GET", "/apis/config.openshift.io/v1", 404, NONE);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(g_unlink(f->template), ==, 0);
    g_assert_cmpint(g_rmdir(f->templates), ==, 0);
    g_free(f->template);
    g_free(f->templates);
    object_unref(f->settings);
    kube_client_unref(f->kube);
    scripted_server_stop(f->server);
}

static void assert_not_ready(Fixture *f)
{
    Installation installation = {.kube = f->kube, .ns = "n", .version = "2.3.100", .templates = f->templates};
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    gboolean leaving;

    g_assert_false(install(&installation, f->settings, wrong, &leaving, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_NOT_READY);
    g_assert_nonnull(strstr(error->message, "deployment d of another installation has not gone yet"));
    g_assert_cmpint(error_class(error), ==, TRANSIENT);
}

static void the_deployment_of_another_installation_goes_first(Fixture *f, gconstpointer unused)
{
    g_autofree char *last = NULL;

    scripted_server_answer(f->server, "GET", DEPLOYMENTS "d", 200, OTHERS(""));
    scripted_server_answer(f->server, "DELETE", DEPLOYMENTS "d", 200,
                           OTHERS(",'deletionTimestamp':'2026-01-01T00:00:00Z'"));
    assert_not_ready(f);
    last = scripted_server_last(f->server);
    g_assert_true(g_str_has_prefix(last, "DELETE " DEPLOYMENTS "d"));
}

static void one_that_is_going_is_waited_for(Fixture *f, gconstpointer unused)
{
    g_autofree char *last = NULL;

    scripted_server_answer(f->server, "GET", DEPLOYMENTS "d", 200,
                           OTHERS(",'deletionTimestamp':'2026-01-01T00:00:00Z'"));
    assert_not_ready(f);
    last = scripted_server_last(f->server);
    g_assert_cmpstr(last, ==, "GET " DEPLOYMENTS "d");
}

#define TEST(name, function) g_test_add("/operator/install/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("the deployment of another installation goes first",
         the_deployment_of_another_installation_goes_first);
    TEST("one that is going is waited for", one_that_is_going_is_waited_for);
    return g_test_run();
}
