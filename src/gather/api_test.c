/* api_test: the must-gather API in front of a Kubernetes API that is a few lines of C. */
#include "gather/api.h"
#include "net/certificate.h"
#include "net/http_client.h"
#include <glib/gstdio.h>
#include <string.h>

/* ---- the cluster: "good" is an administrator, "guest" is not; there is one plan ---- */

static const char plans[] = "{\"kind\":\"PlanList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{"
                            "\"metadata\":{\"namespace\":\"openshift-mtv\","
                            "\"name\":\"p\",\"uid\":\"u\"},\"spec\":{\"vms\":[{\"id\":\"vm-1\"}]}}]}";

static GMutex gate; /* who holds it holds up every gathering */

static void cluster(HttpExchange *x, gpointer data)
{
    const char *path = http_exchange_path(x);
    g_autoptr(json_t) body = json_loadb(g_bytes_get_data(http_exchange_body(x), NULL) ?: "",
                                        g_bytes_get_size(http_exchange_body(x)), 0, NULL);

    if (g_str_has_suffix(path, "/tokenreviews")) {
        const char *token = json_string_at(body, "spec.token", "");
        gboolean known = !strcmp(token, "good") || !strcmp(token, "guest");
        g_autofree char *answer =
            g_strdup_printf("{\"status\":{\"authenticated\":%s,\"user\":{\"username\":\"%s\"}}}",
                            known ? "true" : "false", token);
        http_exchange_reply_text(x, 201, "application/json", answer);
    } else if (g_str_has_suffix(path, "/subjectaccessreviews")) {
        gboolean allowed = !strcmp(json_string_at(body, "spec.user", ""), "good");
        g_assert_cmpstr(json_string_at(body, "spec.resourceAttributes.verb", ""), ==, "*");
        http_exchange_reply_text(x, 201, "application/json",
                                 allowed ? "{\"status\":{\"allowed\":true}}"
                                         : "{\"status\":{\"allowed\":false}}");
    } else if (g_str_has_suffix(path, "/plans")) {
        g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&gate);
        http_exchange_reply_text(x, 200, "application/json", plans);
    } else if (!strcmp(path, "/version"))
        http_exchange_reply_text(x, 200, "application/json", "{\"major\":\"1\"}");
    else
        http_exchange_reply_text(x, 200, "application/json",
                                 "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
}

typedef struct {
    HttpServer *cluster;
    GatherApi *api;
    HttpClient *http;
    char *dir, *root;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) authority = certificate_new_authority("test", &error);
    g_autoptr(Certificate) own = certificate_issue(authority, names, 1, &error);
    HttpServerOptions server = {
        .listen = "127.0.0.1:0", .handler = cluster, .cert_pem = own->pem, .key_pem = own->key_pem};
    GatherApiOptions options = {.listen = "127.0.0.1:0", .keep_s = 3600, .cluster_ca_pem = authority->pem};
    g_autoptr(KubeClient) client = NULL;
    g_autofree char *url = NULL;

    f->cluster = http_server_start(&server, &error);
    g_assert_no_error(error);
    url = g_strdup_printf("https://127.0.0.1:%u", http_server_port(f->cluster));
    client = kube_client_new_token(url, &(HttpTrust){.ca_pem = authority->pem}, "good", &error);
    g_assert_no_error(error);
    f->dir = g_dir_make_tmp("gather-XXXXXX", NULL);
    options.dir = f->dir;
    f->api = gather_api_start(client, &options, &error);
    g_assert_no_error(error);
    f->root = g_strdup_printf("http://127.0.0.1:%u", gather_api_port(f->api));
    f->http = http_client_new(NULL, 10, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;

    gather_api_stop(f->api);
    http_server_stop(f->cluster);
    http_client_free(f->http);
    dir = g_dir_open(f->dir, 0, NULL);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->root);
}

static HttpReply *ask(Fixture *f, const char *method, const char *path, const char *token, const char *body)
{
    g_autofree char *url = g_strconcat(f->root, path, NULL), *bearer = g_strconcat("Bearer ", token, NULL);
    const char *const headers[] = {token ? "Authorization" : NULL, bearer, NULL};
    g_autoptr(GBytes) bytes = body ? g_bytes_new(body, strlen(body)) : NULL;
    g_autoptr(GError) error = NULL;
    HttpReply *reply =
        http_client_send(f->http, method, url, headers, "application/json", bytes, 1 << 20, NULL, &error);

    g_assert_no_error(error);
    return reply;
}

static json_t *answer(const HttpReply *reply)
{
    gsize size;
    const char *text = g_bytes_get_data(reply->body, &size);
    return json_loadb(text, size, JSON_DECODE_ANY, NULL);
}

static void only_administrators_are_served(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *token, *why;
    } rows[] = {{NULL, "a header 'Authorization: Bearer TOKEN' is needed"},
                {"forged", "the token is not valid"},
                {"guest", "user 'guest' may not * *"}};
    g_autoptr(HttpReply) banner = ask(f, "GET", "/", NULL, NULL);

    g_assert_cmpuint(banner->status, ==, 200);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HttpReply) reply = ask(f, "GET", "/must-gather", rows[i].token, NULL);
        g_autoptr(json_t) said = answer(reply);
        g_assert_cmpuint(reply->status, ==, 401);
        g_assert_cmpstr(json_string_at(said, "error", ""), ==, rows[i].why);
    }
}

