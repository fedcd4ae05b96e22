/* session: one login to a vCenter or ESXi host, shared by threads, renewed when it is lost, and tried once
 * when refused. */
#include "source/vsphere/vsphere.h"
#include <stdio.h>
#include <string.h>

/* A page of 100 large VMs is about 5 MB; a reply beyond this is no page of ours. */
#define MOST_REPLY_SIZE (256 * 1024 * 1024)
#define SHORT_REPLY     (16 * 1024)
/* A vCenter that does not answer at all is noticed by the first, small call. The first page of a large
 * inventory may take it minutes to prepare; a peer that dies meanwhile is noticed by TCP (http_client keeps
 * connections alive). */
#define GREETING_TIMEOUT_S 20
#define TIMEOUT_S          900
/* RetrieveServiceContent has looked the same since this version, the oldest that is served. */
#define OLDEST_MAJOR 6
#define OLDEST_MINOR 5

struct VsphereSession {
    HttpClient *greeter; /* for the one call that needs no login; the other holds the session's cookie */
    HttpClient *http;
    char *url, *user, *password;

    GMutex lock; /* what follows; held while logging in, so that one thread does */
    VsphereContent content;
    gboolean has_content;
    char *action;  /* SOAPAction header */
    char *key;     /* of this login, as vCenter names it */
    guint64 login; /* counts logins; 0: never */
    gboolean is_in;
    GError *refused; /* the user or password was; nothing more is sent */
};

static gboolean check_access(const SourceAccess *access, GError **error)
{
    g_autoptr(GUri) uri = access->url ? g_uri_parse(access->url, G_URI_FLAGS_NONE, NULL) : NULL;

    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "https") || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "url '%s' is not the address of a vCenter: it must read https://HOST/sdk",
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

VsphereSession *vsphere_session_new(const SourceAccess *access, GError **error)
{
    g_autoptr(HttpClient) greeter = NULL, http = NULL;
    VsphereSession *session;

    if (!check_access(access, error) ||
        !(greeter = http_client_new(&access->trust, GREETING_TIMEOUT_S, error)) ||
        !(http = http_client_new(&access->trust, TIMEOUT_S, error)))
        return NULL;
    session = g_new0(VsphereSession, 1);
    session->greeter = g_steal_pointer(&greeter);
    session->http = g_steal_pointer(&http);
    session->url = g_strdup(access->url);
    session->user = g_strdup(access->user);
    session->password = g_strdup(access->password);
    session->action = g_strdup_printf("urn:vim25/%d.%d", OLDEST_MAJOR, OLDEST_MINOR);
    g_mutex_init(&session->lock);
    return session;
}

/* ---- faults -------------------------------------------------------------------------------------------- */

static ErrorCode fault_code(const char *type)
{
    static const struct {
        const char *type;
        ErrorCode code;
    } rows[] = {
        {"InvalidLogin", ERROR_SOURCE_LOGIN},        {"ManagedObjectNotFound", ERROR_SOURCE_NOT_FOUND},
        {"RequestCanceled", ERROR_CANCELED},         {"NoPermission", ERROR_SOURCE_FAULT},
        {"NotAuthenticated", ERROR_SESSION_EXPIRED},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(type, rows[i].type))
            return rows[i].code;
    return ERROR_SOURCE_FAULT;
}

void vsphere_fault_error(const SoapFault *fault, const char *what, GError **error)
{
    g_autofree char *message = g_strdup(*fault->message ? fault->message : fault->type);

    g_strchomp(message);
    if (fault->subject && !strstr(message, fault->subject))
        g_set_error(error, GANTRY_ERROR, fault_code(fault->type), "%s: %s (%s: %s)", what, message,
                    fault->type, fault->subject);
    else
        g_set_error(error, GANTRY_ERROR, fault_code(fault->type), "%s: %s (%s)", what, message, fault->type);
}

/* ---- one call ------------------------------------------------------------------------------------------ */

