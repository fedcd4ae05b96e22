/* client: paths, headers and bodies as the API wants them; errors by code. */
#include "kube/client.h"
#include "kube/events.h"
#include "kube/scripted_server.h"
#include <string.h>

#define POD "{'kind':'Pod','metadata':{'name':'a','namespace':'n','uid':'u1','resourceVersion':'5'}}"

static KubeClient *client_of(ScriptedServer *server)
{
    g_autoptr(GError) error = NULL;
    KubeClient *client = kube_client_new_token(
        scripted_server_url(server), &(HttpTrust){.ca_pem = scripted_server_ca(server)}, "secret", &error);
    g_assert_no_error(error);
    return client;
}

static void an_object_is_fetched_with_the_token(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(GError) error = NULL;
    g_autoptr(Object) pod = NULL;
    g_autofree char *token = NULL;

    scripted_server_answer(server, "GET", "/api/v1/namespaces/n/pods/a", 200, POD);
    pod = kube_get(client, &KUBE_POD, "n", "a", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(object_uid(pod), ==, "u1");
    token = scripted_server_last_header(server, "authorization");
    g_assert_cmpstr(token, ==, "Bearer secret");
}

static void a_status_reply_becomes_an_error_by_its_code(void)
{
    static const struct {
        guint status;
        const char *body;
        int code;
        const char *message;
    } rows[] = {
        {404, "{'kind':'Status','code':404,'reason':'NotFound','message':'pods \\'a\\' not found'}",
         ERROR_KUBE_NOT_FOUND, "not found"},
        {409, "{'code':409,'reason':'AlreadyExists','message':'m'}", ERROR_KUBE_ALREADY_EXISTS, "m"},
        {409, "{'code':409,'reason':'Conflict','message':'m'}", ERROR_KUBE_CONFLICT, "m"},
        {422, "{'code':422,'reason':'Invalid','message':'spec.x: Required value'}", ERROR_KUBE_INVALID,
         "spec.x"},
        {400, "{'code':400,'message':'m'}", ERROR_KUBE_INVALID, "m"},
        {403, "{'code':403,'message':'m'}", ERROR_KUBE_FORBIDDEN, "m"},
        {401, "{'code':401,'message':'Unauthorized'}", ERROR_KUBE_UNAUTHORIZED, "Unauthorized"},
        {410, "{'code':410,'message':'m'}", ERROR_KUBE_GONE, "m"},
        {429, "{'code':429,'message':'m'}", ERROR_KUBE_UNAVAILABLE, "m"},
        {503, "upstream is away", ERROR_KUBE_UNAVAILABLE, "status 503"},
        {302, "", ERROR_KUBE_UNAVAILABLE, "status 302"},
    };
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        scripted_server_answer(server, "GET", "/api/v1/namespaces/n/pods/a", rows[i].status, rows[i].body);
        g_assert_null(kube_get(client, &KUBE_POD, "n", "a", NULL, &error));
        g_assert_error(error, GANTRY_ERROR, rows[i].code);
        if (!strchr(rows[i].body, '\\'))
            g_assert_nonnull(strstr(error->message, rows[i].message));
    }
}

