/* progress: a Plan's migration as it goes, drawn on a terminal or told line by line, and the report at its end.
 *
 * Threads: the main one; standard output is written to.
 */
#pragma once
#include "kube/client.h"

/* Shows the plan once, or with follow until it has ended. *last is the plan as it was seen last. */
gboolean progress_show(KubeClient *client, const char *ns, const char *name, gboolean follow, Object **last, GError **error);

/* The plan's table, then per disk what was read, written and proved. */
void progress_print_report(const Object *plan);
