/* oauth: the two halves of a sign-in: the browser's way to the OAuth server, and the code's exchange for a
 * token. */
#include "console/oauth.h"
#include "base/base64url.h"
#include "console/session.h"
#include "net/http_client.h"
#include "net/random_secret.h"
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTION "/.well-known/oauth-authorization-server"

enum { MOST_ANSWER = 64 << 10, MOST_SECRET = 4 << 10, TIMEOUT_S = 30 };

struct OAuth {
    char *api, *client, *secret_file;
    HttpClient *cluster, *server;
};

void oauth_free(OAuth *oauth)
{
    g_clear_pointer(&oauth->cluster, http_client_free);
    g_clear_pointer(&oauth->server, http_client_free);
    g_free(oauth->secret_file);
    g_free(oauth->client);
    g_free(oauth->api);
    g_free(oauth);
}

OAuth *oauth_new(const OAuthOptions *options, GError **error)
{
    g_autoptr(OAuth) oauth = g_new0(OAuth, 1);

    oauth->api = g_strdup(options->api);
    oauth->client = g_strdup(options->client);
    oauth->secret_file = g_strdup(options->secret_file);
    oauth->cluster = http_client_new(&(HttpTrust){.ca_pem = options->api_ca_pem}, TIMEOUT_S, error);
    if (!oauth->cluster)
        return NULL;
    oauth->server = http_client_new(&(HttpTrust){.ca_pem = options->ca_pem}, TIMEOUT_S, error);
    return oauth->server ? g_steal_pointer(&oauth) : NULL;
}

/* ---- what the server says of itself ---- */

static gboolean is_endpoint(const json_t *about, const char *name, GError **error)
{
    if (g_str_has_prefix(json_string_at(about, name, ""), "https://"))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "the OAuth server's %s is no https:// URL", name);
    return FALSE;
}

static gboolean proves(const json_t *about, GError **error)
{
    size_t i;
    const json_t *method;

    json_array_foreach (json_object_get(about, "code_challenge_methods_supported"), i, method)
        if (!g_strcmp0(json_string_value(method), "S256"))
            return TRUE;
    g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                        "the OAuth server's code_challenge_methods_supported lack S256");
    return FALSE;
}

static json_t *parse(const HttpReply *reply, const char *what, GError **error)
{
    return json_parse(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body), MOST_ANSWER, what,
                      error);
}

/* Without the client's secret the cluster may have what server it likes. */
static gboolean has_secret(const OAuth *oauth, GError **error)
{
    if (!access(oauth->secret_file, R_OK))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "the OAuthClient's secret, %s, cannot be read",
                oauth->secret_file);
    return FALSE;
}

static json_t *describe(OAuth *oauth, GCancellable *cancel, GError **error)
{
    g_autofree char *url = g_strconcat(oauth->api, DESCRIPTION, NULL);
    const char *headers[] = {"Accept", "application/json", NULL};
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(json_t) about = NULL;

    if (!has_secret(oauth, error))
        return NULL;
    reply = http_client_send(oauth->cluster, "GET", url, headers, NULL, NULL, MOST_ANSWER, cancel, error);
    if (!reply)
        return NULL;
    if (reply->status != 200) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                    "the cluster names no OAuth server: %s answers %u", url, reply->status);
        return NULL;
    }
    about = parse(reply, "what the cluster says of its OAuth server", error);
    if (!about || !is_endpoint(about, "authorization_endpoint", error) ||
        !is_endpoint(about, "token_endpoint", error) || !proves(about, error))
        return NULL;
    return g_steal_pointer(&about);
}

gboolean oauth_offered(OAuth *oauth, GCancellable *cancel)
{
    g_autoptr(json_t) about = describe(oauth, cancel, NULL);
    return about != NULL;
}

/* ---- the browser's way ---- */

/* name, value, name, value …, NULL as application/x-www-form-urlencoded. */
static char *form_of(const char *const *pairs)
{
    g_autoptr(GString) form = g_string_new(NULL);

    for (; *pairs; pairs += 2) {
        g_autofree char *value = g_uri_escape_string(pairs[1], NULL, FALSE);
        g_string_append_printf(form, "%s%s=%s", form->len ? "&" : "", pairs[0], value);
    }
    return g_string_free(g_steal_pointer(&form), FALSE);
}

/* The verifier's SHA-256, as base64url without padding. */
static char *challenge_of(const char *verifier)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize size = sizeof digest;

    g_checksum_update(sum, (const guchar *)verifier, -1);
    g_checksum_get_digest(sum, digest, &size);
    return base64url(digest, size);
}

