/* session: one login to an engine, shared by threads, renewed when it is lost, and tried once when refused.
 *
 * The token comes from the engine's single sign-on; an engine without it is asked with Basic credentials.
 */
#include "source/ovirt/ovirt.h"
#include <stdio.h>
#include <string.h>

/* 2,000 VMs with everything that is followed are 12 MB. */
#define MOST_LIST_SIZE  (256 * 1024 * 1024)
#define MOST_REPLY_SIZE (8 * 1024 * 1024)
#define TIMEOUT_S       300
#define PROBE_TIMEOUT_S 5
/* The first version whose transfers name their host's address and can be polled to their end; RHV 4.4.9 is
 * it. */
#define OLDEST_MAJOR 4
#define OLDEST_MINOR 4
#define OLDEST_BUILD 9

struct OvirtSession {
    HttpClient *http;
    char *api; /* "https://engine/ovirt-engine/api" */
    char *sso, *logout;
    char *user, *password;
    char *ca_pem, *fingerprint; /* of trust */
    HttpTrust trust;

    GMutex lock;         /* what follows; held while logging in, so that one thread does */
    char *authorization; /* the header's value, or NULL: not logged in */
    guint64 login;       /* counts logins */
    GError *refused;     /* the user or password was; nothing more is sent */
};

static void wipe(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static gboolean check_access(const SourceAccess *access, GError **error)
{
    g_autoptr(GUri) uri = access->url ? g_uri_parse(access->url, G_URI_FLAGS_NONE, NULL) : NULL;

    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "https") || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "url '%s' is not the address of an oVirt engine: it must read "
                    "https://HOST/ovirt-engine/api",
                    access->url ? access->url : "");
        return FALSE;
    }
    if (!access->user || !*access->user || !access->password || !*access->password) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "user and password of '%s' must both be given",
                    access->url);
        return FALSE;
    }
    return TRUE;
}

/* Users write it with and without a slash at the end. */
static char *api_address(const char *url)
{
    char *api = g_strdup(url);

    while (g_str_has_suffix(api, "/"))
        api[strlen(api) - 1] = 0;
    return api;
}

/* What stands beside the API, whatever is before it in the path. */
static char *beside(const char *api, const char *path)
{
    gsize len = strlen(api) - (g_str_has_suffix(api, "/api") ? strlen("/api") : 0);
    return g_strdup_printf("%.*s%s", (int)len, api, path);
}

OvirtSession *ovirt_session_new(const SourceAccess *access, GError **error)
{
    g_autoptr(HttpClient) http = NULL;
    OvirtSession *session;

    if (!check_access(access, error) || !(http = http_client_new(&access->trust, TIMEOUT_S, error)))
        return NULL;
    session = g_new0(OvirtSession, 1);
    session->http = g_steal_pointer(&http);
    session->api = api_address(access->url);
    session->sso = beside(session->api, "/sso/oauth/token");
    session->logout = beside(session->api, "/services/sso-logout");
    session->user = g_strdup(access->user);
    session->password = g_strdup(access->password);
    session->ca_pem = g_strdup(access->trust.ca_pem);
    session->fingerprint = g_strdup(access->trust.fingerprint);
    session->trust = (HttpTrust){
        .ca_pem = session->ca_pem, .fingerprint = session->fingerprint, .insecure = access->trust.insecure};
    g_mutex_init(&session->lock);
    return session;
}

/* Gives the token back, as engines keep few sessions. One that does not answer is not waited for long. */
static void log_out(OvirtSession *session)
{
    static const char prefix[] = "Bearer ";
    g_autoptr(HttpClient) http = NULL;
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(GBytes) form = NULL;
    char *text;

    if (!session->authorization || !g_str_has_prefix(session->authorization, prefix) ||
        !(http = ovirt_session_prober(session, NULL)))
        return;
    text = g_strdup_printf("scope=&token=%s", session->authorization + strlen(prefix));
    form = g_bytes_new_with_free_func(text, strlen(text), (GDestroyNotify)wipe, text);
    reply = http_client_send(http, "POST", session->logout, NULL, "application/x-www-form-urlencoded", form,
                             MOST_REPLY_SIZE, NULL, NULL);
}

