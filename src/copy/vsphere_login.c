/* vsphere_login: SessionManager.Login and its cookie; Basic where that does not help. */
#include "copy/vsphere_login.h"
#include "copy/credentials.h"
#include "copy/host_ticket.h"
#include "net/soap.h"
#include <string.h>

typedef enum { WAY_NONE, WAY_SESSION, WAY_BASIC, WAY_TICKET } Way;
static const char *const way_names[] = {"none", "session", "basic", "ticket"};

struct VsphereLogin {
    Https *https;
    char *url, *credentials;
    HostTickets *tickets; /* NULL: with the peer's own user and password */
    GMutex lock;
    Way way; /* from here on under lock */
    guint count;
    char *manager;   /* the SessionManager's reference */
    GError *refused; /* SOURCE_LOGIN: final */
};

VsphereLogin *vsphere_login_new(Https *https, const char *url, const char *credentials)
{
    VsphereLogin *login = g_new0(VsphereLogin, 1);
    login->https = https;
    login->url = g_strdup(url);
    login->credentials = g_strdup(credentials);
    g_mutex_init(&login->lock);
    return login;
}

VsphereLogin *vsphere_login_new_ticket(Https *https, const CopySpec *spec, const char *url, GError **error)
{
    HostTickets *tickets = host_tickets_new(spec, error);
    VsphereLogin *login;

    if (!tickets)
        return NULL;
    login = vsphere_login_new(https, url, NULL);
    login->tickets = tickets;
    https_set_ticket(https, host_tickets_header, tickets);
    return login;
}

static GBytes *call(VsphereLogin *login, GBytes *body, HttpsReply *reply, GCancellable *cancel,
                    GError **error)
{
    const HttpsDocument document = {
        .method = "POST", .soap_action = "urn:vim25/6.0", .body = body, .limit = 1024 * 1024};
    return https_exchange(login->https, login->url, &document, reply, cancel, error);
}

void vsphere_login_free(VsphereLogin *login)
{
    if (!login)
        return;
    if (login->way == WAY_SESSION && login->manager) {
        HttpsReply reply;
        g_autoptr(GBytes) body = soap_finish(soap_call("Logout", "SessionManager", login->manager), "Logout");
        g_autoptr(GBytes) answer = call(login, body, &reply, NULL, NULL);
    }
    host_tickets_free(login->tickets);
    g_mutex_clear(&login->lock);
    g_clear_error(&login->refused);
    g_free(login->manager);
    g_free(login->url);
    g_free(login->credentials);
    g_free(login);
}

static gboolean refuse(VsphereLogin *login, const char *why, GError **error)
{
    login->refused =
        g_error_new(GANTRY_ERROR, ERROR_SOURCE_LOGIN, "%s refuses the login: %s", login->url, why);
    g_propagate_error(error, g_error_copy(login->refused));
    return FALSE;
}

/* A ticket that is refused may have been too old; the first that is refused shows that the host takes none.
 */
static gboolean expect_ticket(VsphereLogin *login, gboolean accepted, GError **error)
{
    if (login->way == WAY_TICKET && !accepted) {
        login->refused = g_error_new(GANTRY_ERROR, ERROR_HOST_TICKET,
                                     "%s does not accept the ticket that vCenter gave", login->url);
        g_propagate_error(error, g_error_copy(login->refused));
        return FALSE;
    }
    login->way = WAY_TICKET;
    login->count++;
    return TRUE;
}

/* FALSE without an error: this peer has no vSphere API. */
static gboolean find_manager(VsphereLogin *login, GCancellable *cancel, GError **error)
{
    g_autoptr(GBytes) body = soap_finish(
        soap_call("RetrieveServiceContent", "ServiceInstance", "ServiceInstance"), "RetrieveServiceContent");
    HttpsReply reply;
    g_autoptr(GBytes) answer = NULL;

    if (login->manager)
        return TRUE;
    if (!(answer = call(login, body, &reply, cancel, error)))
        return FALSE;
    login->manager = reply.status == 200 ? soap_read_text(answer, "sessionManager", NULL) : NULL;
    return login->manager != NULL;
}

