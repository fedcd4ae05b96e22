/* ticket: whether an ESXi host lets us read its files, by its own user and password or by a ticket of its
 * vCenter. */
#include "source/vsphere/vsphere.h"
#include <string.h>

#define REPLY_LIMIT (1024 * 1024)

enum { TIMEOUT_S = 10 };

char *vsphere_host_url(const char *address, const char *path)
{
    gboolean is_v6 = strchr(address, ':') && g_hostname_is_ip_address(address);
    return g_strdup_printf(is_v6 ? "https://[%s]%s" : "https://%s%s", address, path);
}

/* A host's certificate bears its name, not the addresses of its migration networks, and its CA is vCenter's
 * own: what vouches for it is the fingerprint that the verified vCenter has of it. */
static gboolean trust_of(const SourceHost *host, HttpTrust *trust, GError **error)
{
    *trust = (HttpTrust){.fingerprint = host->fingerprint, .insecure = host->insecure};
    if (host->insecure || (host->fingerprint && *host->fingerprint))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE,
                "the source knows no certificate fingerprint of the host, so %s cannot be verified",
                host->address);
    return FALSE;
}

/* ---- with its own user --------------------------------------------------------------------------------- */

static gboolean log_in(const SourceHost *host, const HttpTrust *trust, GCancellable *cancel, GError **error)
{
    g_autofree char *url = vsphere_host_url(host->address, "/sdk");
    const SourceAccess access = {
        .type = "vsphere", .url = url, .user = host->user, .password = host->password, .trust = *trust};
    g_autoptr(VsphereSession) session = vsphere_session_new(&access, error);

    return session && vsphere_session_content(session, cancel, error);
}

/* ---- with a ticket ------------------------------------------------------------------------------------- */

static char *acquire(VsphereSession *vcenter, const char *url, GCancellable *cancel, GError **error)
{
    const VsphereContent *content = vsphere_session_content(vcenter, cancel, error);
    g_autoptr(GBytes) envelope = NULL, reply = NULL;
    GString *call;

    if (!content)
        return NULL;
    call = soap_call("AcquireGenericServiceTicket", "SessionManager", content->session_manager);
    soap_open_typed(call, "spec", "SessionManagerHttpServiceRequestSpec");
    soap_add(call, "method", "httpGet");
    soap_add(call, "url", url);
    soap_close(call, "spec");
    envelope = soap_finish(call, "AcquireGenericServiceTicket");
    reply = vsphere_call(vcenter, envelope, cancel, error);
    return reply ? soap_read_text(reply, "id", error) : NULL;
}

/* The list of its datastores is the smallest thing that a host shows only to whom it lets in. */
static gboolean show_ticket(VsphereSession *vcenter, const SourceHost *host, const HttpTrust *trust,
                            GCancellable *cancel, GError **error)
{
    g_autofree char *url = vsphere_host_url(host->address, "/folder?dcPath=ha-datacenter"), *cookie = NULL;
    g_autofree char *ticket = acquire(vcenter, url, cancel, error);
    g_autoptr(HttpClient) client = ticket ? http_client_new(trust, TIMEOUT_S, error) : NULL;
    g_autoptr(HttpReply) reply = NULL;

    if (!client)
        return FALSE;
    cookie = g_strdup_printf("vmware_cgi_ticket=%s", ticket);
    reply = http_client_send(client, "GET", url, (const char *const[]){"Cookie", cookie, NULL}, NULL, NULL,
                             REPLY_LIMIT, cancel, error);
    if (!reply || reply->status == 200)
        return reply != NULL;
    if (reply->status == 401 || reply->status == 403)
        g_set_error(error, GANTRY_ERROR, ERROR_HOST_TICKET,
                    "%s does not accept the ticket that vCenter gave (status %u)", host->address,
                    reply->status);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "%s answered with status %u %s", url,
                    reply->status, reply->reason ? reply->reason : "");
    return FALSE;
}

gboolean vsphere_check_host(VsphereSession *vcenter, const SourceHost *host, GCancellable *cancel,
                            GError **error)
{
    HttpTrust trust;

    if (!trust_of(host, &trust, error))
        return FALSE;
    return host->user ? log_in(host, &trust, cancel, error)
                      : show_ticket(vcenter, host, &trust, cancel, error);
}