void ovirt_session_free(OvirtSession *session)
{
    if (!session)
        return;
    log_out(session);
    g_free(session->logout);
    http_client_free(session->http);
    g_free(session->api);
    g_free(session->sso);
    g_free(session->user);
    g_free(session->ca_pem);
    g_free(session->fingerprint);
    wipe(session->password);
    wipe(session->authorization);
    g_clear_error(&session->refused);
    g_mutex_clear(&session->lock);
    g_free(session);
}

char *ovirt_session_host(OvirtSession *session)
{
    g_autoptr(GUri) uri = g_uri_parse(session->api, G_URI_FLAGS_NONE, NULL);
    return g_strdup(g_uri_get_host(uri));
}

HttpClient *ovirt_session_prober(OvirtSession *session, GError **error)
{
    return http_client_new(&session->trust, PROBE_TIMEOUT_S, error);
}

/* ---- login --------------------------------------------------------------------------------------------- */

/* The form's bytes are wiped when they are dropped. */
static GBytes *login_form(const OvirtSession *session)
{
    g_autofree char *user = g_uri_escape_string(session->user, NULL, TRUE);
    char *password = g_uri_escape_string(session->password, NULL, TRUE);
    char *form =
        g_strdup_printf("grant_type=password&scope=ovirt-app-api&username=%s&password=%s", user, password);

    wipe(password);
    return g_bytes_new_with_free_func(form, strlen(form), (GDestroyNotify)wipe, form);
}

static char *basic_credentials(const OvirtSession *session)
{
    char *pair = g_strconcat(session->user, ":", session->password, NULL);
    char *encoded = g_base64_encode((const guchar *)pair, strlen(pair));
    char *header = g_strconcat("Basic ", encoded, NULL);

    wipe(pair);
    wipe(encoded);
    return header;
}

static void set_refused(OvirtSession *session)
{
    g_set_error(&session->refused, GANTRY_ERROR, ERROR_SOURCE_LOGIN,
                "%s refuses the user '%s' or its password; it was tried once and is not tried again",
                session->api, session->user);
}

static char *token_of(const HttpReply *reply, const char *url, GError **error)
{
    gsize size;
    const char *text = g_bytes_get_data(reply->body, &size);
    g_autoptr(json_t) answer = json_parse(text ? text : "", size, MOST_REPLY_SIZE, url, error);
    const char *token = json_string_at(answer, "access_token", "");

    if (answer && *token && !strpbrk(token, " \r\n"))
        return g_strconcat("Bearer ", token, NULL);
    if (answer)
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "%s gives no token", url);
    return NULL;
}

/* With the lock held. */
static gboolean ask_for_token(OvirtSession *session, GCancellable *cancel, GError **error)
{
    static const char *const headers[] = {"Accept", "application/json", NULL};
    g_autoptr(GBytes) form = login_form(session);
    g_autoptr(HttpReply) reply =
        http_client_send(session->http, "POST", session->sso, headers, "application/x-www-form-urlencoded",
                         form, MOST_REPLY_SIZE, cancel, error);

    if (!reply)
        return FALSE;
    if (reply->status == 400 || reply->status == 401 || reply->status == 403) {
        set_refused(session);
        g_propagate_error(error, g_error_copy(session->refused));
    } else if (reply->status == 404)
        session->authorization = basic_credentials(session);
    else if (reply->status != 200)
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "%s answered %u %s", session->sso,
                    reply->status, reply->reason ? reply->reason : "");
    else
        session->authorization = token_of(reply, session->sso, error);
    return session->authorization != NULL;
}

/* A copy of the header, to be wiped; NULL: not logged in. number: of the login that it is of. */
static char *authorization(OvirtSession *session, guint64 *number, GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);

    if (session->refused) {
        g_propagate_error(error, g_error_copy(session->refused));
        return NULL;
    }
    if (!session->authorization) {
        if (!ask_for_token(session, cancel, error))
            return NULL;
        session->login++;
    }
    *number = session->login;
    return g_strdup(session->authorization);
}