static void use_session(VsphereLogin *login, const char *cookie)
{
    char *header = g_strconcat("Cookie: ", cookie, NULL);
    https_set_credential(login->https, header);
    secret_free(header);
    login->way = WAY_SESSION;
    login->count++;
}

static gboolean open_session(VsphereLogin *login, const Credentials *credentials, GCancellable *cancel,
                             GError **error)
{
    GString *text = soap_call("Login", "SessionManager", login->manager);
    g_autoptr(GBytes) body = NULL, answer = NULL;
    g_auto(SoapFault) fault = {0};
    HttpsReply reply;

    soap_add(text, "userName", credentials->user);
    soap_add(text, "password", credentials->password);
    body = soap_finish(text, "Login");
    https_set_credential(login->https, NULL);
    answer = call(login, body, &reply, cancel, error);
    explicit_bzero((gpointer)g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    if (!answer)
        return FALSE;
    if (soap_read_fault(answer, &fault)) {
        if (!g_strcmp0(fault.type, "InvalidLogin") || !g_strcmp0(fault.type, "NoPermission"))
            return refuse(login, fault.message && *fault.message ? fault.message : fault.type, error);
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "login: %s",
                    fault.message ? fault.message : "a fault");
        return FALSE;
    }
    if (reply.status != 200 || !*reply.cookie) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "login: the source answered with status %u%s",
                    reply.status, reply.status == 200 ? ", but gave no session" : "");
        return FALSE;
    }
    use_session(login, reply.cookie);
    explicit_bzero(reply.cookie, sizeof reply.cookie);
    return TRUE;
}

static void use_basic(VsphereLogin *login, const Credentials *credentials)
{
    char *pair = g_strconcat(credentials->user, ":", credentials->password, NULL);
    char *encoded = g_base64_encode((const guchar *)pair, strlen(pair));
    char *header = g_strconcat("Authorization: Basic ", encoded, NULL);

    https_set_credential(login->https, header);
    login->way = WAY_BASIC;
    login->count++;
    secret_free(pair);
    secret_free(encoded);
    secret_free(header);
}

static gboolean log_in(VsphereLogin *login, gboolean accepted, GCancellable *cancel, GError **error)
{
    g_autoptr(Credentials) credentials = NULL;
    GError *broken = NULL;

    if (login->tickets)
        return expect_ticket(login, accepted, error);
    if (!login->credentials)
        return refuse(login, "it asks for a user and a password, and none were given", error);
    if (login->way == WAY_BASIC && !accepted)
        return refuse(login, "user or password are wrong", error);
    if (!(credentials = credentials_read(login->credentials, error)))
        return FALSE;
    if (login->way == WAY_SESSION &&
        !accepted) { /* the API knows the session, the datastore browser does not */
        use_basic(login, credentials);
        return TRUE;
    }
    if (login->way != WAY_BASIC && find_manager(login, cancel, &broken))
        return open_session(login, credentials, cancel, error);
    if (broken) {
        g_propagate_error(error, broken);
        return FALSE;
    }
    use_basic(login, credentials);
    return TRUE;
}

gboolean vsphere_login_renew(VsphereLogin *login, guint count, gboolean accepted, GCancellable *cancel,
                             GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&login->lock);

    if (login->refused) {
        g_propagate_error(error, g_error_copy(login->refused));
        return FALSE;
    }
    return login->count != count || log_in(login, accepted, cancel, error);
}

guint vsphere_login_count(VsphereLogin *login)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&login->lock);
    return login->count;
}

char *vsphere_login_manager(VsphereLogin *login)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&login->lock);
    return g_strdup(login->manager);
}

const char *vsphere_login_way(VsphereLogin *login)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&login->lock);
    return way_names[login->way];
}
