/* provider: the reconciler of Providers: looks after their connections and says in their status how those stand.
 *
 * It runs in the inventory process, because it is there that the connections are: a Provider's collector is opened, replaced when
 * the Provider or its Secret changes, and closed when the Provider goes. One login is tried per version of the Secret: after a
 * refusal nothing is sent until the Secret or the Provider changes.
 * Threads: it has its own; providers_wake() may be called from any.
 */
#pragma once
#include "inventory/inventory.h"

typedef struct Providers Providers;

/* Made before the inventory, whose stocks wake it, and freed after it. */
Providers *providers_new(KubeClient *kube);
void providers_free(Providers *providers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Providers, providers_free)

/* Works into this inventory (borrowed) until providers_stop(), which waits for running passes. Databases of Providers that are no
 * more are removed once all Providers have been listed. */
void providers_serve(Providers *providers, Inventory *inventory);
void providers_stop(Providers *providers);
/* The stock's state has changed: a StockChanged. */
void providers_wake(Stock *stock, gpointer providers);
