/* authorizer: who is let in, who is not and why, and what is remembered. */
#include "kube/authorizer.h"
#include "kube/scripted_server.h"
#include <string.h>

#define TOKENS  "/apis/authentication.k8s.io/v1/tokenreviews"
#define ACCESS  "/apis/authorization.k8s.io/v1/subjectaccessreviews"
#define BOB     "{'status':{'authenticated':true,'user':{'username':'bob','groups':['staff']}}}"
#define ALLOWED "{'status':{'allowed':true}}"

static const Access provider = {"get", "forklift.konveyor.io", "providers", "ns", "vc"};

typedef struct {
    ScriptedServer *server;
    Authorizer *authorizer;
} Fixture;

static void set_up(Fixture *f, gconstpointer not_required)
{
    g_autoptr(KubeClient) client = NULL;

    f->server = scripted_server_start();
    client = kube_client_new_token(scripted_server_url(f->server),
                                   &(HttpTrust){.ca_pem = scripted_server_ca(f->server)}, "own", NULL);
    f->authorizer = authorizer_new(client, not_required == NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    authorizer_free(f->authorizer);
    scripted_server_stop(f->server);
}

static guint check(Fixture *f, const char *header, char **reason)
{
    return authorizer_check(f->authorizer, header, &provider, reason, NULL);
}

static void refusals_have_a_status_and_a_reason(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *header;
        guint tokens_status;
        const char *tokens;
        guint access_status;
        const char *access;
        guint status;
        const char *reason;
    } rows[] = {
        {NULL, 200, BOB, 200, ALLOWED, 401, "Bearer TOKEN"},
        {"", 200, BOB, 200, ALLOWED, 401, "Bearer TOKEN"},
        {"Basic eA==", 200, BOB, 200, ALLOWED, 401, "Bearer TOKEN"},
        {"bearer x", 200, BOB, 200, ALLOWED, 401, "Bearer TOKEN"},
        {"Bearer ", 200, BOB, 200, ALLOWED, 401, "Bearer TOKEN"},
        {"Bearer a b", 200, BOB, 200, ALLOWED, 401, "Bearer TOKEN"},
        {"Bearer t1", 200, "{'status':{'error':'it is too old'}}", 200, ALLOWED, 401, "it is too old"},
        {"Bearer t2", 503, "", 200, ALLOWED, 500, "cannot be asked"},
        {"Bearer t3", 200, BOB, 200, "{'status':{'allowed':false,'reason':'no role says so'}}", 403,
         "user 'bob' may not get providers 'vc': no role says so"},
        {"Bearer t4", 200, BOB, 503, "", 500, "cannot be asked"},
        {"Bearer t5", 200, BOB, 200, "{'status':{}}", 403, "may not"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *reason = NULL;
        scripted_server_answer(f->server, "POST", TOKENS, rows[i].tokens_status, rows[i].tokens);
        scripted_server_answer(f->server, "POST", ACCESS, rows[i].access_status, rows[i].access);
        g_assert_cmpuint(check(f, rows[i].header, &reason), ==, rows[i].status);
        if (!reason || !strstr(reason, rows[i].reason))
            g_error("row %u: %s", i, reason);
    }
}

static void a_yes_is_remembered_and_a_no_is_not(Fixture *f, gconstpointer unused)
{
    g_autofree char *reason = NULL, *again = NULL, *other = NULL;

    scripted_server_answer(f->server, "POST", TOKENS, 200, BOB);
    scripted_server_answer(f->server, "POST", ACCESS, 200, "{'status':{'allowed':false}}");
    g_assert_cmpuint(check(f, "Bearer t", &reason), ==, 403);
    scripted_server_answer(f->server, "POST", ACCESS, 200, ALLOWED);
    g_assert_cmpuint(check(f, "Bearer t", &reason), ==, 0);
    scripted_server_answer(f->server, "POST", ACCESS, 200, "{'status':{'allowed':false}}");
    g_assert_cmpuint(check(f, "Bearer t", &again), ==, 0);
    g_assert_cmpuint(check(f, "Bearer another", &other), ==, 403);
}

static void nobody_is_asked_where_everybody_may(Fixture *f, gconstpointer unused)
{
    char *reason = NULL;

    g_assert_cmpuint(check(f, NULL, &reason), ==, 0);
    g_assert_null(reason);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, run, data) g_test_add("/kube/authorizer/" name, Fixture, data, set_up, run, tear_down)
    TEST("refusals have a status and a reason", refusals_have_a_status_and_a_reason, NULL);
    TEST("a yes is remembered and a no is not", a_yes_is_remembered_and_a_no_is_not, NULL);
    TEST("nobody is asked where everybody may", nobody_is_asked_where_everybody_may, "not required");
    return g_test_run();
}
