/* patch: the three ways in which Kubernetes clients change a part of an object.
 *
 * Merge patch is RFC 7386, JSON patch RFC 6902. Strategic merge follows
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md with the
 * merge keys of the kinds we serve ($patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList included).
 * Results are new documents; the inputs are not changed.
 * Limits: 10,000 operations of a JSON patch, 500,000 values copied by them.
 * Threads: any. Errors: KUBE_BAD_PATCH, with the path.
 */
#pragma once
#include "base/json.h"

json_t *patch_merge(const json_t *document, const json_t *patch, GError **error);
json_t *patch_json(const json_t *document, const json_t *operations, GError **error);
json_t *patch_strategic(const json_t *document, const json_t *patch, GError **error);