/* Another thread may have logged in again already: then the loss that this one saw is an old one. Basic
 * credentials that were refused are a wrong password. */
static void session_lost(OvirtSession *session, guint64 number)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);

    if (session->login != number || !session->authorization)
        return;
    if (g_str_has_prefix(session->authorization, "Basic "))
        set_refused(session);
    g_clear_pointer(&session->authorization, wipe);
}

/* ---- one call ------------------------------------------------------------------------------------------ */

static HttpReply *send_once(OvirtSession *session, const char *method, const char *url, GBytes *body,
                            gsize limit, guint64 *number, GCancellable *cancel, GError **error)
{
    char *header = authorization(session, number, cancel, error);
    const char *const headers[] = {"Authorization", header, "Accept", "application/json",
                                   "Version",       "4",    NULL};
    HttpReply *reply;

    if (!header)
        return NULL;
    reply = http_client_send(session->http, method, url, headers, body ? "application/json" : NULL, body,
                             limit, cancel, error);
    wipe(header);
    return reply;
}

static void refuse(const char *what, const HttpReply *reply, GError **error)
{
    gsize size;
    const char *text = g_bytes_get_data(reply->body, &size);
    g_autoptr(json_t) answer = json_parse(text ? text : "", size, MOST_REPLY_SIZE, what, NULL);
    const char *reason = json_string_at(answer, "reason", json_string_at(answer, "fault.reason", ""));
    const char *detail = json_string_at(answer, "detail", json_string_at(answer, "fault.detail", ""));
    int code = reply->status == 404               ? ERROR_SOURCE_NOT_FOUND
               : reply->status >= 500 && !*reason ? ERROR_HTTP_UNREACHABLE
                                                  : ERROR_SOURCE_FAULT;

    g_set_error(error, GANTRY_ERROR, code, "%s: the engine answered %u %s%s%s", what, reply->status,
                *reason         ? reason
                : reply->reason ? reply->reason
                                : "",
                *detail ? ": " : "", detail);
}

static GBytes *call(OvirtSession *session, const char *method, const char *path, GBytes *body, gsize limit,
                    GCancellable *cancel, GError **error)
{
    g_autofree char *url = g_strconcat(session->api, *path ? "/" : "", path, NULL);

    for (int attempt = 0;; attempt++) {
        guint64 number = 0;
        g_autoptr(HttpReply) reply = send_once(session, method, url, body, limit, &number, cancel, error);

        if (!reply)
            return NULL;
        if (reply->status == 200 || reply->status == 201 || reply->status == 202 ||
            reply->status == 204)
            return g_bytes_ref(reply->body);
        if (reply->status == 401) {
            session_lost(session, number);
            if (attempt == 0)
                continue;
        }
        refuse(url, reply, error);
        return NULL;
    }
}

GBytes *ovirt_get_text(OvirtSession *session, const char *path, GCancellable *cancel, GError **error)
{
    return call(session, "GET", path, NULL, MOST_LIST_SIZE, cancel, error);
}

static json_t *parse(GBytes *text, const char *path, GError **error)
{
    gsize size = g_bytes_get_size(text);
    const char *start = g_bytes_get_data(text, NULL);
    json_t *json = json_parse(start ? start : "", size, MOST_REPLY_SIZE, path, error);

    if (!json || json_is_object(json))
        return json;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_JSON, "%s: the engine's answer is no object", path);
    json_decref(json);
    return NULL;
}

json_t *ovirt_get(OvirtSession *session, const char *path, GCancellable *cancel, GError **error)
{
    g_autoptr(GBytes) text = call(session, "GET", path, NULL, MOST_REPLY_SIZE, cancel, error);
    return text ? parse(text, path, error) : NULL;
}

json_t *ovirt_post(OvirtSession *session, const char *path, const json_t *body, GCancellable *cancel,
                   GError **error)
{
    char *text = body ? json_text(body) : g_strdup("{}");
    g_autoptr(GBytes) sent = g_bytes_new_take(text, strlen(text));
    g_autoptr(GBytes) answer = call(session, "POST", path, sent, MOST_REPLY_SIZE, cancel, error);

    return answer ? parse(answer, path, error) : NULL;
}

