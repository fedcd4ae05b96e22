/* node: runs this machine as the node of a cluster whose API is another program, until it is told to stop. */
#include "local/node.h"
#include "cmd/commands.h"
#include "cmd/service.h"
#include <malloc.h>
#include <stdio.h>

typedef struct {
    char *data, *kubeconfig, *pods;
} NodeOptions;

static void node_options_clear(NodeOptions *options)
{
    g_free(options->data);
    g_free(options->kubeconfig);
    g_free(options->pods);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NodeOptions, node_options_clear)

static gboolean parse(NodeOptions *options, int *argc, char ***argv, GError **error)
{
    GOptionEntry entries[] = {
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &options->data,
         "Where disks, Pods and virtual machines are kept (made when it is not there)", "DIR"},
        {"kubeconfig", 0, 0, G_OPTION_ARG_FILENAME, &options->kubeconfig,
         "Of an administrator of the cluster", "FILE"},
        {"pods", 0, 0, G_OPTION_ARG_STRING, &options->pods,
         "The addresses of Pods, all of them this machine's own (10.97.0.0/16)", "A.B.0.0/16"},
        {0},
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- be the node of a cluster whose API is another program");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (!options->pods)
        options->pods = g_strdup("10.97.0.0/16");
    if (*argc > 1 || !options->data || !options->kubeconfig) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s",
                    *argc > 1 ? "only options are taken" : "--data DIR and --kubeconfig FILE are needed");
        return FALSE;
    }
    return TRUE;
}

static int fail(const GError *error, int code)
{
    fprintf(stderr, "gantry node: %s. %s\n", error->message, error_remedy(error));
    return code;
}

int cmd_node(int argc, char **argv)
{
    g_auto(NodeOptions) options = {0};
    g_autoptr(GError) error = NULL;

    if (!parse(&options, &argc, &argv, &error))
        return fail(error, 2);
    mallopt(M_ARENA_MAX, 2); /* many threads, little memory each */
    const LocalNodeOptions node_options = {options.data, options.kubeconfig, options.pods};
    GCancellable *told = service_told_to_stop();
    g_autoptr(LocalNode) node = local_node_start(&node_options, told, &error);
    if (!node)
        return g_cancellable_is_cancelled(told) ? 0 : fail(error, 1);
    printf("gantry: node localhost of %s is ready\n", local_node_server(node));
    fflush(stdout);
    service_wait();
    return 0;
}