char *oauth_begin(OAuth *oauth, const char *redirect, char **kept, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) about = describe(oauth, cancel, error);
    g_autofree char *state = random_secret(), *verifier = random_secret();
    g_autofree char *challenge = challenge_of(verifier), *query = NULL;
    const char *endpoint = json_string_at(about, "authorization_endpoint", "");
    const char *pairs[] = {"response_type",
                           "code",
                           "client_id",
                           oauth->client,
                           "redirect_uri",
                           redirect,
                           "state",
                           state,
                           "code_challenge",
                           challenge,
                           "code_challenge_method",
                           "S256",
                           NULL};

    if (!about)
        return NULL;
    query = form_of(pairs);
    *kept = g_strconcat(state, ".", verifier, NULL);
    return g_strconcat(endpoint, strchr(endpoint, '?') ? "&" : "?", query, NULL);
}

/* ---- the code's exchange ---- */

/* The verifier of a sign-in that this browser has begun, or NULL. */
static const char *verifier_of(const char *kept, const char *state)
{
    const char *dot = kept ? strchr(kept, '.') : NULL;
    gsize len = dot ? (gsize)(dot - kept) : 0;

    if (!len || !state || strlen(state) != len || gnutls_memcmp(state, kept, len))
        return NULL;
    return dot + 1;
}

static void wipe(char *text)
{
    explicit_bzero(text, strlen(text));
    g_free(text);
}

/* Read anew each time, as whoever mounts it may change it; to be wiped. */
static char *read_secret(const OAuth *oauth, GError **error)
{
    char *text = NULL;
    gsize size;

    if (!g_file_get_contents(oauth->secret_file, &text, &size, error))
        return NULL;
    if (size <= MOST_SECRET && !memchr(text, 0, size) && *g_strchomp(text))
        return text;
    wipe(text);
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "%s holds no secret: a line of at most %d bytes would be one", oauth->secret_file,
                MOST_SECRET);
    return NULL;
}

/* RFC 6749, 2.3.1: both parts are encoded as in a form first. To be wiped; NULL: error is set. */
static char *authorization_of(const OAuth *oauth, GError **error)
{
    g_autofree char *client = g_uri_escape_string(oauth->client, NULL, FALSE);
    char *secret = read_secret(oauth, error), *escaped, *both, *encoded, *header;

    if (!secret)
        return NULL;
    escaped = g_uri_escape_string(secret, NULL, FALSE);
    both = g_strconcat(client, ":", escaped, NULL);
    encoded = g_base64_encode((const guchar *)both, strlen(both));
    header = g_strconcat("Basic ", encoded, NULL);
    wipe(secret);
    wipe(escaped);
    wipe(both);
    wipe(encoded);
    return header;
}

static char *token_of(const HttpReply *reply, GError **error)
{
    g_autoptr(json_t) answer = parse(reply, "the OAuth server's answer", error);
    const char *token = json_string_at(answer, "access_token", "");

    if (!answer)
        return NULL;
    if (reply->status == 200 && *token &&
        !g_ascii_strcasecmp(json_string_at(answer, "token_type", ""), "bearer"))
        return g_strdup(token);
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED,
                "the OAuth server gives no token for the code: %u %s", reply->status,
                json_string_at(answer, "error_description", json_string_at(answer, "error", "")));
    return NULL;
}

char *oauth_finish(OAuth *oauth, const char *redirect, const char *kept, const char *state, const char *code,
                   GCancellable *cancel, GError **error)
{
    const char *verifier = verifier_of(kept, state);
    g_autofree char *form = NULL;
    char *authorization;
    g_autoptr(json_t) about = NULL;
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(GBytes) body = NULL;

    if (!verifier || !code) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                            "this browser has begun no such sign-in, or too long ago");
        return NULL;
    }
    about = describe(oauth, cancel, error);
    if (!about)
        return NULL;
    form = form_of((const char *[]){"grant_type", "authorization_code", "code", code, "redirect_uri",
                                    redirect, "code_verifier", verifier, NULL});
    body = g_bytes_new(form, strlen(form));
    authorization = authorization_of(oauth, error);
    if (!authorization)
        return NULL;
    reply =
        http_client_send(oauth->server, "POST", json_string_at(about, "token_endpoint", ""),
                         (const char *[]){"Authorization", authorization, "Accept", "application/json", NULL},
                         "application/x-www-form-urlencoded", body, MOST_ANSWER, cancel, error);
    wipe(authorization);
    return reply ? token_of(reply, error) : NULL;
}