static void bad_requests_say_what_is_wrong(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *body, *why;
    } rows[] = {
        {"{", "body: line 1"},
        {"{\"custom-name\": 7}", "custom-name: must be a text"},
        {"{\"custom-name\": \"a;b\"}", "custom-name: must be a text"},
        {"{\"command\": \"reboot\"}", "command: 'reboot' is not known"},
        {"{\"timeout\": \"soon\"}", "timeout: 'soon' must be like 20m"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HttpReply) reply = ask(f, "POST", "/must-gather", "good", rows[i].body);
        g_autoptr(json_t) said = answer(reply);
        g_assert_cmpuint(reply->status, ==, 400);
        if (!g_str_has_prefix(json_string_at(said, "error", ""), rows[i].why))
            g_error("%s: '%s' must begin with '%s'", rows[i].body, json_string_at(said, "error", ""),
                    rows[i].why);
    }
    g_autoptr(HttpReply) none = ask(f, "GET", "/must-gather", "good", NULL);
    g_assert_cmpmem(g_bytes_get_data(none->body, NULL), g_bytes_get_size(none->body), "[]", 2);
}

/* The record once it is through. */
static json_t *wait_for(Fixture *f, const char *path)
{
    for (;;) {
        g_autoptr(HttpReply) reply = ask(f, "GET", path, "good", NULL);
        g_autoptr(json_t) record = answer(reply);
        const char *status = json_string_at(record, "status", "");
        g_assert_cmpuint(reply->status, ==, 200);
        if (strcmp(status, "new") && strcmp(status, "inprogress"))
            return g_steal_pointer(&record);
        g_usleep(10000);
    }
}

static void a_gathering_ends_in_an_archive(Fixture *f, gconstpointer data)
{
    g_autoptr(HttpReply) added = ask(f, "POST", "/must-gather", "good",
                                     "{\"custom-name\":\"p\",\"command\":\"PLAN=p /usr/bin/targeted\"}");
    g_autoptr(json_t) record = answer(added), done = NULL;

    g_assert_cmpuint(added->status, ==, 201);
    g_assert_cmpint(json_int_at(record, "id", 0), ==, 1);
    g_assert_cmpstr(json_string_at(record, "archive-name", ""), ==, "must-gather-p.tar.gz");
    g_assert_null(json_object_get(record, "token"));
    done = wait_for(f, "/must-gather/p");
    g_assert_cmpstr(json_string_at(done, "status", ""), ==, "completed");
    g_autoptr(HttpReply) archive = ask(f, "GET", "/must-gather/1/data", "good", NULL);
    g_assert_cmpuint(archive->status, ==, 200);
    g_assert_cmpint(json_int_at(done, "archive-size", 0), ==, g_bytes_get_size(archive->body));
    g_assert_cmpstr(g_hash_table_lookup(archive->headers, "content-disposition"), ==,
                    "attachment; filename=\"must-gather-p.tar.gz\"");
    g_assert_cmpmem(g_bytes_get_data(archive->body, NULL), 2, "\x1f\x8b", 2);
}

static void what_is_not_there_fails_with_its_reason(Fixture *f, gconstpointer data)
{
    g_autoptr(HttpReply) added =
        ask(f, "POST", "/must-gather", "good", "{\"command\":\"PLAN=q /usr/bin/targeted\"}");
    g_autoptr(json_t) done = wait_for(f, "/must-gather/1");
    g_autoptr(HttpReply) archive = ask(f, "GET", "/must-gather/1/data", "good", NULL);
    g_autoptr(HttpReply) unknown = ask(f, "GET", "/must-gather/9", "good", NULL);

    g_assert_cmpstr(json_string_at(done, "status", ""), ==, "error");
    g_assert_true(g_str_has_prefix(json_string_at(done, "exec-output", ""), "PLAN=q: there is no such Plan"));
    g_assert_cmpuint(archive->status, ==, 404);
    g_assert_cmpuint(unknown->status, ==, 404);
}

static void more_than_twenty_at_once_are_refused(Fixture *f, gconstpointer data)
{
    static const char request[] = "{\"command\":\"PLAN=q /usr/bin/targeted\"}";

    g_mutex_lock(&gate);
    for (guint i = 0; i < 20; i++) {
        g_autoptr(HttpReply) taken = ask(f, "POST", "/must-gather", "good", request);
        g_assert_cmpuint(taken->status, ==, 201);
    }
    g_autoptr(HttpReply) refused = ask(f, "POST", "/must-gather", "good", request);
    g_autoptr(HttpReply) absent = ask(f, "GET", "/must-gather/21", "good", NULL);
    g_mutex_unlock(&gate);
    g_assert_cmpuint(refused->status, ==, 503);
    g_assert_nonnull(
        g_strstr_len(g_bytes_get_data(refused->body, NULL), g_bytes_get_size(refused->body), "are waiting"));
    g_assert_cmpuint(absent->status, ==, 404);
    for (guint i = 1; i <= 20; i++) {
        g_autofree char *path = g_strdup_printf("/must-gather/%u", i);
        json_decref(wait_for(f, path));
    }
    g_autoptr(HttpReply) again = ask(f, "POST", "/must-gather", "good", request);
    g_assert_cmpuint(again->status, ==, 201);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add("/gather/api/" name, Fixture, NULL, set_up, function, tear_down)
    TEST("only administrators are served", only_administrators_are_served);
    TEST("bad requests say what is wrong", bad_requests_say_what_is_wrong);
    TEST("a gathering ends in an archive", a_gathering_ends_in_an_archive);
    TEST("what is not there fails with its reason", what_is_not_there_fails_with_its_reason);
    TEST("more than twenty at once are refused", more_than_twenty_at_once_are_refused);
    return g_test_run();
}
