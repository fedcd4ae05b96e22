/* service: the data API as the inventory and the guide call it. */
#include "base/share.h"
#include "net/certificate.h"
#include "net/http_client.h"
#include "policy/service.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    RuleWatch *watch;
    char *extra; /* a directory of custom rules */
    HttpServer *server;
    HttpClient *client;
} Fixture;

static void setup(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *policies = share_find(&error, "policies", NULL);
    const RuleWatchEvents events = {0};
    const char *names[] = {"127.0.0.1", NULL};
    g_autoptr(Certificate) authority = certificate_new_authority("test", &error);
    g_autoptr(Certificate) server = certificate_issue(authority, names, 1, &error);
    const HttpTrust trust = {.ca_pem = authority->pem};

    g_assert_no_error(error);
    fixture->extra = g_dir_make_tmp("gantry-service-XXXXXX", &error);
    g_assert_no_error(error);
    const char *directories[] = {policies, fixture->extra, NULL};
    fixture->watch = rule_watch_new(directories, &events);
    fixture->server =
        validation_service_start(fixture->watch, "127.0.0.1:0", server->pem, server->key_pem, &error);
    g_assert_no_error(error);
    fixture->client = http_client_new(&trust, 10, &error);
    g_assert_no_error(error);
}

static void teardown(Fixture *fixture, gconstpointer unused)
{
    http_client_free(fixture->client);
    http_server_stop(fixture->server);
    rule_watch_free(fixture->watch);
    g_autofree char *file = g_build_filename(fixture->extra, "x.rego", NULL);
    g_unlink(file);
    g_rmdir(fixture->extra);
    g_free(fixture->extra);
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
        {"POST", "/v1/data/io/konveyor/forklift/vmware/validate", "[1]", 400},
        {"GET", "/v1/data/io?input=%7B", NULL, 400},
        {"POST", "/v1/batch/data/io/konveyor/forklift/vmware/validate", "{}", 400},
        {"POST", "/v1/batch/data/io/konveyor/forklift/vmware/validate", "{\"inputs\":[]}", 400},
        {"GET", "/v1/batch/data/io", NULL, 405},
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

static void a_vm_without_input_is_answered_with_a_warning(Fixture *fixture, gconstpointer unused)
{
    guint status;
    g_autoptr(json_t) json =
        call(fixture, "POST", "/v1/data/io/konveyor/forklift/vmware/validate", "{}", &status);

    g_assert_cmpuint(status, ==, 200);
    g_assert_cmpstr(json_string_at(json, "warning.code", NULL), ==, "api_usage_warning");
    g_assert_cmpstr(json_string_value(json_array_get(json_at(json, "result.errors"), 0)), ==,
                    "No VM name found in input body");
}

static void many_vms_are_judged_at_once(Fixture *fixture, gconstpointer unused)
{
    guint status;
    g_autoptr(json_t) json = call(
        fixture, "POST", "/v1/batch/data/io/konveyor/forklift/vmware/validate",
        "{\"inputs\":{\"vm-1\":{\"name\":\"a\",\"cpuAffinity\":[1]},\"vm-2\":{\"name\":\"b\"},\"vm-3\":{}},"
        "\"common_input\":{\"name\":\"c\",\"cpuAffinity\":[]}}",
        &status);
    const json_t *responses = json_object_get(json, "responses");

    g_assert_cmpuint(status, ==, 200);
    g_assert_cmpuint(json_object_size(responses), ==, 3);
    g_assert_cmpstr(json_string_at(json_object_get(responses, "vm-1"), "http_status_code", NULL), ==, "200");
    g_assert_cmpuint(json_array_size(json_at(json_object_get(responses, "vm-1"), "result.concerns")), ==, 1);
    g_assert_cmpuint(json_array_size(json_at(json_object_get(responses, "vm-2"), "result.concerns")), ==, 0);
    g_assert_cmpuint(json_array_size(json_at(json_object_get(responses, "vm-3"), "result.errors")), ==, 0);
}

static gint64 version_of_x(Fixture *fixture, guint *status)
{
    g_autoptr(json_t) json = call(fixture, "GET", "/v1/data/x/version", NULL, status);
    return json_int_at(json, "result", 0);
}

/* Waits until the service answers so; a hang guard of a minute. */
static void await_version(Fixture *fixture, const char *text, guint status, gint64 version)
{
    g_autofree char *file = g_build_filename(fixture->extra, "x.rego", NULL);
    guint seen;

    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    for (int i = 0; i < 600; i++) {
        gint64 found = version_of_x(fixture, &seen);
        if (seen == status && found == version)
            return;
        g_usleep(100 * 1000);
    }
    g_assert_not_reached();
}

static void an_edited_file_is_served_and_a_broken_one_stops_all(Fixture *fixture, gconstpointer unused)
{
    guint status;

    await_version(fixture, "package x\nversion := 1\n", 200, 1);
    await_version(fixture, "package x\nversion := 2\n", 200, 2);
    await_version(fixture, "package x\nversion := \n", 500, 0);
    g_autoptr(json_t) health = call(fixture, "GET", "/health", NULL, &status);
    g_assert_cmpuint(status, ==, 500);
    g_assert_nonnull(strstr(json_string_at(health, "message", ""), "x.rego"));
    await_version(fixture, "package x\nversion := 3\n", 200, 3);
}

static void rules_of_a_config_map_are_served(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
    guint status = 0;

    g_hash_table_insert(texts, (char *)"ConfigMap c: y.rego", (char *)"package x\nversion := 7\n");
    rule_watch_set_texts(fixture->watch, texts);
    for (int i = 0; i < 600 && version_of_x(fixture, &status) != 7; i++)
        g_usleep(100 * 1000);
    g_assert_cmpint(version_of_x(fixture, &status), ==, 7);
}

#define TEST(name, function) g_test_add("/policy/service/" name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("the rules version is read as in the guide", the_rules_version_is_read_as_in_the_guide);
    TEST("a VM is judged", a_vm_is_judged);
    TEST("what is undefined has no result", what_is_undefined_has_no_result);
    TEST("bad requests say what is wrong", bad_requests_say_what_is_wrong);
    TEST("a VM without input is answered with a warning", a_vm_without_input_is_answered_with_a_warning);
    TEST("many VMs are judged at once", many_vms_are_judged_at_once);
    TEST("an edited file is served, and a broken one stops all",
         an_edited_file_is_served_and_a_broken_one_stops_all);
    TEST("rules of a ConfigMap are served", rules_of_a_config_map_are_served);
    return g_test_run();
}
