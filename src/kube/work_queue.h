/* work_queue: keys to reconcile, each held once, worked on by a fixed number of threads.
 *
 * Guarantee: one key is never worked on by two threads at a time; a key added while it is worked on runs once more
 * afterwards. A failed key comes back after an exponential wait.
 * Threads: any.
 */
#pragma once
#include "base/errors.h"

typedef struct WorkQueue WorkQueue;

/* key is "namespace/name". Gives the milliseconds after which to look again: 0 = not before the next event. On error set
 * error (the queue logs it with the queue's name and retries with backoff) and return anything. */
typedef guint (*WorkQueueRun)(const char *key, gpointer user_data, GCancellable *cancel, GError **error);

WorkQueue *work_queue_new(const char *name, guint threads, WorkQueueRun run, gpointer user_data);
void       work_queue_free(WorkQueue *queue); /* cancels the running ones and waits for them */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorkQueue, work_queue_free)

void work_queue_add(WorkQueue *queue, const char *key);
void work_queue_add_after(WorkQueue *queue, const char *key, guint ms);
