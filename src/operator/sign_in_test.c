/* sign_in: both objects get one secret, whichever has it, and the OAuthClient gets the console's address. */
#include "kube/scripted_server.h"
#include "operator/sign_in.h"
#include "operator/values.h"
#include <string.h>

#define CLIENT "/apis/oauth.openshift.io/v1/oauthclients/forklift-ui"
#define SECRET "/api/v1/namespaces/n/secrets/forklift-ui-oauth"
#define ROUTE  "/apis/route.openshift.io/v1/namespaces/n/routes/virt"
#define NONE   "{'kind':'Status','reason':'NotFound','code':404}"

typedef struct {
    ScriptedServer *server;
    KubeClient *kube;
    GHashTable *values;
    GPtrArray *templates;
    Template *client, *secret, *console; /* of those */
} Fixture;

static Template *find(const Fixture *f, const KubeResource *kind, const char *name)
{
    for (guint i = 0; i < f->templates->len; i++) {
        Template *one = f->templates->pdata[i];
        if (one->resource == kind && !strcmp(json_string_at(one->manifest, "metadata.name", ""), name))
            return one;
    }
    g_error("%s %s is not shipped", kind->kind, name);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    static const char *const facts[] = {"namespace", "version", "ca_key", "policy_agent_url", "certificates"};
    g_autoptr(GError) error = NULL;

    f->server = scripted_server_start();
    f->kube = kube_client_new_token(scripted_server_url(f->server),
                                    &(HttpTrust){.ca_pem = scripted_server_ca(f->server)}, "t", NULL);
    scripted_server_answer(f->server, "GET", CLIENT, 404, NONE);
    scripted_server_answer(f->server, "GET", SECRET, 404, NONE);
    scripted_server_answer(f->server, "GET", ROUTE, 404, NONE);
    f->values = values_read(NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(facts); i++)
        g_hash_table_insert(f->values, g_strdup(facts[i]), g_strdup(facts[i]));
    f->templates = templates_load(TEMPLATES, f->values, &error);
    g_assert_no_error(error);
    f->client = find(f, &KUBE_OAUTH_CLIENT, "forklift-ui");
    f->secret = find(f, &KUBE_SECRET, "forklift-ui-oauth");
    f->console = find(f, &KUBE_DEPLOYMENT, "forklift-ui");
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_ptr_array_unref(f->templates);
    g_hash_table_unref(f->values);
    kube_client_unref(f->kube);
    scripted_server_stop(f->server);
}

static void fill(Fixture *f, const Template *one)
{
    g_autoptr(GError) error = NULL;

    sign_in_fill(f->kube, "n", one, NULL, &error);
    g_assert_no_error(error);
}

/* What the console will find in its file; to be freed. */
static char *mounted(const Fixture *f)
{
    gsize size;
    g_autofree char *bytes =
        (char *)g_base64_decode(json_string_at(f->secret->manifest, "data.secret", ""), &size);

    return g_strndup(bytes, size);
}

static void the_first_of_them_has_a_new_one(Fixture *f, gconstpointer unused)
{
    g_autofree char *first = NULL, *second = NULL;

    fill(f, f->secret);
    first = mounted(f);
    g_assert_cmpuint(strlen(first), ==, 43);
    fill(f, f->secret);
    second = mounted(f);
    g_assert_cmpstr(first, !=, second);
}

static void the_client_gets_what_the_console_has(Fixture *f, gconstpointer unused)
{
    scripted_server_answer(f->server, "GET", SECRET, 200,
                           "{'metadata':{'name':'forklift-ui-oauth'},'data':{'secret':'czNjcjN0'}}");
    fill(f, f->client);
    g_assert_cmpstr(json_string_at(f->client->manifest, "secret", ""), ==, "s3cr3t");
}

static void what_is_no_text_is_replaced(Fixture *f, gconstpointer unused)
{
    static const char *const held[] = {"", "AAAA", "//79", "?"};

    for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
        g_autofree char *secret =
            g_strdup_printf("{'metadata':{'name':'s'},'data':{'secret':'%s'}}", held[i]);
        scripted_server_answer(f->server, "GET", SECRET, 200, secret);
        fill(f, f->client);
        g_assert_cmpuint(strlen(json_string_at(f->client->manifest, "secret", "")), ==, 43);
    }
}

/* An administrator changes it there. */
static void the_clients_own_holds(Fixture *f, gconstpointer unused)
{
    g_autofree char *text = NULL;

    scripted_server_answer(f->server, "GET", CLIENT, 200,
                           "{'metadata':{'name':'forklift-ui'},'secret':'new'}");
    scripted_server_answer(f->server, "GET", SECRET, 200,
                           "{'metadata':{'name':'forklift-ui-oauth'},'data':{'secret':'czNjcjN0'}}");
    fill(f, f->secret);
    fill(f, f->client);
    text = mounted(f);
    g_assert_cmpstr(text, ==, "new");
    g_assert_cmpstr(json_string_at(f->client->manifest, "secret", ""), ==, "new");
}

