/* service: environment and signals. */
#include "cmd/service.h"
#include <glib-unix.h>
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

static void end_at_once(gpointer user_data)
{
    _exit(1);
}

Lease *service_lead(KubeClient *kube, const char *name, GCancellable *cancel, GError **error)
{
    const LeaseOptions options = {
        .ns = service_setting("POD_NAMESPACE", "openshift-mtv"), .name = name, .lost = end_at_once};
    return lease_take(kube, &options, cancel, error);
}
