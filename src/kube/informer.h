/* informer: a complete local copy of all objects of one kind.
 *
 * Guarantee: readers see whole objects, never half an update, in the server's order. When the watch breaks the copy is
 * stale, not wrong; informer_synced() is FALSE until the server was reached again. A watch goes on where it ended; a 410 Gone
 * lists anew, and what vanished meanwhile is reported as deleted. An object whose resourceVersion did not change is not
 * reported. metadata.managedFields is left out.
 * Threads: one thread of its own talks to the server; every function here may be called from any thread; the callback
 * runs on the informer's thread and must not block for long.
 */
#pragma once
#include "kube/client.h"

typedef struct Informer Informer;

/* Called for each change after it is visible to readers; NULL before = created, NULL after = deleted. */
typedef void (*InformerChange)(Object *before, Object *after, gpointer user_data);

/* Starts at once. ns NULL: all namespaces. label_selector may be NULL. changed may be NULL. resource must outlive it. */
Informer *informer_new(KubeClient *client, const KubeResource *resource, const char *ns, const char *label_selector,
                       InformerChange changed, gpointer user_data);
/* Ends its watch and waits for its thread; no change is told after this. What it knows stays readable. */
void      informer_end(Informer *informer);
void      informer_free(Informer *informer); /* ends it first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Informer, informer_free)

gboolean   informer_synced(Informer *informer);
gboolean   informer_wait_synced(Informer *informer, GCancellable *cancel); /* FALSE: cancelled first */
Object    *informer_get(Informer *informer, const char *ns, const char *name); /* a reference to drop, or NULL */
/* By namespace and name, of Object, owned; never NULL. A selector that cannot be parsed matches nothing. */
GPtrArray *informer_list(Informer *informer, const char *label_selector);
