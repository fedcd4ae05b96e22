/* quantity: amounts as Kubernetes writes them: "128Mi", "1500M", "0.5Gi", "2e9".
 *
 * Follows https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/. Threads: any.
 */
#pragma once
#include "base/errors.h"

/* Bytes, rounded up to a whole one. FALSE with BAD_INPUT: not a quantity, negative, or more than 2^63 - 1. */
gboolean quantity_parse(const char *text, guint64 *bytes, GError **error);
