/* oauth_test: sign-ins at an OAuth server that is a few lines of C, and at servers that are something else.
 */
#include "base/base64url.h"
#include "base/json.h"
#include "console/oauth.h"
#include "net/certificate.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include <glib/gstdio.h>
#include <string.h>

#define REDIRECT "https://console.example/login/oauth/callback"

typedef struct {
    HttpServer *server;
    OAuth *oauth;
    char *url;
    const char *description; /* what it says of itself, %s its URL; NULL: it is none */
    char *challenge;         /* of the last authorization, as the test took it from the browser's way */
    const char *token;       /* the answer to a right code */
    char *dir, *secret_file;
} Fixture;

static const char usual[] =
    "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/authorize\",\"token_endpoint\":"
    "\"%s/token\",\"code_challenge_methods_supported\":[\"plain\",\"S256\"]}";

/* A member of a form, decoded. */
static char *member(const char *form, const char *name)
{
    g_autoptr(GHashTable) all = g_uri_parse_params(form, -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
    return all ? g_strdup(g_hash_table_lookup(all, name)) : NULL;
}

static char *challenge_of(const char *verifier)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize size = sizeof digest;

    g_checksum_update(sum, (const guchar *)verifier, -1);
    g_checksum_get_digest(sum, digest, &size);
    return base64url(digest, size);
}

/* As RFC 6749, 4.1.3 and RFC 7636, 4.6 ask: the client's secret, the code, the same redirection, and the
 * proof. */
static gboolean is_right(const Fixture *f, HttpExchange *x)
{
    GBytes *body = http_exchange_body(x);
    g_autofree char *form = g_strndup(g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    g_autofree char *code = member(form, "code"), *grant = member(form, "grant_type");
    g_autofree char *redirect = member(form, "redirect_uri"), *verifier = member(form, "code_verifier");
    g_autofree char *challenge = challenge_of(verifier ? verifier : "");

    return !g_strcmp0(http_exchange_header(x, "Authorization"), "Basic Zm9ya2xpZnQtdWk6cyUyNnA=") &&
           !g_strcmp0(code, "right & proper") && !g_strcmp0(grant, "authorization_code") &&
           !g_strcmp0(redirect, REDIRECT) && !g_strcmp0(challenge, f->challenge);
}

static void serve(HttpExchange *x, gpointer data)
{
    const Fixture *f = data;

    if (!strcmp(http_exchange_path(x), "/.well-known/oauth-authorization-server") && f->description) {
        g_auto(GStrv) parts = g_strsplit(f->description, "%s", -1);
        g_autofree char *text = g_strjoinv(f->url, parts);
        http_exchange_reply_text(x, 200, "application/json", text);
    } else if (strcmp(http_exchange_path(x), "/token")) {
        http_exchange_reply_text(x, 403, "application/json", "{\"kind\":\"Status\"}");
    } else if (is_right(f, x)) {
        http_exchange_reply_text(x, 200, "application/json", f->token);
    } else {
        http_exchange_reply_text(
            x, 400, "application/json",
            "{\"error\":\"invalid_grant\",\"error_description\":\"that is no code of mine\"}");
    }
}

static void write_secret(const Fixture *f, const char *secret)
{
    g_assert_true(g_file_set_contents(f->secret_file, secret, -1, NULL));
}

static void set_up(Fixture *f, gconstpointer unused)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    g_autoptr(Certificate) authority = certificate_new_authority("test", NULL);
    g_autoptr(Certificate) ours = certificate_issue(authority, names, 2, NULL);
    HttpServerOptions options = {.listen = "127.0.0.1:0",
                                 .cert_pem = ours->pem,
                                 .key_pem = ours->key_pem,
                                 .handler = serve,
                                 .user_data = f};
    OAuthOptions oauth = {.api_ca_pem = authority->pem, .ca_pem = authority->pem, .client = "forklift-ui"};
    g_autoptr(GError) error = NULL;

    f->description = usual;
    f->token = "{\"access_token\":\"sha256~t\",\"token_type\":\"Bearer\",\"expires_in\":86400}";
    f->server = http_server_start(&options, &error);
    g_assert_no_error(error);
    f->url = g_strdup_printf("https://127.0.0.1:%u", http_server_port(f->server));
    f->dir = g_dir_make_tmp("oauth-XXXXXX", NULL);
    f->secret_file = g_build_filename(f->dir, "secret", NULL);
    write_secret(f, "s&p\n");
    oauth.api = f->url;
    oauth.secret_file = f->secret_file;
    f->oauth = oauth_new(&oauth, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    oauth_free(f->oauth);
    http_server_stop(f->server);
    g_remove(f->secret_file);
    g_rmdir(f->dir);
    g_free(f->secret_file);
    g_free(f->dir);
    g_free(f->url);
    g_free(f->challenge);
}

/* The browser's half: gives the state, and what the cookie keeps. */
static char *begin(Fixture *f, char **kept)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *to = oauth_begin(f->oauth, REDIRECT, kept, NULL, &error);

    g_assert_no_error(error);
    f->challenge = member(strchr(to, '?') + 1, "code_challenge");
    return member(strchr(to, '?') + 1, "state");
}

