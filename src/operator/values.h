/* values: what the ForkliftController's spec says about the installation, as texts for the templates: images,
 * resources, features, and settings that services read only at their start. All other settings are the
 * controllers' (plan/settings.h).
 *
 * Threads: any. A value that cannot be used keeps the default and is named in wrong.
 */
#pragma once
#include "base/json.h"

/* name → text, of every row; owned. spec may be NULL. wrong (of char*, may be NULL) gets "key: why". */
GHashTable *values_read(const json_t *spec, GPtrArray *wrong);

/* TRUE for a feature that is on. */
gboolean value_is_on(GHashTable *values, const char *name);
