/* share: where the files lie that come with the program (deploy/, policies/, the console's bundle).
 *
 * Looked for in this order: $GANTRY_SHARE, DIR/../share/gantry and DIR/.. of the running program's DIR
 * (installed, or build/ in the source tree), and the source tree that it was built from.
 */
#pragma once
#include "base/errors.h"

/* The path of the first of the names (NULL-terminated: "ui", "ui/dist") that exists below one of those
 * places, to be freed with g_free(). NULL with IO: the message lists where it was looked for. */
char *share_find(GError **error, const char *name, ...) G_GNUC_NULL_TERMINATED;