static void a_browser_is_sent_to_the_server_with_state_and_challenge(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *name, *value;
    } rows[] = {{"response_type", "code"},
                {"client_id", "forklift-ui"},
                {"redirect_uri", REDIRECT},
                {"code_challenge_method", "S256"}};
    g_autoptr(GError) error = NULL;
    g_autofree char *kept = NULL, *other = NULL, *again = NULL;
    g_autofree char *to = oauth_begin(f->oauth, REDIRECT, &kept, NULL, &error);
    g_autofree char *start = g_strconcat(f->url, "/authorize?", NULL);

    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(to, start));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *value = member(to + strlen(start), rows[i].name);
        g_assert_cmpstr(value, ==, rows[i].value);
    }
    g_assert_null(strstr(to, strchr(kept, '.') + 1)); /* the verifier is the browser's and ours alone */
    again = oauth_begin(f->oauth, REDIRECT, &other, NULL, NULL);
    g_assert_cmpstr(kept, !=, other);
}

static void a_code_becomes_a_token(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *kept = NULL, *state = begin(f, &kept);
    g_autofree char *token = oauth_finish(f->oauth, REDIRECT, kept, state, "right & proper", NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(token, ==, "sha256~t");
    g_assert_true(oauth_offered(f->oauth, NULL));
}

static void what_this_browser_has_not_begun_is_not_finished(Fixture *f, gconstpointer unused)
{
    g_autofree char *kept = NULL, *state = begin(f, &kept), *longer = g_strconcat(state, "x", NULL);
    const struct {
        const char *kept, *state, *code;
    } rows[] = {
        {NULL, state, "right & proper"},  {kept, NULL, "right & proper"}, {kept, "", "right & proper"},
        {kept, longer, "right & proper"}, {".", "", "right & proper"},    {kept, state, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(
            oauth_finish(f->oauth, REDIRECT, rows[i].kept, rows[i].state, rows[i].code, NULL, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

static void a_code_that_the_server_refuses_is_no_sign_in(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *code, *token;
    } rows[] = {
        {"wrong", "{}"},
        {"right & proper", "{\"token_type\":\"Bearer\"}"},
        {"right & proper", "{\"access_token\":\"t\",\"token_type\":\"mac\"}"},
    };
    g_autofree char *kept = NULL, *state = begin(f, &kept);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        f->token = rows[i].token;
        g_assert_null(oauth_finish(f->oauth, REDIRECT, kept, state, rows[i].code, NULL, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED);
        g_assert_true(i || strstr(error->message, "that is no code of mine"));
    }
}

static void finish(Fixture *f, const char *kept, const char *state, GError **error)
{
    g_autofree char *token = oauth_finish(f->oauth, REDIRECT, kept, state, "right & proper", NULL, error);

    g_assert_true((token == NULL) == (*error != NULL));
}

/* The operator's Secret may come after the console's start, and may change. */
static void the_secret_is_read_at_each_sign_in(Fixture *f, gconstpointer unused)
{
    g_autofree char *kept = NULL, *state = begin(f, &kept), *none = NULL;
    g_autoptr(GError) changed = NULL, gone = NULL, back = NULL;

    write_secret(f, "another");
    finish(f, kept, state, &changed);
    g_assert_error(changed, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED);
    g_remove(f->secret_file);
    g_assert_false(oauth_offered(f->oauth, NULL));
    g_assert_null(oauth_begin(f->oauth, REDIRECT, &none, NULL, &gone));
    g_assert_error(gone, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND);
    g_clear_error(&gone);
    finish(f, kept, state, &gone);
    g_assert_error(gone, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND);
    write_secret(f, "s&p");
    finish(f, kept, state, &back);
    g_assert_no_error(back);
}

static void a_file_that_holds_no_secret_is_named(Fixture *f, gconstpointer unused)
{
    g_autofree char *long_one = g_strnfill(5000, 's'), *kept = NULL, *state = begin(f, &kept);
    const char *const texts[] = {"", "\n", long_one};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        write_secret(f, texts[i]);
        finish(f, kept, state, &error);
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_nonnull(strstr(error->message, f->secret_file));
    }
}

static void a_server_that_cannot_be_used_is_not_offered(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *description;
        ErrorCode code;
    } rows[] = {
        {NULL, ERROR_KUBE_NOT_FOUND},
        {"nothing", ERROR_BAD_JSON},
        {"{}", ERROR_BAD_INPUT},
        {"{\"authorization_endpoint\":\"http://a\",\"token_endpoint\":\"https://a\","
         "\"code_challenge_methods_supported\":[\"S256\"]}",
         ERROR_BAD_INPUT},
        {"{\"authorization_endpoint\":\"https://a\",\"token_endpoint\":\"https://a\","
         "\"code_challenge_methods_supported\":[\"plain\"]}",
         ERROR_BAD_INPUT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *kept = NULL;
        f->description = rows[i].description;
        g_assert_false(oauth_offered(f->oauth, NULL));
        g_assert_null(oauth_begin(f->oauth, REDIRECT, &kept, NULL, &error));
        g_assert_null(kept);
        if (!g_error_matches(error, GANTRY_ERROR, rows[i].code))
            g_error("row %u: %s", i, error->message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/console/oauth/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("a browser is sent to the server with state and challenge",
        a_browser_is_sent_to_the_server_with_state_and_challenge);
    ADD("a code becomes a token", a_code_becomes_a_token);
    ADD("what this browser has not begun is not finished", what_this_browser_has_not_begun_is_not_finished);
    ADD("a code that the server refuses is no sign-in", a_code_that_the_server_refuses_is_no_sign_in);
    ADD("the secret is read at each sign-in", the_secret_is_read_at_each_sign_in);
    ADD("a file that holds no secret is named", a_file_that_holds_no_secret_is_named);
    ADD("a server that cannot be used is not offered", a_server_that_cannot_be_used_is_not_offered);
    return g_test_run();
}