/* Properties that are asked for without a session are no fault: they are missing, each for that reason. Such
 * an answer is short, since it has nothing else in it. */
static gboolean is_without_session(GBytes *reply)
{
    static const char reason[] = "\"NotAuthenticated\"";
    gsize size;
    const char *text = g_bytes_get_data(reply, &size);

    return text && size < SHORT_REPLY && memmem(text, size, "missingSet", strlen("missingSet")) &&
           memmem(text, size, reason, strlen(reason));
}

/* Sends an envelope as it is. A status that is no answer of vSphere becomes HTTP_UNREACHABLE. */
static GBytes *post(VsphereSession *session, HttpClient *http, GBytes *envelope, GCancellable *cancel,
                    GError **error)
{
    const char *const headers[] = {"SOAPAction", session->action, "Accept-Encoding", "identity", NULL};
    g_autoptr(HttpReply) reply =
        http_client_send(http, "POST", session->url, headers, "text/xml; charset=\"utf-8\"", envelope,
                         MOST_REPLY_SIZE, cancel, error);
    g_auto(SoapFault) fault = {0};

    if (!reply)
        return NULL;
    if (reply->status == 200 && !is_without_session(reply->body))
        return g_bytes_ref(reply->body);
    if (reply->status == 200) {
        g_set_error(error, GANTRY_ERROR, ERROR_SESSION_EXPIRED, "%s: the session has ended", session->url);
        return NULL;
    }
    if (reply->status == 500 && soap_read_fault(reply->body, &fault))
        vsphere_fault_error(&fault, session->url, error);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE,
                    "%s answered %u %s instead of a SOAP envelope", session->url, reply->status,
                    reply->reason ? reply->reason : "");
    return NULL;
}

static GBytes *post_take(VsphereSession *session, HttpClient *http, GBytes *envelope, GCancellable *cancel,
                         GError **error)
{
    g_autoptr(GBytes) sent = envelope;
    return post(session, http, sent, cancel, error);
}

/* ---- service content ----------------------------------------------------------------------------------- */

static void content_clear(VsphereContent *content)
{
    g_free(content->api_version);
    g_free(content->api_type);
    g_free(content->product);
    g_free(content->instance_uuid);
    g_free(content->root_folder);
    g_free(content->property_collector);
    g_free(content->session_manager);
    g_free(content->view_manager);
    g_free(content->authorization_manager);
    *content = (VsphereContent){0};
}

static gboolean take_content(xmlNode *element, gpointer user_data, GError **error)
{
    VsphereContent *content = user_data;
    xmlNode *about = soap_child(element, "about");

    content->api_version = soap_text(soap_child(about, "apiVersion"));
    content->api_type = soap_text(soap_child(about, "apiType"));
    content->product = soap_text(soap_child(about, "licenseProductName"));
    content->instance_uuid = soap_text(soap_child(about, "instanceUuid"));
    content->root_folder = soap_text(soap_child(element, "rootFolder"));
    content->property_collector = soap_text(soap_child(element, "propertyCollector"));
    content->session_manager = soap_text(soap_child(element, "sessionManager"));
    content->view_manager = soap_text(soap_child(element, "viewManager"));
    content->authorization_manager = soap_text(soap_child(element, "authorizationManager"));
    return FALSE;
}

static gboolean check_version(const VsphereSession *session, const VsphereContent *content, GError **error)
{
    guint major = 0, minor = 0;

    if (sscanf(content->api_version, "%u.%u", &major, &minor) < 1 ||
        (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR))) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VERSION,
                    "%s speaks vSphere API %s; %d.%d or later is needed", session->url, content->api_version,
                    OLDEST_MAJOR, OLDEST_MINOR);
        return FALSE;
    }
    return TRUE;
}

