/* up: runs the local cluster in the foreground until it is told to stop. */
#include "base/log.h"
#include "cmd/commands.h"
#include "local/cluster.h"
#include <glib-unix.h>
#include <malloc.h>
#include <stdio.h>

enum { READY_SECONDS = 240 };

typedef struct {
    char *data, *listen;
    gboolean bare;
} UpOptions;

static void up_options_clear(UpOptions *options)
{
    g_free(options->data);
    g_free(options->listen);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UpOptions, up_options_clear)

static gboolean parse(UpOptions *options, int *argc, char ***argv, GError **error)
{
    GOptionEntry entries[] = {
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &options->data,
         "Where everything is kept (made when it is not there)", "DIR"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &options->listen,
         "Address and port of the Kubernetes API (127.0.0.1:6443)", "ADDR:PORT"},
        {"bare", 0, 0, G_OPTION_ARG_NONE, &options->bare, "A cluster without Gantry's own services", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- run the local cluster");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (!options->listen)
        options->listen = g_strdup("127.0.0.1:6443");
    if (*argc > 1 || !options->data) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s",
                    *argc > 1 ? "only options are taken" : "--data DIR is needed");
        return FALSE;
    }
    return TRUE;
}

static int fail(const GError *error, int code)
{
    fprintf(stderr, "gantry up: %s. %s\n", error->message, error_remedy(error));
    return code;
}

/* Starting takes seconds and is done beside the loop, so that a signal can stop it. */
typedef struct {
    LocalClusterOptions options;
    LocalCluster *cluster;
    GCancellable *cancel;
    GMainLoop *loop;
    GError *error;
    gboolean started; /* of the loop's thread */
} Up;

static void print_ready(const Up *up)
{
    const ApiServer *api = local_cluster_api(up->cluster);
    const char *host = local_cluster_host(up->cluster);
    guint port = apiserver_port(api);

    printf("gantry: ready, API %s", apiserver_url(api));
    if (!up->options.bare)
        printf(", console https://%s:%u, inventory https://%s:%u, validation https://%s:%u, must-gather "
               "https://%s:%u",
               host, port + 1, host, port + 2, host, port + 3, host, port + 4);
    printf(", kubeconfig %s\n", apiserver_kubeconfig(api));
    fflush(stdout);
}

static gboolean on_started(gpointer user_data)
{
    Up *up = user_data;

    up->started = TRUE;
    if (up->error || g_cancellable_is_cancelled(up->cancel))
        g_main_loop_quit(up->loop);
    else
        print_ready(up);
    malloc_trim(0);
    return G_SOURCE_REMOVE;
}

static gpointer start(gpointer user_data)
{
    Up *up = user_data;

    up->cluster = local_cluster_start(&up->options, up->cancel, &up->error);
    if (up->cluster && !up->options.bare)
        local_cluster_wait(up->cluster, READY_SECONDS, up->cancel, &up->error);
    g_idle_add(on_started, up);
    return NULL;
}

static gboolean on_signal(gpointer user_data)
{
    Up *up = user_data;

    g_cancellable_cancel(up->cancel);
    if (up->started)
        g_main_loop_quit(up->loop);
    return G_SOURCE_CONTINUE;
}

int cmd_up(int argc, char **argv)
{
    g_auto(UpOptions) options = {0};
    g_autoptr(GError) error = NULL;
    Up up = {0};
    int code = 0;

    if (!parse(&options, &argc, &argv, &error))
        return fail(error, 2);
    mallopt(M_ARENA_MAX, 2); /* many threads, little memory each */
    up.options = (LocalClusterOptions){options.data, options.listen, options.bare};
    up.cancel = g_cancellable_new();
    up.loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_signal, &up);
    g_unix_signal_add(SIGINT, on_signal, &up);

    GThread *thread = g_thread_new("start", start, &up);
    g_main_loop_run(up.loop);
    g_thread_join(thread);
    if (up.error && !g_cancellable_is_cancelled(up.cancel))
        code = fail(up.error, 1);
    g_clear_pointer(&up.cluster, local_cluster_stop);
    g_clear_error(&up.error);
    g_object_unref(up.cancel);
    g_main_loop_unref(up.loop);
    return code;
}
