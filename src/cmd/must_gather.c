/* gantry must-gather: logs and objects of migrations in one archive; /usr/bin/gather and /usr/bin/targeted of
 * the image. */
#include "cmd/commands.h"
#include "gather/gather.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>

typedef struct {
    char *ns, *plan, *vm, *output, *kubeconfig;
    gboolean targeted;
} Options;

static void options_clear(Options *options)
{
    g_free(options->ns);
    g_free(options->plan);
    g_free(options->vm);
    g_free(options->output);
    g_free(options->kubeconfig);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean run(const Options *options, GError **error)
{
    GatherOptions wanted = {.filter = {options->ns, options->plan, options->vm}, .path = options->output};
    g_autofree char *folder = g_path_get_dirname(options->output);
    g_autoptr(KubeClient) client = NULL;
    GStatBuf found;
    guint files;

    if (options->targeted && gather_filter_is_empty(&wanted.filter)) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, "none of NS, PLAN and VM is given");
        return FALSE;
    }
    client = options->kubeconfig ? kube_client_new_kubeconfig(options->kubeconfig, error)
                                 : kube_client_new_default(error);
    if (!client)
        return FALSE;
    if (g_mkdir_with_parents(folder, 0755)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "make directory %s: %s", folder, g_strerror(errno));
        return FALSE;
    }
    if (!gather(client, &wanted, &files, NULL, error))
        return FALSE;
    if (g_stat(options->output, &found)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "look at %s: %s", options->output, g_strerror(errno));
        return FALSE;
    }
    printf("%s: %u files, %" G_GINT64_FORMAT " bytes\n", options->output, files, (gint64)found.st_size);
    return TRUE;
}

int cmd_must_gather(int argc, char **argv)
{
    g_auto(Options) options = {0};
    const GOptionEntry entries[] = {
        {"namespace", 'n', 0, G_OPTION_ARG_STRING, &options.ns,
         "Only plans in, or migrating into, this namespace ($NS)", "NS"},
        {"plan", 0, 0, G_OPTION_ARG_STRING, &options.plan, "Only this plan ($PLAN)", "NAME"},
        {"vm", 0, 0, G_OPTION_ARG_STRING, &options.vm, "Only this VM, by its id or name ($VM)", "VM"},
        {"targeted", 0, 0, G_OPTION_ARG_NONE, &options.targeted, "Refuse to gather everything", NULL},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "The archive (must-gather.tar.gz)",
         "FILE"},
        {"kubeconfig", 0, 0, G_OPTION_ARG_FILENAME, &options.kubeconfig,
         "How to reach the cluster ($KUBECONFIG)", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(
        context, "Puts logs and objects of migrations into one archive. Secrets are never in it, and "
                 "credentials are taken out of\nlogs. Without a filter it holds everything of Gantry's.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "gantry must-gather: %s; see gantry must-gather --help\n",
                error ? error->message : "it takes options only");
        return 2;
    }
    if (!options.ns)
        options.ns = g_strdup(g_getenv("NS"));
    if (!options.plan)
        options.plan = g_strdup(g_getenv("PLAN"));
    if (!options.vm)
        options.vm = g_strdup(g_getenv("VM"));
    if (!options.output)
        options.output = g_strdup("must-gather.tar.gz");
    if (!run(&options, &error)) {
        fprintf(stderr, "gantry must-gather: %s. %s\n", error->message, error_remedy(error));
        return 1;
    }
    return 0;
}