/* Greets the server, at each login anew: whether it answers, and whether it is one that we can talk to. */
static gboolean read_content(VsphereSession *session, GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"returnval", NULL};
    g_autoptr(GBytes) reply = NULL;
    VsphereContent content = {0};

    reply = post_take(session, session->greeter,
                      soap_finish(soap_call("RetrieveServiceContent", "ServiceInstance", "ServiceInstance"),
                                  "RetrieveServiceContent"),
                      cancel, error);
    if (!reply || !soap_read(reply, names, take_content, &content, error))
        return FALSE;
    if (!content.api_version || !content.session_manager || !content.property_collector ||
        !content.root_folder || !content.view_manager) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED,
                    "%s answers SOAP but is no vCenter or ESXi host", session->url);
        content_clear(&content);
        return FALSE;
    }
    if (!check_version(session, &content, error)) {
        content_clear(&content);
        return FALSE;
    }
    if (session->has_content) {
        content_clear(&content); /* others may be reading what the first greeting said */
        return TRUE;
    }
    g_free(session->action);
    session->action = g_strdup_printf("urn:vim25/%s", content.api_version);
    session->content = content;
    session->has_content = TRUE;
    return TRUE;
}

/* ---- login --------------------------------------------------------------------------------------------- */

/* A login carries no cookie of an earlier one. vCenter calls it a wrong password where that session still
 * holds, and it may: when only the answer to its login got lost, or when a call was told too early that it
 * had ended. So a refusal is always about the password, which is then never sent again. */
static gboolean send_login(VsphereSession *session, GCancellable *cancel, GError **error)
{
    GString *call = soap_call("Login", "SessionManager", session->content.session_manager);
    g_autoptr(GError) refused = NULL;
    g_autoptr(GBytes) reply = NULL;

    soap_add(call, "userName", session->user);
    soap_add(call, "password", session->password);
    http_client_forget_cookies(session->http);
    reply = post_take(session, session->http, soap_finish(call, "Login"), cancel, &refused);
    if (!reply && g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_LOGIN)) {
        g_clear_error(&refused);
        g_set_error(&refused, GANTRY_ERROR, ERROR_SOURCE_LOGIN,
                    "%s refuses the user '%s' or its password; it was tried once and is not tried again",
                    session->url, session->user);
        session->refused = g_error_copy(refused);
    }
    if (!reply) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    g_free(session->key);
    session->key = soap_read_text(reply, "key", NULL);
    return TRUE;
}

/* With the lock held. */
static gboolean log_in(VsphereSession *session, GCancellable *cancel, GError **error)
{
    if (session->refused) {
        g_propagate_error(error, g_error_copy(session->refused));
        return FALSE;
    }
    if (session->is_in)
        return TRUE;
    if (!read_content(session, cancel, error) || !send_login(session, cancel, error))
        return FALSE;
    session->is_in = TRUE;
    session->login++;
    return TRUE;
}

/* Gives the number of the login that holds now, or 0. */
static guint64 ensure_login(VsphereSession *session, GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);
    return log_in(session, cancel, error) ? session->login : 0;
}

/* Another thread may have logged in again already: then the loss that this one saw is an old one. */
static void session_lost(VsphereSession *session, guint64 login)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);
    if (session->login == login)
        session->is_in = FALSE;
}

const VsphereContent *vsphere_session_content(VsphereSession *session, GCancellable *cancel, GError **error)
{
    return ensure_login(session, cancel, error) ? &session->content : NULL;
}

char *vsphere_session_key(VsphereSession *session)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);
    return g_strdup(session->key ? session->key : "");
}

/* Where the host is "*" it is the one that we talk to; *same: it is that one anyway. */
static char *own_url(const VsphereSession *session, const char *url, gboolean *same, GError **error)
{
    g_autoptr(GUri) own = g_uri_parse(session->url, G_URI_FLAGS_NONE, NULL);
    g_autoptr(GUri) there = NULL;
    const char *path = g_str_has_prefix(url, "https://*") ? strchr(url + strlen("https://*"), '/') : NULL;

    *same = TRUE;
    if (path)
        return g_uri_join(G_URI_FLAGS_ENCODED, "https", NULL, g_uri_get_host(own), g_uri_get_port(own), path,
                          NULL, NULL);
    there = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (!there || g_strcmp0(g_uri_get_scheme(there), "https") || !g_uri_get_host(there)) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                    "the source names '%s', which is no https:// address", url);
        return NULL;
    }
    *same = !g_ascii_strcasecmp(g_uri_get_host(there), g_uri_get_host(own)) &&
            g_uri_get_port(there) == g_uri_get_port(own);
    return g_strdup(url);
}

