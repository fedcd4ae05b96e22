/* parallel: the same work on many items, by several threads.
 *
 * Threads: returns when all is done; work() is called from threads of its own.
 */
#pragma once
#include <glib.h>

typedef void (*ParallelWork)(gpointer item, gpointer user_data);
void parallel_each(GPtrArray *items, guint threads, ParallelWork work, gpointer user_data);
