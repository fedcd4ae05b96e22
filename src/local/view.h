/* view: what the local rooms see of the API: one informer per kind, shared by all of them.
 *
 * Guarantee: nobody is told of a change before every informer has listed, so a listener may read any kind. A
 * listener first hears of each object that exists, as created, then of each change, in the server's order per
 * kind. Threads: subscribe before start, from one thread; after that every function may be called from any
 * thread. Listeners run on the informers' threads and must not block for long: they add keys to work queues.
 */
#pragma once
#include "kube/informer.h"

typedef struct LocalView LocalView;

LocalView *local_view_new(KubeClient *client);
void local_view_free(LocalView *view); /* ends it first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalView, local_view_free)

/* Asks for the kind; changed may be NULL when it is only to be read. resource must outlive the view. */
void local_view_subscribe(LocalView *view, const KubeResource *resource, InformerChange changed,
                          gpointer user_data);

/* Lists everything, then tells the listeners. FALSE: cancelled first. */
gboolean local_view_start(LocalView *view, GCancellable *cancel);

/* TRUE once everything was listed: from then on, what the view does not have does not exist. Whoever acts on that (ends what is left
 * over) asks first: keys come from elsewhere, too. */
gboolean local_view_has_listed(LocalView *view);

/* No listener is called after this returns. */
void local_view_mute(LocalView *view);
/* Mutes it and waits for the informers' threads: the server may go now. What is known stays readable, and grows old. */
void local_view_end(LocalView *view);

KubeClient *local_view_client(LocalView *view); /* borrowed */

/* From memory. A kind that nobody subscribed to is a programming error. */
Object *local_view_get(LocalView *view, const KubeResource *resource, const char *ns, const char *name);
GPtrArray *local_view_list(LocalView *view, const KubeResource *resource, const char *ns,
                           const char *label_selector);

/* The work queue's name of an object: "namespace/name". */
char *local_key(const Object *object);
/* Splits it; ns and name are to be freed. */
void local_key_split(const char *key, char **ns, char **name);

/* What a work queue's function gives at its end: next. It is no error that somebody deleted the object, or a child,
 * in the meantime (it is looked at again), nor that the API refused a creation because the object's Namespace is
 * being deleted: there is nothing left to do. */
guint local_end_of_work(LocalView *view, const char *key, guint next, GError **error);

/* The controller among the object's owners ({apiVersion, kind, name, uid …}), or NULL. Borrowed. */
const json_t *local_controller_of(const Object *object);
/* The owner reference by which a child names its controller. */
json_t *local_owner_reference(const Object *owner, const KubeResource *resource, gboolean block_deletion);
