/* controllers: the reconcilers that run in `gantry controller`, one per kind, and what wakes them.
 *
 * Each reconciler reads its object and what it refers to, says its conditions, acts, writes its status.
 * Informers only wake them: what a reconciler decides on it reads anew. (The Provider's reconciler runs in
 * `gantry inventory`: controller/provider.c.)
 * Threads: reconcilers run on their work queues' threads; a Controllers is read-only to them.
 */
#pragma once
#include "inventory/client.h"
#include "kube/informer.h"
#include "kube/work_queue.h"
#include "plan/crew.h"

typedef struct Controllers Controllers;

typedef struct {
    KubeClient *kube;
    InventoryClient *inventory;
    const char *image;  /* for migration Pods; NULL: $GANTRY_IMAGE, else this version's */
    const Object *home; /* the Namespace that Gantry is installed in; NULL: in none */
} ControllerOptions;    /* borrowed until controllers_free() */

/* Lists everything once, cleans up what no plan owns any more, then starts to work. NULL when cancelled
 * first. */
Controllers *controllers_start(const ControllerOptions *options, GCancellable *cancel, GError **error);
void controllers_free(Controllers *controllers); /* ends running passes and waits for them */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Controllers, controllers_free)

/* ---- for the reconcilers ---- */

KubeClient *controllers_kube(const Controllers *controllers);
InventoryClient *controllers_inventory(const Controllers *controllers);
Crew *controllers_crew(const Controllers *controllers);
const char *controllers_image(const Controllers *controllers);
const Object *controllers_home(const Controllers *controllers); /* may be NULL */
/* Of Object, owned: the Migrations that name the plan of this key, as the informer has them. */
GPtrArray *controllers_migrations_of(const Controllers *controllers, const char *key);
GPtrArray *controllers_plans(const Controllers *controllers);      /* of Object, owned */
GPtrArray *controllers_migrations(const Controllers *controllers); /* the same */

/* WorkQueueRun functions; user_data is the Controllers. */
guint network_map_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error);
guint storage_map_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error);
guint host_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error);
guint hook_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error);
guint plan_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error);
guint migration_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error);
guint forklift_controller_reconcile(const char *key, gpointer controllers, GCancellable *cancel,
                                    GError **error);

/* Milliseconds after which a reconciler looks again. */
enum { AGAIN_NOW = 1, AGAIN_RUNNING = 1000, AGAIN_SOON = 3000, AGAIN_LATER = 30000 };