static void a_status_is_written_and_its_conflict_told(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(json_t) body = json_pack("{s:{s:s,s:s}, s:{s:s}}", "metadata", "name", "a", "namespace", "n",
                                       "status", "phase", "Running");
    g_autoptr(GError) error = NULL;
    g_autofree char *last = NULL, *sent = NULL;
    g_autoptr(json_t) json = NULL;

    scripted_server_answer(server, "PUT", "/api/v1/namespaces/n/pods/a/status", 200, POD);
    g_assert_true(kube_update_status(client, &KUBE_POD, body, NULL, &error));
    g_assert_no_error(error);
    last = scripted_server_last(server);
    g_assert_cmpstr(last, ==, "PUT /api/v1/namespaces/n/pods/a/status");
    sent = scripted_server_last_body(server);
    json = json_loads(sent, 0, NULL);
    g_assert_cmpstr(json_string_at(json, "status.phase", ""), ==, "Running");
    g_assert_cmpstr(json_string_at(json, "kind", ""), ==, "Pod");

    scripted_server_answer(server, "PUT", "/api/v1/namespaces/n/pods/a/status", 409,
                           "{'code':409,'reason':'Conflict','message':'m'}");
    g_assert_false(kube_update_status(client, &KUBE_POD, body, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT);
}

static void a_server_with_too_much_to_do_is_asked_again_when_it_says_so(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(json_t) body = json_pack("{s:{s:s}}", "metadata", "name", "a");
    g_autoptr(GError) error = NULL;
    g_autoptr(Object) made = NULL;
    g_autoptr(GInputStream) watch = NULL;

    scripted_server_answer(server, "POST", "/api/v1/namespaces/n/pods", 201, POD);
    scripted_server_put_off(server, 3, "0");
    made = kube_create(client, &KUBE_POD, "n", body, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(object_uid(made), ==, "u1");
    g_assert_cmpuint(scripted_server_count(server, "/pods"), ==, 4);

    scripted_server_put_off(server, 1, "1");
    watch = kube_stream_path(client, "/api/v1/pods?watch=true", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(scripted_server_count(server, "watch=true"), ==, 2);
}

static void a_server_that_does_not_say_when_is_not_asked_for_ever(void)
{
    static const struct {
        const char *retry_after;
        guint requests;
    } rows[] = {{NULL, 1}, {"3600", 1}, {"soon", 1}, {"-1", 1}, {"0", 6}};
    g_autoptr(json_t) body = json_pack("{s:{s:s}}", "metadata", "name", "a");

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(ScriptedServer) server = scripted_server_start();
        g_autoptr(KubeClient) client = client_of(server);
        g_autoptr(GError) error = NULL;
        scripted_server_put_off(server, 100, rows[i].retry_after);
        g_assert_null(kube_create(client, &KUBE_POD, "n", body, NULL, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE);
        g_assert_cmpuint(scripted_server_count(server, "/pods"), ==, rows[i].requests);
    }
}

static void a_server_that_is_away_is_unavailable(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(GError) error = NULL;

    scripted_server_pause(server);
    g_assert_null(kube_get(client, &KUBE_POD, "n", "a", NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE);
}

static void an_empty_name_never_means_all_objects(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(GError) error = NULL;

    g_assert_false(kube_delete(client, &KUBE_POD, "n", "", NULL, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_clear_error(&error);
    g_assert_false(kube_delete(client, &KUBE_POD, "", "a", NULL, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_assert_cmpuint(scripted_server_count(server, "/"), ==, 0);
}

static void paths_are_built_and_escaped(void)
{
    static const struct {
        const KubeResource *resource;
        const char *ns, *name, *subresource, *path;
    } rows[] = {
        {&KUBE_POD, "n", "a", NULL, "/api/v1/namespaces/n/pods/a"},
        {&KUBE_POD, NULL, NULL, NULL, "/api/v1/pods"},
        {&KUBE_NODE, "n", "a", "status", "/api/v1/nodes/a/status"},
        {&KUBE_PLAN, "n", "p", "status", "/apis/forklift.konveyor.io/v1beta1/namespaces/n/plans/p/status"},
        {&KUBE_POD, "n", "../x?y", NULL, "/api/v1/namespaces/n/pods/..%2Fx%3Fy"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = kube_path(rows[i].resource, rows[i].ns, rows[i].name, rows[i].subresource);
        g_assert_cmpstr(path, ==, rows[i].path);
    }
}

static void a_list_names_its_items_kind(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(GError) error = NULL;
    g_autofree char *version = NULL, *last = NULL;
    g_autoptr(GPtrArray) plans = NULL;

    scripted_server_answer(server, "GET", "/apis/forklift.konveyor.io/v1beta1/namespaces/n/plans", 200,
                           "{'metadata':{'resourceVersion':'9'},'items':[{'metadata':{'name':'a'}},"
                           "{'metadata':{'name':'b'}}]}");
    plans = kube_list(client, &KUBE_PLAN, "n", "a=b,c in (d)", NULL, &version, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(plans->len, ==, 2);
    g_assert_cmpstr(object_kind(plans->pdata[1]), ==, "Plan");
    g_assert_cmpstr(version, ==, "9");
    last = scripted_server_last(server);
    g_assert_nonnull(strstr(last, "labelSelector=a%3Db%2Cc%20in%20%28d%29"));
}

static void a_new_object_is_told_what_it_is(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = json_pack("{s:{s:s}}", "metadata", "name", "d"), sent = NULL;
    g_autoptr(Object) made = NULL;
    g_autofree char *text = NULL;

    scripted_server_answer(server, "POST", "/apis/apps/v1/namespaces/n/deployments", 201,
                           "{'metadata':{'name':'d','namespace':'n'}}");
    made = kube_create(client, &KUBE_DEPLOYMENT, "n", body, NULL, &error);
    g_assert_no_error(error);
    text = scripted_server_last_body(server);
    sent = json_loads(text, 0, NULL);
    g_assert_cmpstr(json_string_at(sent, "apiVersion", NULL), ==, "apps/v1");
    g_assert_cmpstr(json_string_at(sent, "kind", NULL), ==, "Deployment");
    g_assert_cmpstr(json_string_at(sent, "metadata.namespace", NULL), ==, "n");
    g_assert_null(json_object_get(body, "kind"));
}

static void what_exists_already_is_fetched(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = json_pack("{s:{s:s}}", "metadata", "name", "a");
    g_autoptr(Object) pod = NULL;
    gboolean created = TRUE;

    scripted_server_answer(server, "POST", "/api/v1/namespaces/n/pods", 409,
                           "{'code':409,'reason':'AlreadyExists','message':'m'}");
    scripted_server_answer(server, "GET", "/api/v1/namespaces/n/pods/a", 200, POD);
    pod = kube_create_or_get(client, &KUBE_POD, "n", body, &created, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(created);
    g_assert_cmpstr(object_uid(pod), ==, "u1");
}

static void patches_say_their_type(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(json_t) patch = json_object();
    g_autoptr(Object) pod = NULL;
    g_autofree char *type = NULL, *last = NULL;

    scripted_server_answer(server, "PATCH", "/api/v1/namespaces/n/pods/a/status", 200, POD);
    pod = kube_patch(client, &KUBE_POD, "n", "a", KUBE_PATCH_STRATEGIC, patch, "status", NULL, NULL);
    g_assert_nonnull(pod);
    type = scripted_server_last_header(server, "content-type");
    g_assert_cmpstr(type, ==, "application/strategic-merge-patch+json");
}

static void logs_and_pods_pages_come_through_the_server(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autofree char *log = NULL, *last = NULL;
    g_autoptr(json_t) page = NULL, limits = json_pack("{s:i}", "bytesPerSecond", 9), limited = NULL;

    scripted_server_answer(server, "GET", "/api/v1/namespaces/n/pods/a/log", 200, "line one\nline two\n");
    log = kube_pod_log(client, "n", "a", "main", 10, NULL, NULL);
    g_assert_cmpstr(log, ==, "line one\nline two\n");
    last = scripted_server_last(server);
    g_assert_cmpstr(last, ==, "GET /api/v1/namespaces/n/pods/a/log?container=main&tailLines=10");
    scripted_server_answer(server, "GET", "/api/v1/namespaces/n/pods/a:8080/proxy/progress", 200,
                           "{'bytesDone':7}");
    page = kube_pod_proxy_get(client, "n", "a", 8080, "/progress", NULL, NULL);
    g_assert_cmpint(json_int_at(page, "bytesDone", 0), ==, 7);
    scripted_server_answer(server, "PUT", "/api/v1/namespaces/n/pods/a:8080/proxy/limits", 200,
                           "{'bytesPerSecondLimit':9}");
    limited = kube_pod_proxy_put(client, "n", "a", 8080, "/limits", limits, NULL, NULL);
    g_assert_cmpint(json_int_at(limited, "bytesPerSecondLimit", 0), ==, 9);
}

static void an_event_said_again_is_counted(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = client_of(server);
    g_autoptr(json_t) about = json_pack("{s:s,s:{s:s,s:s,s:s}}", "kind", "Plan", "metadata", "name", "p",
                                        "namespace", "n", "uid", "u"),
                      first = NULL, second = NULL;
    g_autoptr(Object) plan = object_new_take(json_incref(about));
    g_autofree char *one = NULL, *two = NULL, *path = NULL;
    const char *name;

    scripted_server_answer(server, "POST", "/api/v1/namespaces/n/events", 201, "{'metadata':{'name':'e'}}");
    event_record(client, plan, TRUE, "Failed", "it failed", "plan");
    one = scripted_server_last_body(server);
    first = json_loads(one, 0, NULL);
    g_assert_cmpstr(json_string_at(first, "type", NULL), ==, "Warning");
    g_assert_cmpstr(json_string_at(first, "involvedObject.name", NULL), ==, "p");
    name = json_string_at(first, "metadata.name", "");

    scripted_server_answer(server, "POST", "/api/v1/namespaces/n/events", 409,
                           "{'reason':'AlreadyExists','code':409}");
    path = g_strconcat("/api/v1/namespaces/n/events/", name, NULL);
    scripted_server_answer(server, "GET", path, 200, "{'metadata':{'name':'p.x','namespace':'n'},'count':4}");
    scripted_server_answer(server, "PATCH", "/api/v1/namespaces/n/events/p.x", 200, "{}");
    event_record(client, plan, TRUE, "Failed", "it failed", "plan");
    two = scripted_server_last_body(server);
    second = json_loads(two, 0, NULL);
    g_assert_cmpint(json_int_at(second, "count", 0), ==, 5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/kube/client/" name, function)
    TEST("an object is fetched with the token", an_object_is_fetched_with_the_token);
    TEST("a status reply becomes an error by its code", a_status_reply_becomes_an_error_by_its_code);
    TEST("a status is written and its conflict told", a_status_is_written_and_its_conflict_told);
    TEST("a server with too much to do is asked again when it says so",
         a_server_with_too_much_to_do_is_asked_again_when_it_says_so);
    TEST("a server that does not say when is not asked for ever",
         a_server_that_does_not_say_when_is_not_asked_for_ever);
    TEST("a server that is away is unavailable", a_server_that_is_away_is_unavailable);
    TEST("an empty name never means all objects", an_empty_name_never_means_all_objects);
    TEST("paths are built and escaped", paths_are_built_and_escaped);
    TEST("a list names its items' kind", a_list_names_its_items_kind);
    TEST("a new object is told what it is", a_new_object_is_told_what_it_is);
    TEST("what exists already is fetched", what_exists_already_is_fetched);
    TEST("patches say their type", patches_say_their_type);
    TEST("logs and Pods' pages come through the server", logs_and_pods_pages_come_through_the_server);
    TEST("an event said again is counted", an_event_said_again_is_counted);
    return g_test_run();
}
