/* service: the data API as the inventory and the guide call it. */
#include "base/share.h"
#include "net/certificate.h"
#include "net/http_client.h"
#include "policy/service.h"
#include <string.h>

typedef struct {
    Rules *rules;
    HttpServer *server;
    HttpClient *client;
} Fixture;

static void setup(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *policies = share_find(&error, "policies", NULL);
    const char *directories[] = {policies, NULL};
    const char *names[] = {"127.0.0.1", NULL};
    g_autoptr(Certificate) authority = certificate_new_authority("test", &error);
    g_autoptr(Certificate) server = certificate_issue(authority, names, 1, &error);
    const HttpTrust trust = {.ca_pem = authority->pem};

    g_assert_no_error(error);
    fixture->rules = rules_load(directories, FALSE, &error);
    g_assert_no_error(error);
    fixture->server =
        validation_service_start(fixture->rules, "127.0.0.1:0", server->pem, server->key_pem, &error);
    g_assert_no_error(error);
    fixture->client = http_client_new(&trust, 10, &error);
    g_assert_no_error(error);
}

static void teardown(Fixture *fixture, gconstpointer unused)
{
    http_client_free(fixture->client);
    http_server_stop(fixture->server);
    rules_free(fixture->rules);
}

/* The answer's document; its status in *status. */
static json_t *call(Fixture *fixture, const char *method, const char *path, const char *body, guint *status)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%u%s", http_server_port(fixture->server), path);
    g_autoptr(GBytes) bytes = body ? g_bytes_new_static(body, strlen(body)) : NULL;
    g_autoptr(HttpReply) reply =
        http_client_send(fixture->client, method, url, NULL, NULL, bytes, 1 << 20, NULL, &error);
    gsize size;
    const char *text;

    g_assert_no_error(error);
    *status = reply->status;
    text = g_bytes_get_data(reply->body, &size);
    json_t *json = json_parse(text, size, 1 << 20, path, &error);
    g_assert_no_error(error);
    return json;
}

static void the_rules_version_is_read_as_in_the_guide(Fixture *fixture, gconstpointer unused)
{
    guint status;
    g_autoptr(json_t) json =
        call(fixture, "GET", "/v1/data/io/konveyor/forklift/vmware/rules_version", NULL, &status);

    g_assert_cmpuint(status, ==, 200);
    g_assert_cmpint(json_int_at(json, "result.rules_version", 0), ==, 5);
}

static void a_vm_is_judged(Fixture *fixture, gconstpointer unused)
{
    guint status;
    g_autoptr(json_t) json =
        call(fixture, "POST", "/v1/data/io/konveyor/forklift/vmware/validate",
             "{\"input\":{\"name\":\"db\",\"cpuAffinity\":[0,2],\"disks\":[]}}", &status);

    g_assert_cmpuint(status, ==, 200);
    g_assert_cmpuint(json_array_size(json_at(json, "result.concerns")), ==, 1);
    g_assert_cmpstr(json_string_at(json_array_get(json_at(json, "result.concerns"), 0), "id", NULL), ==,
                    "vmware.cpu_affinity.detected");
    g_assert_cmpuint(json_array_size(json_at(json, "result.errors")), ==, 0);
}

static void what_is_undefined_has_no_result(Fixture *fixture, gconstpointer unused)
{
    guint status;
    g_autoptr(json_t) json =
        call(fixture, "GET", "/v1/data/io/konveyor/forklift/nothing/here", NULL, &status);

    g_assert_cmpuint(status, ==, 200);
    g_assert_cmpuint(json_object_size(json), ==, 0);
}

static void bad_requests_say_what_is_wrong(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *method, *path, *body;
        guint status;
    } cases[] = {
        {"POST", "/v1/data/io/konveyor/forklift/vmware/validate", "{\"input\":", 400},
        {"PUT", "/v1/data/io", "{}", 405},
        {"GET", "/v1/policies", NULL, 404},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint status;
        g_autoptr(json_t) json = call(fixture, cases[i].method, cases[i].path, cases[i].body, &status);
        g_assert_cmpuint(status, ==, cases[i].status);
        g_assert_nonnull(json_string_at(json, "message", NULL));
    }
}

#define TEST(name, function) g_test_add("/policy/service/" name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("the rules version is read as in the guide", the_rules_version_is_read_as_in_the_guide);
    TEST("a VM is judged", a_vm_is_judged);
    TEST("what is undefined has no result", what_is_undefined_has_no_result);
    TEST("bad requests say what is wrong", bad_requests_say_what_is_wrong);
    return g_test_run();
}
