/* inventory: the stocks of all providers that this process serves.
 *
 * Threads: any.
 */
#pragma once
#include "inventory/stock.h"

typedef struct Inventory Inventory;
Inventory *inventory_new(const StockOptions *options); /* copied, but what it points to must outlive it */
void inventory_free(Inventory *inventory);              /* closes every stock, keeps the databases */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inventory, inventory_free)

/* The provider's stock, opened when this is the first that is heard of it; a later version of the object replaces the
 * earlier one. A reference to drop. Errors: INVENTORY_DATABASE. */
Stock *inventory_add(Inventory *inventory, Object *provider, GError **error);
/* The provider is gone: its collector ends and its database is removed. */
void inventory_remove(Inventory *inventory, const char *uid);

Stock *inventory_stock(Inventory *inventory, const char *uid);                          /* a reference, or NULL */
Stock *inventory_stock_named(Inventory *inventory, const char *ns, const char *name);   /* likewise */
GPtrArray *inventory_stocks(Inventory *inventory); /* of Stock, in the order of namespace and name; owned */

/* Removes databases of providers that are not in uids: they went while nobody ran. */
void inventory_sweep(Inventory *inventory, GHashTable *uids);
