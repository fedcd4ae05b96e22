/* vm_list: which VMs a plan has, read from a text: one name a line, or a table of comma-separated values (RFC 4180).
 *
 * A table begins with its heading: name or id (one of them at least), and if wanted targetName. Elsewhere a line is a VM's name or id;
 * empty lines and those that begin with # are left out.
 * Limits: 1 MiB, 10,000 VMs, 256 bytes a field. Threads: pure function. Errors: BAD_INPUT, with line and column.
 */
#pragma once
#include "base/json.h"

/* what names the text in errors. An array of {name | id, targetName?}: the plan's spec.vms; a new reference. */
json_t *vm_list_parse(const char *text, gsize size, const char *what, GError **error);
