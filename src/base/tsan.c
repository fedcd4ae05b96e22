/* tsan: shows GLib's locks and queues to ThreadSanitizer, in builds with it only.
 *
 * GLib locks with futexes of its own, which the sanitizer does not see, so that it would report everything
 * they protect. The functions here take the place of GLib's in our calls, do what those do, and say what
 * happened before what.
 */
#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

/* What libraries do among themselves is not ours to judge, and not visible enough to. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}

/* The next function of this name in the order of libraries: GLib's. */
#define GLIB(name)                                                                                           \
    ({                                                                                                       \
        static typeof(&name) function;                                                                       \
        if (!__atomic_load_n(&function, __ATOMIC_ACQUIRE))                                                   \
            __atomic_store_n(&function, (typeof(&name))dlsym(RTLD_NEXT, #name), __ATOMIC_RELEASE);           \
        function;                                                                                            \
    })

/* ---- locks ---- */

#define TAKES(name, type)                                                                                    \
    void name(type *lock)                                                                                    \
    {                                                                                                        \
        GLIB(name)(lock);                                                                                    \
        __tsan_acquire(lock);                                                                                \
    }
#define GIVES(name, type)                                                                                    \
    void name(type *lock)                                                                                    \
    {                                                                                                        \
        __tsan_release(lock);                                                                                \
        GLIB(name)(lock);                                                                                    \
    }

TAKES(g_mutex_lock, GMutex)
GIVES(g_mutex_unlock, GMutex)
TAKES(g_rec_mutex_lock, GRecMutex)
GIVES(g_rec_mutex_unlock, GRecMutex)
TAKES(g_rw_lock_reader_lock, GRWLock)
GIVES(g_rw_lock_reader_unlock, GRWLock)
TAKES(g_rw_lock_writer_lock, GRWLock)
GIVES(g_rw_lock_writer_unlock, GRWLock)

gboolean g_mutex_trylock(GMutex *mutex)
{
    gboolean locked = GLIB(g_mutex_trylock)(mutex);
    if (locked)
        __tsan_acquire(mutex);
    return locked;
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    GLIB(g_cond_wait)(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    gboolean signalled;

    __tsan_release(mutex);
    signalled = GLIB(g_cond_wait_until)(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}

/* ---- queues ---- */

void g_async_queue_push(GAsyncQueue *queue, gpointer item)
{
    __tsan_release(queue);
    GLIB(g_async_queue_push)(queue, item);
}

gpointer g_async_queue_pop(GAsyncQueue *queue)
{
    gpointer item = GLIB(g_async_queue_pop)(queue);
    __tsan_acquire(queue);
    return item;
}

gpointer g_async_queue_try_pop(GAsyncQueue *queue)
{
    gpointer item = GLIB(g_async_queue_try_pop)(queue);
    __tsan_acquire(queue);
    return item;
}

gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout)
{
    gpointer item = GLIB(g_async_queue_timeout_pop)(queue, timeout);
    __tsan_acquire(queue);
    return item;
}

/* ---- calls in other threads ---- */

/* One gate for everything that is handed over: coarse, but enough for what happens before the call to be seen
 * in it. */
static char gate;

typedef struct {
    GFunc work;
    GSourceFunc dispatch;
    gpointer user_data;
    GDestroyNotify destroy;
} Call;

static void run_work(gpointer data, gpointer user_data)
{
    Call *call = user_data;

    __tsan_acquire(&gate);
    call->work(data, call->user_data);
    __tsan_release(&gate);
}

GThreadPool *g_thread_pool_new(GFunc func, gpointer user_data, gint max_threads, gboolean exclusive,
                               GError **error)
{
    Call *call = g_new0(Call, 1); /* as long as the pool: which is for ever as far as anybody tells us */

    call->work = func;
    call->user_data = user_data;
    __tsan_release(&gate);
    return GLIB(g_thread_pool_new)(run_work, call, max_threads, exclusive, error);
}

gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
    __tsan_release(&gate);
    return GLIB(g_thread_pool_push)(pool, data, error);
}

void g_thread_pool_free(GThreadPool *pool, gboolean immediate, gboolean wait)
{
    GLIB(g_thread_pool_free)(pool, immediate, wait);
    __tsan_acquire(&gate);
}

static gboolean run_dispatch(gpointer user_data)
{
    Call *call = user_data;

    __tsan_acquire(&gate);
    return call->dispatch(call->user_data);
}

static void run_destroy(gpointer user_data)
{
    Call *call = user_data;

    if (call->destroy)
        call->destroy(call->user_data);
    g_free(call);
}

/* Only for plain functions; those of sockets and children have other arguments and stay as they are. */
void g_source_set_callback(GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
    Call *call;

    if (source->source_funcs != &g_idle_funcs && source->source_funcs != &g_timeout_funcs) {
        GLIB(g_source_set_callback)(source, func, data, notify);
        return;
    }
    call = g_new0(Call, 1);
    call->dispatch = func;
    call->user_data = data;
    call->destroy = notify;
    __tsan_release(&gate);
    GLIB(g_source_set_callback)(source, run_dispatch, call, run_destroy);
}
