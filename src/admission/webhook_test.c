/* webhook: what a cluster's API server sends, and what it gets. */
#include "admission/webhook.h"
#include "net/certificate.h"
#include "net/http_client.h"
#include <string.h>

static Object *look(const char *resource, const char *ns, const char *name, gpointer store)
{
    gboolean archived = !strcmp(name, "old");

    if (strcmp(resource, "plans.forklift.konveyor.io") || strcmp(ns, "openshift-mtv"))
        return NULL;
    return object_new_take(json_pack("{s:{s:s, s:s}, s:{s:b}}", "metadata", "uid", "u-1", "name", name,
                                     "spec", "archived", archived));
}

static const WebhookStore store = {.look = look};

/* An AdmissionReview with ' for ". */
static json_t *review_of(const char *request)
{
    g_autofree char *text = g_strdelimit(
        g_strdup_printf(
            "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':'r-1',%s}}",
            request),
        "'", '"');
    json_t *review = json_loads(text, 0, NULL);
    g_assert_nonnull(review);
    return review;
}

static json_t *answer_to(const char *request, gboolean mutate)
{
    g_autoptr(json_t) review = review_of(request);
    g_autoptr(GError) error = NULL;
    json_t *answer = webhook_answer(review, mutate, &store, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(json_string_at(answer, "response.uid", ""), ==, "r-1");
    return answer;
}

#define MIGRATION(plan)                                                                                      \
    "'operation':'CREATE','resource':{'resource':'migrations'},'object':{'metadata':{'name':'m',"            \
    "'namespace':'openshift-mtv'},'spec':{'plan':{'name':'" plan "','cutover':'2021-04-04T01:23:45Z'}}}"

static void defaults_are_a_patch_of_spec(void)
{
    g_autoptr(json_t) answer = answer_to(MIGRATION("p"), TRUE);
    gsize size;
    g_autofree guchar *bytes = g_base64_decode(json_string_at(answer, "response.patch", ""), &size);
    g_autoptr(json_t) patch = json_loadb((char *)bytes, size, 0, NULL);
    const json_t *one = json_array_get(patch, 0);

    g_assert_true(json_bool_at(answer, "response.allowed", FALSE));
    g_assert_cmpstr(json_string_at(answer, "response.patchType", ""), ==, "JSONPatch");
    g_assert_cmpuint(json_array_size(patch), ==, 1);
    g_assert_cmpstr(json_string_at(one, "path", ""), ==, "/spec");
    g_assert_cmpstr(json_string_at(one, "value.plan.uid", ""), ==, "u-1");
    g_assert_cmpstr(json_string_at(one, "value.cutover", ""), ==, "2021-04-04T01:23:45Z");
    g_assert_null(json_at(one, "value.plan.cutover"));
}

static void validation_changes_nothing(void)
{
    g_autoptr(json_t) answer = answer_to(MIGRATION("p"), FALSE);

    g_assert_true(json_bool_at(answer, "response.allowed", FALSE));
    g_assert_null(json_at(answer, "response.patch"));
}

static void a_refusal_has_a_code_a_reason_and_the_field(void)
{
    static const struct {
        const char *request;
        gint code;
        const char *words;
    } rows[] = {
        {MIGRATION("old"), 403, "spec.plan: plan 'old' has been archived"},
        {"'operation':'UPDATE','resource':{'resource':'providers'},'object':{'spec':{'type':'ovirt'}},"
         "'oldObject':{'spec':{'type':'vsphere'}}",
         422, "spec.type: 'vsphere' cannot become 'ovirt'"},
        {"'operation':'DELETE','resource':{'resource':'plans'},'object':null,'oldObject':{'metadata':{'name':"
         "'busy'},"
         "'status':{'conditions':[{'type':'Executing','status':'True'}]}}",
         403, "plan 'busy' is running"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        for (gint mutate = 0; mutate < 2; mutate++) {
            g_autoptr(json_t) answer = answer_to(rows[i].request, mutate);
            g_assert_false(json_bool_at(answer, "response.allowed", TRUE));
            g_assert_cmpint(json_int_at(answer, "response.status.code", 0), ==, rows[i].code);
            g_assert_nonnull(strstr(json_string_at(answer, "response.status.message", ""), rows[i].words));
        }
}

static void subresources_and_other_kinds_pass(void)
{
    g_autoptr(json_t) status =
        answer_to("'operation':'UPDATE','subResource':'status','resource':{'resource':'providers'},"
                  "'object':{'spec':{'type':'ovirt'}},'oldObject':{'spec':{'type':'vsphere'}}",
                  TRUE);
    g_autoptr(json_t) other =
        answer_to("'operation':'CREATE','resource':{'resource':'pods'},'object':{}", TRUE);

    g_assert_true(json_bool_at(status, "response.allowed", FALSE));
    g_assert_true(json_bool_at(other, "response.allowed", FALSE));
}

static void what_is_no_review_is_refused(void)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        ("{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\","
         "\"request\":{\"uid\":\"x\"}}"),
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{}}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(json_t) review = json_loads(texts[i], 0, NULL);
        g_autoptr(GError) error = NULL;
        g_assert_null(webhook_answer(review, TRUE, &store, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

/* ---- over HTTPS ---- */

static guint status_of(HttpClient *client, guint port, const char *method, const char *path, const char *body)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%u%s", port, path);
    g_autoptr(GBytes) bytes = body ? g_bytes_new_static(body, strlen(body)) : NULL;
    g_autoptr(HttpReply) reply =
        http_client_send(client, method, url, NULL, NULL, bytes, 1 << 20, NULL, &error);

    g_assert_no_error(error);
    return reply->status;
}

static void it_is_served_over_https(void)
{
    g_autoptr(GError) error = NULL;
    const char *names[] = {"127.0.0.1", NULL};
    g_autoptr(Certificate) authority = certificate_new_authority("test", &error);
    g_autoptr(Certificate) own = certificate_issue(authority, names, 1, &error);
    const HttpTrust trust = {.ca_pem = authority->pem};
    g_autoptr(HttpServer) server = webhook_start("127.0.0.1:0", own->pem, own->key_pem, &store, &error);
    g_autoptr(HttpClient) client = http_client_new(&trust, 10, &error);
    g_autoptr(json_t) review = review_of(MIGRATION("p"));
    g_autofree char *text = json_text(review), *large = g_strnfill((4 << 20) + 1, ' ');
    guint port;

    g_assert_no_error(error);
    port = http_server_port(server);
    g_assert_cmpuint(status_of(client, port, "POST", "/mutate", text), ==, 200);
    g_assert_cmpuint(status_of(client, port, "POST", "/validate", text), ==, 200);
    g_assert_cmpuint(status_of(client, port, "GET", "/validate", NULL), ==, 405);
    g_assert_cmpuint(status_of(client, port, "POST", "/elsewhere", text), ==, 404);
    g_assert_cmpuint(status_of(client, port, "POST", "/validate", "nonsense"), ==, 400);
    g_assert_cmpuint(status_of(client, port, "POST", "/validate", large), ==, 413);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/admission/webhook/" text, function)
    CASE("defaults are a patch of spec", defaults_are_a_patch_of_spec);
    CASE("validation changes nothing", validation_changes_nothing);
    CASE("a refusal has a code, a reason and the field", a_refusal_has_a_code_a_reason_and_the_field);
    CASE("subresources and other kinds pass", subresources_and_other_kinds_pass);
    CASE("what is no review is refused", what_is_no_review_is_refused);
    CASE("it is served over HTTPS", it_is_served_over_https);
    return g_test_run();
}