GInputStream *vsphere_session_stream(VsphereSession *session, const char *url, const char *fingerprint,
                                     GCancellable *cancel, GError **error)
{
    gboolean same;
    g_autofree char *where = own_url(session, url, &same, error);
    g_autoptr(HttpClient) other = NULL;
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(GInputStream) stream = NULL;

    if (!where)
        return NULL;
    if (!same && fingerprint && *fingerprint) { /* a host, for which the verified peer vouches */
        HttpTrust trust = {.fingerprint = fingerprint};
        if (!(other = http_client_new(&trust, TIMEOUT_S, error)))
            return NULL;
    }
    stream = http_client_stream(other ? other : session->http, "GET", where, NULL, &reply, cancel, error);
    if (!stream)
        return NULL;
    if (reply->status == 200)
        return g_steal_pointer(&stream);
    g_set_error(error, GANTRY_ERROR, reply->status == 401 ? ERROR_SESSION_EXPIRED : ERROR_LEASE_LOST,
                "%s answered %u %s", where, reply->status, reply->reason ? reply->reason : "");
    return NULL;
}

GBytes *vsphere_call(VsphereSession *session, GBytes *envelope, GCancellable *cancel, GError **error)
{
    for (int attempt = 0;; attempt++) {
        g_autoptr(GError) failed = NULL;
        guint64 login = ensure_login(session, cancel, error);
        GBytes *reply;

        if (!login)
            return NULL;
        reply = post(session, session->http, envelope, cancel, &failed);
        if (reply)
            return reply;
        if (!g_error_matches(failed, GANTRY_ERROR, ERROR_SESSION_EXPIRED) || attempt) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return NULL;
        }
        session_lost(session, login);
    }
}

/* ---- the REST interface -------------------------------------------------------------------------------- */

/* "https://vc:8443" of "https://vc:8443/sdk". */
static char *origin(const char *url)
{
    const char *host = url + strlen("https://");
    return g_strndup(url, host + strcspn(host, "/?#") - url);
}

static char *basic_credentials(const VsphereSession *session)
{
    g_autofree char *plain = g_strdup_printf("%s:%s", session->user, session->password);
    g_autofree char *encoded = g_base64_encode((const guchar *)plain, strlen(plain));
    char *header = g_strconcat("Basic ", encoded, NULL);

    explicit_bzero(plain, strlen(plain));
    explicit_bzero(encoded, strlen(encoded));
    return header;
}

static json_t *read_value(const HttpReply *reply, const char *url, GError **error)
{
    gsize size;
    const char *text = g_bytes_get_data(reply->body, &size);
    g_autoptr(json_t) answer = NULL;

    if (reply->status != 200) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "%s answered %u", url, reply->status);
        return NULL;
    }
    answer = json_parse(text ? text : "", size, MOST_REPLY_SIZE, url, error);
    return json_incref(json_object_get(answer, "value"));
}

json_t *vsphere_rest(VsphereSession *session, const char *method, const char *path, const char *login,
                     const json_t *body, guint *status, GCancellable *cancel, GError **error)
{
    g_autofree char *start = origin(session->url), *url = g_strconcat(start, path, NULL),
                    *credentials = login ? NULL : basic_credentials(session),
                    *text = body ? json_text(body) : NULL;
    g_autoptr(GBytes) sent = text ? g_bytes_new_static(text, strlen(text)) : NULL;
    const char *const headers[] = {login ? "vmware-api-session-id" : "Authorization",
                                   login ? login : credentials,
                                   "vmware-use-header-authn",
                                   "true",
                                   "Accept",
                                   "application/json",
                                   NULL};
    g_autoptr(HttpReply) reply =
        http_client_send(session->http, method, url, headers, text ? "application/json" : NULL, sent,
                         MOST_REPLY_SIZE, cancel, error);

    if (credentials)
        explicit_bzero(credentials, strlen(credentials));
    if (status)
        *status = reply ? reply->status : 0;
    return reply ? read_value(reply, url, error) : NULL;
}

