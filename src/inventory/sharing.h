/* sharing: disks that more than one VM holds.
 *
 * A VM's own configuration need not say that a disk of it is shared: what counts is that another VM has the same file. So the files
 * of all VMs are noted in the database, and when the last but one VM takes or gives up a file, the other's document changes too.
 * Guarantee: a disk is "shared" when the VM says so or when another VM of the provider holds its file.
 * Threads: the stock's writer. Errors: INVENTORY_DATABASE.
 */
#pragma once
#include "inventory/document.h"

/* Sets "shared" of the items of model's "disks", notes their files, and appends to others the ids of VMs whose answer may be another
 * now. Needs database_begin(). */
gboolean sharing_put(Database *database, const char *vm, json_t *model, GPtrArray *others, GError **error);
/* The VM goes. */
gboolean sharing_delete(Database *database, const char *vm, GPtrArray *others, GError **error);
/* Brings one of those others up to date. */
gboolean sharing_refresh(Database *database, const ProviderType *type, const char *vm, DatabaseChanged changed,
                         gpointer user_data, GError **error);
