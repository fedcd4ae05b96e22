/* work_queue: keys that are ready in order, keys that wait for their time sorted by it, and threads that take
 * them. */
#include "kube/work_queue.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/log.h"

#define FIRST_RETRY_MS 500
#define MOST_RETRY_MS  30000

/* What is known of one key; forgotten when it has nothing to do and did not fail. */
typedef struct {
    char *key;
    gboolean ready;          /* it is in the ready queue */
    gboolean running, again; /* a thread works on it; it was added meanwhile */
    GSequenceIter *waiting;  /* its place among the waiting, or NULL */
    gint64 due;              /* monotonic microseconds, while it waits */
    guint failures;          /* in a row */
} Entry;

struct WorkQueue {
    char *name;
    WorkQueueRun run;
    gpointer user_data;
    GCancellable *cancel;
    GPtrArray *threads; /* of GThread */

    GMutex lock;
    GCond changed;
    gboolean stopping;
    GHashTable *entries; /* key → Entry */
    GQueue ready;        /* of Entry */
    GSequence *waiting;  /* of Entry, by due */
};

static void entry_free(Entry *entry)
{
    g_free(entry->key);
    g_free(entry);
}

static gint by_due(gconstpointer a, gconstpointer b, gpointer data)
{
    gint64 first = ((const Entry *)a)->due, second = ((const Entry *)b)->due;
    return first < second ? -1 : first > second;
}

/* ---- with the lock held ---- */

static Entry *entry_of(WorkQueue *queue, const char *key)
{
    Entry *entry = g_hash_table_lookup(queue->entries, key);

    if (entry)
        return entry;
    entry = g_new0(Entry, 1);
    entry->key = g_strdup(key);
    g_hash_table_insert(queue->entries, entry->key, entry);
    return entry;
}

static void stop_waiting(Entry *entry)
{
    if (entry->waiting)
        g_sequence_remove(entry->waiting);
    entry->waiting = NULL;
}

static void make_ready(WorkQueue *queue, Entry *entry)
{
    stop_waiting(entry);
    if (entry->running) {
        entry->again = TRUE;
    } else if (!entry->ready) {
        entry->ready = TRUE;
        g_queue_push_tail(&queue->ready, entry);
        g_cond_signal(&queue->changed);
    }
}

static void make_wait(WorkQueue *queue, Entry *entry, guint ms)
{
    gint64 due = g_get_monotonic_time() + (gint64)ms * 1000;

    if (entry->ready || entry->again || (entry->waiting && entry->due <= due))
        return;
    stop_waiting(entry);
    entry->due = due;
    entry->waiting = g_sequence_insert_sorted(queue->waiting, entry, by_due, NULL);
    g_cond_signal(&queue->changed);
}

/* Moves to ready whatever is due; gives the time of the next, or 0 when none waits. */
static gint64 ripen(WorkQueue *queue)
{
    gint64 now = g_get_monotonic_time();

    for (;;) {
        GSequenceIter *first = g_sequence_get_begin_iter(queue->waiting);
        Entry *entry;
        if (g_sequence_iter_is_end(first))
            return 0;
        entry = g_sequence_get(first);
        if (entry->due > now)
            return entry->due;
        make_ready(queue, entry);
    }
}

/* The next key to work on; waits for it. NULL: the queue stops. */
static Entry *take(WorkQueue *queue)
{
    while (!queue->stopping) {
        gint64 next = ripen(queue);
        Entry *entry = g_queue_pop_head(&queue->ready);
        if (entry) {
            entry->ready = FALSE;
            entry->running = TRUE;
            if (next) /* somebody else has to look at the clock: those who wait may do so without an end */
                g_cond_signal(&queue->changed);
            return entry;
        }
        if (next)
            g_cond_wait_until(&queue->changed, &queue->lock, next);
        else
            g_cond_wait(&queue->changed, &queue->lock);
    }
    return NULL;
}

