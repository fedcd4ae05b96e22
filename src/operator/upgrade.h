/* upgrade: from which version to which one may go: to the same minor version or the next, never back.
 *
 * Threads: any.
 */
#pragma once
#include "base/errors.h"

/* installed and wanted: "2.3.100"; installed "" (nothing of ours is installed) is always right. FALSE with
 * BAD_INPUT, which names the next version that is allowed. */
gboolean upgrade_allowed(const char *installed, const char *wanted, GError **error);
