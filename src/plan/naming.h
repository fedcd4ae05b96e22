/* naming: the name of the target VirtualMachine.
 *
 * A source name that is a DNS-1123 label stays. Otherwise: lower case, '_' becomes '-', what is not a–z 0–9
 * or '-' goes, '-' at the ends goes, at most 63 characters, and when nothing is left "vm-" with four
 * characters of the id. The result depends on nothing but the arguments, so it is the same after a restart.
 * Threads: pure functions.
 */
#pragma once
#include "base/errors.h"

gboolean naming_is_label(const char *name);     /* a DNS-1123 label: RFC 1123, at most 63 */
gboolean naming_is_subdomain(const char *name); /* labels with '.' between them, at most 253 */

char *naming_normal(const char *source_name, const char *vm_id);

typedef gboolean (*NamingTaken)(const char *name, gpointer user_data);

/* The name to use: targetName as it is when given; else the normal form, with "-" and four characters of the
 * id when it was we who changed it and it is taken. NULL with NAME_TAKEN when the name may not be changed and
 * is taken, BAD_INPUT for a target_name that is no DNS-1123 label. */
char *naming_target(const char *source_name, const char *vm_id, const char *target_name, NamingTaken taken,
                    gpointer user_data, GError **error);
