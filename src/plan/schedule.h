/* schedule: what each source host carries in all plans of this process, so that none is asked for more than
 * it can.
 *
 * A VM's cost is its number of disks (each importer reads its host through a few connections). A VM that
 * costs more than the limit starts on an idle host only. The table is rebuilt from the plans' statuses at
 * start, with schedule_hold().
 * Threads: any.
 */
#pragma once
#include "base/errors.h"

/* key names the VM: "<plan uid>/<vm id>". TRUE: it holds its share, from before or from now on. FALSE: *why
 * says what it waits for; to be freed. */
gboolean schedule_take(const char *provider_uid, const char *host, const char *key, guint cost, guint limit,
                       char **why);

void schedule_hold(const char *provider_uid, const char *host, const char *key,
                   guint cost); /* whatever the limit */
void schedule_release(const char *key);
guint schedule_load(const char *provider_uid, const char *host);
