/* server: the web console: the bundle, sign-in, the event stream, and the two proxies that pages use.
 *
 *   GET  any page or asset            the bundle
 *   POST /login {"token": "…"}        tries the token, sets the session's cookie       POST /logout
 *   GET  /login/ways                  {"oauth": whether the cluster has an OAuth server to sign in at}
 *   GET  /login/oauth                 sends the browser there; it comes back to /login/oauth/callback with a code,
 *                                     gets the session's cookie and goes on to "/", or to "/?sign-in=denied" or
 *                                     "/?sign-in=failed": console/oauth.h
 *   GET  /session                     who is signed in, or 204                         GET /healthz
 *   GET  /events                      text/event-stream: console/feed.h
 *   POST /events/view                 {viewer, plan, and what console/rows.h says}: which page of a plan's VMs is
 *                                     told from now on; nothing is when the viewer's stream has ended
 *   POST /check-connection           whether a provider could be used: console/connection.h
 *   any  /cluster-api/…               the Kubernetes API, with the session's token: console/rights.h
 *   GET  /inventory-api/…             the inventory service, with the session's token
 *   any  /must-gather-api/…           the must-gather API, with the session's token: console/gather.h
 *   GET  /get-certificate?url=URL     the certificate that a host shows, for "Verify certificate"
 * Whatever changes something must carry the header X-Gantry-Console, which no other site's page can send, and
 * come from this origin. Errors are Kubernetes Status documents.
 */
#pragma once
#include "console/assets.h"
#include "console/oauth.h"
#include "console/session.h"

typedef struct ConsoleServer ConsoleServer;

typedef struct {
    const char *listen, *cert_pem, *key_pem; /* as in net/http_server.h */
    SessionPeers peers;                      /* strings are copied */
    const char *must_gather;                 /* the must-gather API; its CA is the inventory's */
    OAuthOptions oauth;                      /* client NULL: only tokens sign in */
    Assets *assets;                          /* taken, also on failure */
} ConsoleOptions;

ConsoleServer *console_server_start(const ConsoleOptions *options, GError **error);
guint console_server_port(const ConsoleServer *server);
void console_server_stop(ConsoleServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConsoleServer, console_server_stop)