/* ---- the end ------------------------------------------------------------------------------------------- */

/* A vCenter keeps few sessions: ours is given back at once. One that does not answer is not waited for long.
 */
static void log_out(VsphereSession *session)
{
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(GBytes) reply = NULL;

    if (!session->is_in)
        return;
    reply = post_take(
        session, session->http,
        soap_finish(soap_call("Logout", "SessionManager", session->content.session_manager), "Logout"),
        cancel, NULL);
    session->is_in = FALSE;
}

void vsphere_session_free(VsphereSession *session)
{
    if (!session)
        return;
    log_out(session);
    http_client_free(session->greeter);
    http_client_free(session->http);
    content_clear(&session->content);
    g_clear_error(&session->refused);
    g_mutex_clear(&session->lock);
    explicit_bzero(session->password, strlen(session->password));
    g_free(session->password);
    g_free(session->user);
    g_free(session->url);
    g_free(session->action);
    g_free(session->key);
    g_free(session);
}

/* ---- the kind ------------------------------------------------------------------------------------------ */

static gpointer open_session(const SourceAccess *access, GError **error)
{
    return vsphere_session_new(access, error);
}

static void close_session(gpointer session)
{
    vsphere_session_free(session);
}

static json_t *about(gpointer session, GCancellable *cancel, GError **error)
{
    const VsphereContent *content = vsphere_session_content(session, cancel, error);

    if (!content)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", content->api_version, "apiType",
                     content->api_type ? content->api_type : "", "product",
                     content->product ? content->product : "", "instanceUuid",
                     content->instance_uuid ? content->instance_uuid : "");
}

static gboolean collect(gpointer session, SourceChange changed, gpointer user_data, GCancellable *cancel,
                        GError **error)
{
    return vsphere_collect(session, changed, user_data, cancel, error);
}

static json_t *missing_rights(gpointer session, const json_t *workloads, GCancellable *cancel, GError **error)
{
    return vsphere_missing_rights(session, workloads, cancel, error);
}

static json_t *host_option(gpointer session, const char *host_id, const char *key, GCancellable *cancel,
                           GError **error)
{
    return vsphere_host_option(session, host_id, key, cancel, error);
}

static gboolean check_host(gpointer session, const SourceHost *host, GCancellable *cancel, GError **error)
{
    return vsphere_check_host(session, host, cancel, error);
}

static gboolean power_state(gpointer session, const char *vm_id, PowerState *state, GCancellable *cancel,
                            GError **error)
{
    return vsphere_power_state(session, vm_id, state, cancel, error);
}

static gboolean shut_down_guest(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return vsphere_shut_down_guest(session, vm_id, cancel, error);
}

static gboolean power_off(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return vsphere_power_off(session, vm_id, cancel, error);
}

static gboolean power_on(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return vsphere_power_on(session, vm_id, cancel, error);
}

const SourceKind source_vsphere = {
    .type = "vsphere",
    .hosts_log_in = TRUE,
    .host_port = 443,
    .open = open_session,
    .close = close_session,
    .about = about,
    .collect = collect,
    .missing_rights = missing_rights,
    .check_host = check_host,
    .host_option = host_option,
    .power_state = power_state,
    .shut_down_guest = shut_down_guest,
    .power_off = power_off,
    .power_on = power_on,
    .describe = vsphere_describe,
    .disk = vsphere_disk,
    .warm = &vsphere_warm,
    .export = vsphere_export,
};
