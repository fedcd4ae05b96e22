/* host_ticket: lets requests to an ESXi host through by tickets of its vCenter, so that nobody needs the
 * host's password.
 *
 * SessionManager.AcquireGenericServiceTicket gives a credential for one request of one URL, good once and for
 * a short while (vSphere Web Services API, SessionManager; SDK Programming Guide, "HTTP access to vSphere
 * server files"). So every request to the host, each try anew, is preceded by a small call to vCenter; there
 * is nothing to renew on the host's side, and a copy of any length goes on as long as vCenter lets the
 * account in. The session with vCenter is opened at the first ticket, again when it was lost, and closed at
 * the end. Threads: any. Errors: vsphere_login.h's, SOURCE_FORBIDDEN (the account may not read the
 * datastore), SOURCE_READ.
 */
#pragma once
#include "copy/spec.h"

typedef struct HostTickets HostTickets;

/* From the spec's source.ticket; BAD_INPUT when a member is missing or wrong. */
HostTickets *host_tickets_new(const CopySpec *spec, GError **error);
void host_tickets_free(HostTickets *tickets); /* logs out of vCenter */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostTickets, host_tickets_free)

/* The header for one request ("Cookie: …"); an HttpsTicket. */
char *host_tickets_header(const char *method, const char *url, gpointer tickets, GCancellable *cancel,
                          GError **error);
