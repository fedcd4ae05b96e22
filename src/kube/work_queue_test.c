/* work_queue: each key once, never twice at a time, and again when it has to be. */
#include "kube/work_queue.h"
#include <string.h>

/* What the runs below see and do. */
typedef struct {
    GMutex lock;
    GCond changed;
    guint runs, running, most_running, fail_first;
    gboolean hold; /* runs wait until it is FALSE */
    GHashTable *at_work;
    gboolean overlapped;
    guint again_ms;
} Bench;

static void bench_init(Bench *bench)
{
    memset(bench, 0, sizeof *bench);
    g_mutex_init(&bench->lock);
    g_cond_init(&bench->changed);
    bench->at_work = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void bench_clear(Bench *bench)
{
    g_hash_table_unref(bench->at_work);
    g_mutex_clear(&bench->lock);
    g_cond_clear(&bench->changed);
}

static guint run(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    Bench *bench = data;
    guint again_ms;

    g_mutex_lock(&bench->lock);
    bench->overlapped |= g_hash_table_contains(bench->at_work, key);
    g_hash_table_add(bench->at_work, g_strdup(key));
    bench->runs++;
    bench->running++;
    bench->most_running = MAX(bench->most_running, bench->running);
    g_cond_broadcast(&bench->changed);
    while (bench->hold && !g_cancellable_is_cancelled(cancel))
        g_cond_wait_until(&bench->changed, &bench->lock, g_get_monotonic_time() + 10000);
    bench->running--;
    g_hash_table_remove(bench->at_work, key);
    if (bench->fail_first > 0 && bench->fail_first--)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT, "not yet");
    again_ms = bench->again_ms;
    bench->again_ms = 0;
    g_cond_broadcast(&bench->changed);
    g_mutex_unlock(&bench->lock);
    return again_ms;
}

static void wait_for_runs(Bench *bench, guint runs)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    g_mutex_lock(&bench->lock);
    while (bench->runs < runs)
        g_assert_true(g_cond_wait_until(&bench->changed, &bench->lock, deadline));
    g_mutex_unlock(&bench->lock);
}

static void set_hold(Bench *bench, gboolean hold)
{
    g_mutex_lock(&bench->lock);
    bench->hold = hold;
    g_cond_broadcast(&bench->changed);
    g_mutex_unlock(&bench->lock);
}

static void a_key_added_while_it_runs_runs_once_more(void)
{
    Bench bench;
    bench_init(&bench);
    bench.hold = TRUE;
    g_autoptr(WorkQueue) queue = work_queue_new("test", 4, run, &bench);

    work_queue_add(queue, "a/b");
    wait_for_runs(&bench, 1);
    for (int i = 0; i < 5; i++)
        work_queue_add(queue, "a/b");
    set_hold(&bench, FALSE);
    wait_for_runs(&bench, 2);
    g_usleep(50000);
    g_clear_pointer(&queue, work_queue_free);
    g_assert_cmpuint(bench.runs, ==, 2);
    g_assert_false(bench.overlapped);
    bench_clear(&bench);
}

static void different_keys_run_side_by_side(void)
{
    Bench bench;
    bench_init(&bench);
    bench.hold = TRUE;
    g_autoptr(WorkQueue) queue = work_queue_new("test", 3, run, &bench);

    work_queue_add(queue, "a/1");
    work_queue_add(queue, "a/2");
    work_queue_add(queue, "a/3");
    work_queue_add(queue, "a/4");
    wait_for_runs(&bench, 3);
    set_hold(&bench, FALSE);
    wait_for_runs(&bench, 4);
    g_clear_pointer(&queue, work_queue_free);
    g_assert_cmpuint(bench.most_running, ==, 3);
    bench_clear(&bench);
}

static void a_failed_key_comes_back(void)
{
    Bench bench;
    bench_init(&bench);
    bench.fail_first = 1;
    g_autoptr(WorkQueue) queue = work_queue_new("test", 1, run, &bench);

    work_queue_add(queue, "a/b");
    wait_for_runs(&bench, 2);
    g_clear_pointer(&queue, work_queue_free);
    bench_clear(&bench);
}

static void a_key_waits_for_its_time_unless_an_event_comes(void)
{
    Bench bench;
    bench_init(&bench);
    g_autoptr(WorkQueue) queue = work_queue_new("test", 1, run, &bench);
    gint64 begun = g_get_monotonic_time();

    work_queue_add_after(queue, "a/b", 100);
    work_queue_add_after(queue, "a/b", 60000); /* later than what is arranged already */
    wait_for_runs(&bench, 1);
    g_assert_cmpint(g_get_monotonic_time() - begun, >=, 100000);
    work_queue_add_after(queue, "a/b", 60000);
    work_queue_add(queue, "a/b");
    wait_for_runs(&bench, 2);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 50 * G_USEC_PER_SEC);
    g_clear_pointer(&queue, work_queue_free);
    bench_clear(&bench);
}

static void a_run_may_ask_to_come_again(void)
{
    Bench bench;
    bench_init(&bench);
    bench.again_ms = 10;
    g_autoptr(WorkQueue) queue = work_queue_new("test", 1, run, &bench);

    work_queue_add(queue, "a/b");
    wait_for_runs(&bench, 2);
    g_clear_pointer(&queue, work_queue_free);
    bench_clear(&bench);
}

static void ending_cancels_what_runs_and_forgets_what_waits(void)
{
    Bench bench;
    bench_init(&bench);
    bench.hold = TRUE;
    g_autoptr(WorkQueue) queue = work_queue_new("test", 1, run, &bench);

    work_queue_add(queue, "a/1");
    work_queue_add(queue, "a/2");
    work_queue_add_after(queue, "a/3", 1);
    wait_for_runs(&bench, 1);
    g_clear_pointer(&queue, work_queue_free);
    g_assert_cmpuint(bench.runs, ==, 1);
    bench_clear(&bench);
}

static void many_keys_are_each_worked_on_by_one_thread_at_a_time(void)
{
    Bench bench;
    bench_init(&bench);
    g_autoptr(WorkQueue) queue = work_queue_new("test", 8, run, &bench);

    for (int i = 0; i < 2000; i++) {
        g_autofree char *key = g_strdup_printf("ns/%d", i % 20);
        work_queue_add(queue, key);
    }
    wait_for_runs(&bench, 20);
    g_clear_pointer(&queue, work_queue_free);
    g_assert_false(bench.overlapped);
    bench_clear(&bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/kube/work_queue/" name, function)
    TEST("a key added while it runs runs once more", a_key_added_while_it_runs_runs_once_more);
    TEST("different keys run side by side", different_keys_run_side_by_side);
    TEST("a failed key comes back", a_failed_key_comes_back);
    TEST("a key waits for its time unless an event comes", a_key_waits_for_its_time_unless_an_event_comes);
    TEST("a run may ask to come again", a_run_may_ask_to_come_again);
    TEST("ending cancels what runs and forgets what waits", ending_cancels_what_runs_and_forgets_what_waits);
    TEST("many keys are each worked on by one thread at a time",
         many_keys_are_each_worked_on_by_one_thread_at_a_time);
    return g_test_run();
}
