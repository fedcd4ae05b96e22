/* feed: what a signed-in person's browsers are told, as it changes: one event stream for each open page.
 *
 * Guarantee: a new viewer gets every object, then "synced", then what changes. It is level-triggered: an
 * object is looked up when it is sent, changes within a fifth of a second become one message, and nobody gets
 * a state that is older than one they had. A viewer that reads too slowly is cut off (its browser connects
 * again).
 *
 * Messages (text/event-stream, JSON data):
 *   hello      {namespace, viewer}              the stream begins: forget what you had when "synced" comes
 *   upsert     an object's digest               remove     {kind, name}
 *   rows       {plan, rows, reset, found, offset}  VMs that changed of the page that is looked at; reset: these are
 *                                               all of it; found: how many pass the view's filter
 *   synced     {}                               all that there is was sent
 *   trouble    {kind, reason, message}          a kind cannot be read (reason "": it can again)
 *   signedout  {}                               the token counts no more; the stream ends
 *   beat       {}                               every ten seconds, so that a dead connection is noticed
 *
 * Threads: any. A feed has one thread of its own and one for each kind, until nobody has looked for a minute.
 */
#pragma once
#include "console/rows.h"
#include "kube/client.h"
#include "net/http_server.h"

typedef struct Feed Feed;

/* signed_out is called once, on the feed's thread, when the API server refuses the token; it must not free
 * the feed. */
Feed *feed_new(KubeClient *client, const char *ns, void (*signed_out)(gpointer user_data),
               gpointer user_data);
void feed_free(Feed *feed); /* ends the streams */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Feed, feed_free)

void feed_add_viewer(Feed *feed, HttpStream *stream); /* takes the stream */

/* What the viewer that "hello" named looks at from now on: a page of a plan's VMs; plan NULL: none. view is taken.
 * Nothing is done when its stream has ended: the page notices that by itself, and its next one asks anew. */
void feed_change_view(Feed *feed, const char *viewer, const char *plan, RowsView *view);