gboolean ovirt_delete(OvirtSession *session, const char *path, GCancellable *cancel, GError **error)
{
    g_autoptr(GBytes) answer = call(session, "DELETE", path, NULL, MOST_REPLY_SIZE, cancel, error);
    return answer != NULL;
}

/* ---- what it is ---------------------------------------------------------------------------------------- */

static gboolean check_version(const OvirtSession *session, const char *version, GError **error)
{
    guint major = 0, minor = 0, build = 0;
    gboolean known = sscanf(version, "%u.%u.%u", &major, &minor, &build) >= 2;

    if (known && (major > OLDEST_MAJOR ||
                  (major == OLDEST_MAJOR &&
                   (minor > OLDEST_MINOR || (minor == OLDEST_MINOR && build >= OLDEST_BUILD)))))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VERSION,
                "%s is an engine of version %s; %d.%d.%d or later is needed", session->api,
                *version ? version : "(unknown)", OLDEST_MAJOR, OLDEST_MINOR, OLDEST_BUILD);
    return FALSE;
}

/* Old engines say it in parts only. */
static char *version_of(const json_t *product)
{
    const char *full = ovirt_text(product, "version.full_version");

    return *full ? g_strdup(full)
                 : g_strdup_printf("%d.%d.%d", (int)ovirt_int(product, "version.major"),
                                   (int)ovirt_int(product, "version.minor"),
                                   (int)ovirt_int(product, "version.build"));
}

json_t *ovirt_session_about(OvirtSession *session, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) root = ovirt_get(session, "", cancel, error);
    const json_t *product = json_object_get(root, "product_info");
    g_autofree char *version = NULL;

    if (!root)
        return NULL;
    if (!product) {
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE,
                    "%s answers, but is no oVirt engine: it must read https://HOST/ovirt-engine/api",
                    session->api);
        return NULL;
    }
    version = version_of(product);
    if (!check_version(session, version, error))
        return NULL;
    return json_pack("{s:s, s:s, s:s}", "apiVersion", version, "product", ovirt_text(product, "name"),
                     "instanceUuid", ovirt_text(product, "instance_id"));
}

/* ---- the kind ------------------------------------------------------------------------------------------ */

static gpointer open_session(const SourceAccess *access, GError **error)
{
    return ovirt_session_new(access, error);
}

static void close_session(gpointer session)
{
    ovirt_session_free(session);
}

static json_t *about(gpointer session, GCancellable *cancel, GError **error)
{
    return ovirt_session_about(session, cancel, error);
}

static gboolean collect(gpointer session, SourceChange changed, gpointer user_data, GCancellable *cancel,
                        GError **error)
{
    return ovirt_collect(session, changed, user_data, cancel, error);
}

static gboolean power_state(gpointer session, const char *vm_id, PowerState *state, GCancellable *cancel,
                            GError **error)
{
    return ovirt_power_state(session, vm_id, state, cancel, error);
}

static gboolean shut_down_guest(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return ovirt_shut_down_guest(session, vm_id, cancel, error);
}

static gboolean power_off(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return ovirt_power_off(session, vm_id, cancel, error);
}

static gboolean power_on(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return ovirt_power_on(session, vm_id, cancel, error);
}

const SourceKind source_ovirt = {
    .type = "ovirt",
    .host_port = OVIRT_IMAGEIO_PORT,
    .open = open_session,
    .close = close_session,
    .about = about,
    .collect = collect,
    .missing_rights = ovirt_missing_rights,
    .check_host = ovirt_check_host,
    .unreachable = ovirt_unreachable,
    .power_state = power_state,
    .shut_down_guest = shut_down_guest,
    .power_off = power_off,
    .power_on = power_on,
    .describe = ovirt_describe,
    .reader = ovirt_reader,
    .grant = ovirt_grant,
    .keep = ovirt_keep,
    .revoke = ovirt_revoke,
    .warm = &ovirt_warm,
};
