/* up: runs the local cluster in the foreground until it is told to stop. */
#include "cmd/commands.h"
#include "local/apiserver/apiserver.h"
#include <glib-unix.h>
#include <malloc.h>
#include <stdio.h>

typedef struct {
    char *data, *listen;
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

static gboolean on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static int fail(const GError *error, int code)
{
    fprintf(stderr, "gantry up: %s. %s\n", error->message, error_remedy(error));
    return code;
}

int cmd_up(int argc, char **argv)
{
    g_auto(UpOptions) options = {0};
    g_autoptr(ApiServer) server = NULL;
    g_autoptr(GMainLoop) loop = NULL;
    g_autoptr(GError) error = NULL;
    ApiServerOptions api = {0};

    if (!parse(&options, &argc, &argv, &error))
        return fail(error, 2);
    mallopt(M_ARENA_MAX, 2); /* many threads, little memory each */
    api.data = options.data;
    api.listen = options.listen;
    if (!(server = apiserver_start(&api, &error)))
        return fail(error, 1);
    printf("gantry: ready, API %s, kubeconfig %s\n", apiserver_url(server), apiserver_kubeconfig(server));
    fflush(stdout);

    loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_unix_signal_add(SIGINT, on_signal, loop);
    g_main_loop_run(loop);
    return 0;
}
