/* host_ticket: AcquireGenericServiceTicket, once per request. */
#include "copy/host_ticket.h"
#include "copy/vsphere_login.h"
#include "net/soap.h"
#include <string.h>

#define REPLY_LIMIT (64 * 1024)

enum { TRIES = 2 }; /* the second with a new session */

struct HostTickets {
    Https *https; /* to vCenter */
    VsphereLogin *login;
    char *url;
    gint accepted; /* atomic: a ticket was given since the last login */
};

HostTickets *host_tickets_new(const CopySpec *spec, GError **error)
{
    const json_t *trust = json_at(spec->source, "ticket.trust");
    const char *url = copy_spec_source_text(spec, "ticket.url", 2048, error);
    const HttpTrust verified = {.ca_pem = json_string_at(trust, "ca", NULL),
                                .fingerprint = json_string_at(trust, "fingerprint", NULL),
                                .insecure = json_bool_at(trust, "insecure", FALSE)};
    g_autoptr(Https) https = url ? https_new(&verified, error) : NULL;
    HostTickets *tickets;

    if (!https)
        return NULL;
    tickets = g_new0(HostTickets, 1);
    tickets->url = g_strdup(url);
    tickets->login = vsphere_login_new(https, url, spec->credentials);
    tickets->https = g_steal_pointer(&https);
    return tickets;
}

void host_tickets_free(HostTickets *tickets)
{
    if (!tickets)
        return;
    vsphere_login_free(tickets->login);
    https_free(tickets->https);
    g_free(tickets->url);
    g_free(tickets);
}

/* "GET" → "httpGet" */
static char *method_name(const char *method)
{
    g_autofree char *rest = g_ascii_strdown(method + 1, -1);
    return g_strdup_printf("http%c%s", *method, rest);
}

static GBytes *question(HostTickets *tickets, const char *method, const char *url)
{
    g_autofree char *manager = vsphere_login_manager(tickets->login), *name = method_name(method);
    GString *call =
        soap_call("AcquireGenericServiceTicket", "SessionManager", manager ? manager : "SessionManager");

    soap_open_typed(call, "spec", "SessionManagerHttpServiceRequestSpec");
    soap_add(call, "method", name);
    soap_add(call, "url", url);
    soap_close(call, "spec");
    return soap_finish(call, "AcquireGenericServiceTicket");
}

/* A lost session is SESSION_EXPIRED. */
static void set_fault(const HostTickets *tickets, const SoapFault *fault, GError **error)
{
    const char *says = fault->message && *fault->message ? fault->message : fault->type;
    int code = !g_strcmp0(fault->type, "NotAuthenticated") ? ERROR_SESSION_EXPIRED
               : !g_strcmp0(fault->type, "NoPermission")   ? ERROR_SOURCE_FORBIDDEN
                                                           : ERROR_SOURCE_READ;

    g_set_error(error, GANTRY_ERROR, code, "%s gives no ticket for the host: %s%s%s", tickets->url, says,
                fault->subject ? ": " : "", fault->subject ? fault->subject : "");
}

static char *ask(HostTickets *tickets, const char *method, const char *url, GCancellable *cancel,
                 GError **error)
{
    g_autoptr(GBytes) body = question(tickets, method, url), answer = NULL;
    const HttpsDocument document = {
        .method = "POST", .soap_action = "urn:vim25/6.0", .body = body, .limit = REPLY_LIMIT};
    g_auto(SoapFault) fault = {0};
    HttpsReply reply;

    answer = https_exchange(tickets->https, tickets->url, &document, &reply, cancel, error);
    if (!answer)
        return NULL;
    if (soap_read_fault(answer, &fault)) {
        set_fault(tickets, &fault, error);
        return NULL;
    }
    return soap_read_text(answer, "id", error);
}

static gboolean log_in(HostTickets *tickets, guint count, GCancellable *cancel, GError **error)
{
    gboolean accepted = g_atomic_int_exchange(&tickets->accepted, FALSE);
    return vsphere_login_renew(tickets->login, count, accepted, cancel, error);
}

char *host_tickets_header(const char *method, const char *url, gpointer user_data, GCancellable *cancel,
                          GError **error)
{
    HostTickets *tickets = user_data;

    for (guint try = 0;; try++) {
        g_autoptr(GError) failed = NULL;
        guint count = vsphere_login_count(tickets->login);
        g_autofree char *id = NULL;

        if (!count && !log_in(tickets, count, cancel, error))
            return NULL;
        count = vsphere_login_count(tickets->login);
        id = ask(tickets, method, url, cancel, &failed);
        if (id) {
            g_atomic_int_set(&tickets->accepted, TRUE);
            return g_strconcat("Cookie: vmware_cgi_ticket=", id, NULL);
        }
        if (try + 1 == TRIES || !g_error_matches(failed, GANTRY_ERROR, ERROR_SESSION_EXPIRED)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return NULL;
        }
        if (!log_in(tickets, count, cancel, error))
            return NULL;
    }
}
