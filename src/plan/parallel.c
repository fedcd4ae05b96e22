/* parallel: a pool that lives as long as the call. */
#include "plan/parallel.h"

void parallel_each(GPtrArray *items, guint threads, ParallelWork work, gpointer user_data)
{
    GThreadPool *pool = g_thread_pool_new(work, user_data, threads, FALSE, NULL);

    for (guint i = 0; i < items->len; i++)
        g_thread_pool_push(pool, items->pdata[i], NULL);
    g_thread_pool_free(pool, FALSE, TRUE);
}
