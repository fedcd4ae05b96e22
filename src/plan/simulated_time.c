/* simulated_time: who waits until when, and whether all others sleep, as Linux says it of each thread. */
#include "plan/simulated_time.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Moments are no closer together than this, and so long is what would run just now left to itself. */
enum { MOMENT_US = 5000, LOOK_US = 50 };

typedef struct {
    gint64 until;
    GCond *cond;
} Waiter;

static GMutex lock;        /* of what follows; taken last */
static GPtrArray *waiters; /* of Waiter, each on its thread's stack; NULL: time is the world's */
static guint arrivals;     /* of waiters, ever */
static gint64 now = G_USEC_PER_SEC;

gint64 __wrap_g_get_monotonic_time(void);
gint64 __real_g_get_monotonic_time(void);
void __wrap_g_usleep(gulong us);
void __real_g_usleep(gulong us);
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 until);
gboolean __real_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 until);

/* ---- does anybody run? ---- */

/* Adds how often a thread has gone to sleep; FALSE when it does not sleep now. */
static gboolean add_sleeps(const char *thread, guint64 *sleeps)
{
    g_autofree char *path = g_strdup_printf("/proc/self/task/%s/status", thread);
    char text[4096];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = file < 0 ? -1 : read(file, text, sizeof text - 1);
    const char *count;

    if (file >= 0)
        close(file);
    if (len < 0)
        return FALSE; /* it has just ended, or begins */
    text[len] = '\0';
    count = strstr(text, "\nvoluntary_ctxt_switches:");
    if (!strstr(text, "\nState:\tS") || !count)
        return FALSE;
    *sleeps += g_ascii_strtoull(strchr(count, ':') + 1, NULL, 10);
    return TRUE;
}

static gboolean all_sleep(guint64 *sleeps)
{
    g_autoptr(GDir) threads = g_dir_open("/proc/self/task", 0, NULL);
    const char *name;

    *sleeps = 0;
    while (threads && (name = g_dir_read_name(threads)))
        if (atoi(name) != gettid() && !add_sleeps(name, sleeps))
            return FALSE;
    return threads != NULL;
}

/* None has run between two looks of which each found all asleep, so in between all slept at once. */
static gboolean is_quiet(void)
{
    guint64 before, after;

    return all_sleep(&before) && all_sleep(&after) && before == after;
}

/* ---- the clock ---- */

/* The next moment that somebody waits for; 0: nobody does. */
static gint64 next_moment(void)
{
    gint64 next = 0;

    for (guint i = 0; i < waiters->len; i++) {
        const Waiter *waiter = waiters->pdata[i];
        if (!next || waiter->until < next)
            next = waiter->until;
    }
    return next;
}

static void wake_due(void)
{
    for (guint i = 0; i < waiters->len; i++) {
        const Waiter *waiter = waiters->pdata[i];
        if (waiter->until <= now)
            g_cond_broadcast(waiter->cond);
    }
}

static gpointer go_on(gpointer data)
{
    for (;;) {
        guint seen = g_atomic_int_get((gint *)&arrivals);
        gboolean quiet = is_quiet();

        if (!quiet)
            __real_g_usleep(LOOK_US);
        g_mutex_lock(&lock);
        if (quiet && waiters->len && seen == arrivals)
            now = MAX(now, next_moment());
        wake_due();
        g_mutex_unlock(&lock);
    }
    return NULL;
}

void simulated_time_begin(void)
{
    waiters = g_ptr_array_new();
    g_thread_unref(g_thread_new("clock", go_on, NULL));
}

/* ---- what the program calls ---- */

gint64 __wrap_g_get_monotonic_time(void)
{
    g_autoptr(GMutexLocker) locker = waiters ? g_mutex_locker_new(&lock) : NULL;
    return waiters ? now : __real_g_get_monotonic_time();
}

static void arrive(Waiter *waiter)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    waiter->until = (waiter->until + MOMENT_US - 1) / MOMENT_US * MOMENT_US;
    g_ptr_array_add(waiters, waiter);
    g_atomic_int_inc((gint *)&arrivals);
}

static gboolean leave(Waiter *waiter)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    g_ptr_array_remove_fast(waiters, waiter);
    return waiter->until > now;
}

/* As GLib's: it may come back early. */
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 until)
{
    Waiter waiter = {.until = until, .cond = cond};

    if (!waiters)
        return __real_g_cond_wait_until(cond, mutex, until);
    if (until <= g_get_monotonic_time())
        return FALSE;
    arrive(&waiter);
    g_cond_wait(cond, mutex);
    return leave(&waiter);
}

void __wrap_g_usleep(gulong us)
{
    GCond cond;
    GMutex mutex;
    gint64 until;

    if (!waiters) {
        __real_g_usleep(us);
        return;
    }
    until = g_get_monotonic_time() + us;
    g_cond_init(&cond);
    g_mutex_init(&mutex);
    g_mutex_lock(&mutex);
    while (g_get_monotonic_time() < until)
        g_cond_wait_until(&cond, &mutex, until);
    g_mutex_unlock(&mutex);
    g_cond_clear(&cond);
    g_mutex_clear(&mutex);
}