static void the_client_leads_back_to_the_route(Fixture *f, gconstpointer unused)
{
    const json_t *addresses;

    fill(f, f->client);
    g_assert_null(json_object_get(f->client->manifest, "redirectURIs"));
    scripted_server_answer(f->server, "GET", CLIENT, 200,
                           "{'metadata':{'name':'forklift-ui'},'secret':'s','redirectURIs':['https://old']}");
    fill(f, f->client);
    addresses = json_object_get(f->client->manifest, "redirectURIs");
    g_assert_cmpstr(json_string_value(json_array_get(addresses, 0)), ==, "https://old");
    scripted_server_answer(f->server, "GET", ROUTE, 200,
                           "{'metadata':{'name':'virt'},'spec':{'host':'virt.apps.example'}}");
    fill(f, f->client);
    addresses = json_object_get(f->client->manifest, "redirectURIs");
    g_assert_cmpuint(json_array_size(addresses), ==, 1);
    g_assert_cmpstr(json_string_value(json_array_get(addresses, 0)), ==, "https://virt.apps.example");
}

/* To go on without an answer would make another secret, or take the addresses away. */
static void nothing_is_filled_in_without_an_answer(Fixture *f, gconstpointer unused)
{
    static const char *const paths[] = {ROUTE, SECRET, CLIENT};

    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        scripted_server_answer(f->server, "GET", paths[i], 403,
                               "{'kind':'Status','reason':'Forbidden','code':403,'message':'no'}");
        g_assert_false(sign_in_fill(f->kube, "n", f->client, NULL, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN);
    }
}

static void others_stay_as_they_are(Fixture *f, gconstpointer unused)
{
    for (guint i = 0; i < f->templates->len; i++) {
        const Template *one = f->templates->pdata[i];
        g_autoptr(json_t) before = json_deep_copy(one->manifest);
        if (one == f->client || one == f->secret)
            continue;
        fill(f, one);
        g_assert_true(json_equal(before, one->manifest));
    }
    g_assert_cmpuint(scripted_server_count(f->server, ""), ==, 0);
}

static const json_t *named(const json_t *list, const char *name)
{
    size_t i;
    const json_t *one;

    json_array_foreach (list, i, one)
        if (!strcmp(json_string_at(one, "name", ""), name))
            return one;
    g_error("nothing is named %s", name);
}

static gboolean holds(const json_t *list, const char *text)
{
    size_t i;
    const json_t *one;

    json_array_foreach (list, i, one)
        if (!g_strcmp0(json_string_value(one), text))
            return TRUE;
    return FALSE;
}

/* Where no cluster signs people in there is no such Secret, and the console starts without. */
static void the_console_mounts_the_secret_where_there_is_one(Fixture *f, gconstpointer unused)
{
    const json_t *pod = json_at(f->console->manifest, "spec.template.spec"),
                 *container = json_array_get(json_object_get(pod, "containers"), 0),
                 *volume = named(json_object_get(pod, "volumes"), "oauth"),
                 *mount = named(json_object_get(container, "volumeMounts"), "oauth");
    g_autofree char *file =
        g_strconcat("--oauth-secret=", json_string_at(mount, "mountPath", ""), "/secret", NULL);

    g_assert_cmpstr(json_string_at(volume, "secret.secretName", ""), ==, "forklift-ui-oauth");
    g_assert_true(json_bool_at(volume, "secret.optional", FALSE));
    g_assert_true(holds(json_object_get(container, "args"), file));
    g_assert_true(holds(json_object_get(container, "args"), "--oauth-client=forklift-ui"));
    g_assert_cmpstr(f->secret->needs, ==, f->client->needs);
    g_assert_cmpstr(f->secret->feature, ==, f->console->feature);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/operator/sign-in/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("the first of them has a new one", the_first_of_them_has_a_new_one);
    ADD("the client gets what the console has", the_client_gets_what_the_console_has);
    ADD("what is no text is replaced", what_is_no_text_is_replaced);
    ADD("the client's own holds", the_clients_own_holds);
    ADD("the client leads back to the route", the_client_leads_back_to_the_route);
    ADD("nothing is filled in without an answer", nothing_is_filled_in_without_an_answer);
    ADD("others stay as they are", others_stay_as_they_are);
    ADD("the console mounts the secret where there is one", the_console_mounts_the_secret_where_there_is_one);
    return g_test_run();
}
