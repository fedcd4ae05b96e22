/* vsphere_login: lets an Https into the datastores of a vCenter or ESXi host.
 *
 * Tickets of vCenter where the spec says so (copy/host_ticket.h). Else a session of the vSphere API (a
 * cookie) where there is one; HTTP Basic authentication where the API does not answer (a host with only its
 * datastore browser) or its session is not accepted there. The password is read from its file for each login
 * and forgotten after it. A password that was refused is not tried again by this process. Threads: any; one
 * logs in while the others wait. Errors: SOURCE_LOGIN, BAD_INPUT, and https.h's.
 */
#pragma once
#include "copy/https.h"
#include "copy/spec.h"

typedef struct VsphereLogin VsphereLogin;

/* url: of the API ("https://vc/sdk"). credentials: directory with user and password, or NULL: no login. */
VsphereLogin *vsphere_login_new(Https *https, const char *url, const char *credentials);
/* The same for an ESXi host that is read with vCenter's tickets: every request of https gets one. */
VsphereLogin *vsphere_login_new_ticket(Https *https, const CopySpec *spec, const char *url, GError **error);
void vsphere_login_free(VsphereLogin *login); /* logs out */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VsphereLogin, vsphere_login_free)

/* How many logins have been made; what a request was sent with, to be given to vsphere_login_renew(). */
guint vsphere_login_count(VsphereLogin *login);

/* Logs in, unless somebody has done so since count was asked for. A session that is refused at once makes
 * place for Basic authentication, and that refused is SOURCE_LOGIN. accepted: whether any request has got
 * through since the last login. */
gboolean vsphere_login_renew(VsphereLogin *login, guint count, gboolean accepted, GCancellable *cancel,
                             GError **error);

/* The reference of the peer's SessionManager, to be freed; NULL before the first login. */
char *vsphere_login_manager(VsphereLogin *login);

const char *vsphere_login_way(VsphereLogin *login); /* "session", "basic", "ticket" or "none"; static */
