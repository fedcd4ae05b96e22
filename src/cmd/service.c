/* service: environment and signals. */
#include "cmd/service.h"
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

const char *service_setting(const char *name, const char *absent)
{
    const char *value = g_getenv(name);
    return value && *value ? value : absent;
}

gboolean service_read_file(const char *name, char **text, GError **error)
{
    const char *path = service_setting(name, NULL);

    if (!path || g_file_get_contents(path, text, NULL, error))
        return TRUE;
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

static gboolean stop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

void service_run_until_told(void)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    g_unix_signal_add(SIGTERM, stop, loop);
    g_unix_signal_add(SIGINT, stop, loop);
    g_main_loop_run(loop);
}

static gboolean cancel(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_CONTINUE;
}

/* Signals arrive on a loop of their own, for as long as the process lives. */
static gpointer watch_signals(gpointer cancellable)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    g_autoptr(GMainContext) context = g_main_context_new();

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(GSource) source = g_unix_signal_source_new(numbers[i]);
        g_source_set_callback(source, cancel, cancellable, NULL);
        g_source_attach(source, context);
    }
    for (;;)
        g_main_context_iteration(context, TRUE);
    return NULL;
}

GCancellable *service_told_to_stop(void)
{
    static GCancellable *told;

    if (g_once_init_enter(&told)) {
        GCancellable *made = g_cancellable_new();
        g_thread_unref(g_thread_new("signals", watch_signals, made));
        g_once_init_leave(&told, made);
    }
    return told;
}

void service_wait_or(GCancellable *other)
{
    GCancellable *told = service_told_to_stop();
    GPollFD fds[2];
    gboolean both;

    if (!g_cancellable_make_pollfd(told, &fds[0]))
        return;
    both = g_cancellable_make_pollfd(other, &fds[1]);
    while (!g_cancellable_is_cancelled(told) && !g_cancellable_is_cancelled(other))
        g_poll(fds, both ? 2 : 1, -1);
    g_cancellable_release_fd(told);
    if (both)
        g_cancellable_release_fd(other);
}

void service_wait(void)
{
    service_wait_or(NULL);
}

static gint leaving; /* atomic */

static void end_at_once(gpointer user_data)
{
    if (!g_atomic_int_get(&leaving))
        _exit(1);
}

void service_leaves(void)
{
    g_atomic_int_set(&leaving, TRUE);
}

Lease *service_lead(KubeClient *kube, const char *name, GCancellable *cancel, GError **error)
{
    const LeaseOptions options = {
        .ns = service_setting("POD_NAMESPACE", "openshift-mtv"), .name = name, .lost = end_at_once};
    return lease_take(kube, &options, cancel, error);
}
