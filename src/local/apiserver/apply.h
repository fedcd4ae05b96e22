/* apply: server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/): each applier
 * owns the fields that it sent last; those that it sends no more are removed, those that another applier owns
 * are a conflict.
 *
 * Only appliers own fields here; other writers never conflict with them. Ownership is kept in
 * metadata.managedFields.
 */
#pragma once
#include "local/apiserver/server.h"

/* The object as it is to be, with managedFields renewed. before NULL: it does not exist yet. KUBE_CONFLICT
 * with causes in the request when another manager owns a field with another value and force is not set. */
json_t *apply_config(Request *request, const Record *before, const json_t *config, const char *manager,
                     gboolean force, GError **error);