static void done(WorkQueue *queue, Entry *entry, guint again_ms, const GError *error)
{
    gboolean again = entry->again;

    entry->running = entry->again = FALSE;
    if (error)
        again_ms = backoff_ms(entry->failures++, FIRST_RETRY_MS, MOST_RETRY_MS);
    else
        entry->failures = 0;
    if (again)
        make_ready(queue, entry);
    else if (again_ms)
        make_wait(queue, entry, again_ms);
    if (!entry->ready && !entry->waiting && !entry->failures)
        g_hash_table_remove(queue->entries, entry->key);
}

/* ---- threads ---- */

/* A conflict only means that somebody was faster, and a canceled run that the queue stops. */
static void report(const WorkQueue *queue, const char *key, const GError *error)
{
    if (g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT) ||
        g_error_matches(error, GANTRY_ERROR, ERROR_CANCELED))
        log_debug("work is tried again", "queue", queue->name, "name", key, "error", error->message, NULL);
    else
        log_warn("work failed and is tried again", "queue", queue->name, "name", key, "error", error->message,
                 NULL);
}

static gpointer work(gpointer data)
{
    WorkQueue *queue = data;
    Entry *entry;

    g_mutex_lock(&queue->lock);
    while ((entry = take(queue))) {
        g_autoptr(GError) error = NULL;
        g_autofree char *key = g_strdup(entry->key);
        guint again_ms;

        g_mutex_unlock(&queue->lock);
        again_ms = queue->run(key, queue->user_data, queue->cancel, &error);
        if (error)
            report(queue, key, error);
        g_mutex_lock(&queue->lock);
        done(queue, entry, again_ms, error);
    }
    g_mutex_unlock(&queue->lock);
    return NULL;
}

/* For `gantry debug queues`: how much is to be done, and what fails. */
static void describe(GString *answer, gpointer user_data)
{
    WorkQueue *queue = user_data;
    guint running = 0;
    GHashTableIter iter;
    gpointer value;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&queue->lock);

    g_hash_table_iter_init(&iter, queue->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        running += ((Entry *)value)->running;
    g_string_append_printf(answer, "queue %s: %u ready, %u running, %d waiting, %u threads\n", queue->name,
                           g_queue_get_length(&queue->ready), running, g_sequence_get_length(queue->waiting),
                           queue->threads->len);
    g_hash_table_iter_init(&iter, queue->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((Entry *)value)->failures)
            g_string_append_printf(answer, "  %s has failed %u times in a row\n", ((Entry *)value)->key,
                                   ((Entry *)value)->failures);
}

WorkQueue *work_queue_new(const char *name, guint threads, WorkQueueRun run, gpointer user_data)
{
    WorkQueue *queue = g_new0(WorkQueue, 1);

    queue->name = g_strdup(name);
    queue->run = run;
    queue->user_data = user_data;
    queue->cancel = g_cancellable_new();
    queue->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)entry_free);
    queue->waiting = g_sequence_new(NULL);
    queue->threads = g_ptr_array_new();
    g_mutex_init(&queue->lock);
    g_cond_init(&queue->changed);
    for (guint i = 0; i < threads; i++)
        g_ptr_array_add(queue->threads, g_thread_new(name, work, queue));
    control_add("queues", describe, queue);
    return queue;
}

void work_queue_free(WorkQueue *queue)
{
    control_remove(describe, queue);
    g_mutex_lock(&queue->lock);
    queue->stopping = TRUE;
    g_cond_broadcast(&queue->changed);
    g_mutex_unlock(&queue->lock);
    g_cancellable_cancel(queue->cancel);
    for (guint i = 0; i < queue->threads->len; i++)
        g_thread_join(queue->threads->pdata[i]);
    g_ptr_array_unref(queue->threads);
    g_queue_clear(&queue->ready);
    g_sequence_free(queue->waiting);
    g_hash_table_unref(queue->entries);
    g_object_unref(queue->cancel);
    g_mutex_clear(&queue->lock);
    g_cond_clear(&queue->changed);
    g_free(queue->name);
    g_free(queue);
}

void work_queue_add(WorkQueue *queue, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&queue->lock);
    make_ready(queue, entry_of(queue, key));
}

void work_queue_add_after(WorkQueue *queue, const char *key, guint ms)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&queue->lock);
    make_wait(queue, entry_of(queue, key), ms);
}
