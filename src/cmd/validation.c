/* validation: runs the validation service (Deployment forklift-validation). */
#include "base/log.h"
#include "base/share.h"
#include "cmd/commands.h"
#include "policy/service.h"
#include <glib-unix.h>
#include <stdio.h>

typedef struct {
    char *policies, *extra, *listen, *cert_file, *key_file;
} Options;

static void options_clear(Options *options)
{
    g_free(options->policies);
    g_free(options->extra);
    g_free(options->listen);
    g_free(options->cert_file);
    g_free(options->key_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean stop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static gboolean serve(const Options *options, GError **error)
{
    const char *directories[] = {options->policies, options->extra, NULL};
    g_autofree char *cert = NULL, *key = NULL;
    g_autoptr(Rules) rules = rules_load(directories, FALSE, error);

    if (!rules || (options->cert_file && !g_file_get_contents(options->cert_file, &cert, NULL, error)) ||
        (options->key_file && !g_file_get_contents(options->key_file, &key, NULL, error)))
        return FALSE;
    g_autoptr(HttpServer) server = validation_service_start(rules, options->listen, cert, key, error);
    if (!server)
        return FALSE;
    g_autofree char *count = g_strdup_printf("%u", rules_count(rules));
    g_autofree char *port = g_strdup_printf("%u", http_server_port(server));
    log_info("validation service ready", "files", count, "rules", rules_hash(rules), "port", port, NULL);

    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, stop, loop);
    g_unix_signal_add(SIGINT, stop, loop);
    g_main_loop_run(loop);
    return TRUE;
}

int cmd_validation(int argc, char **argv)
{
    g_auto(Options) options = {0};
    const GOptionEntry entries[] = {
        {"policies", 0, 0, G_OPTION_ARG_FILENAME, &options.policies,
         "Rules in *.rego files (those that come along)", "DIR"},
        {"extra", 0, 0, G_OPTION_ARG_FILENAME, &options.extra, "Custom rules; may be absent", "DIR"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &options.listen, "Where to serve ($POD_IP:8181)", "ADDR:PORT"},
        {"tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &options.cert_file,
         "Certificate (PEM); without it plain HTTP is served", "FILE"},
        {"tls-key", 0, 0, G_OPTION_ARG_FILENAME, &options.key_file, "Its key (PEM)", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- judge VMs by Rego rules, as Open Policy Agent's data API");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "gantry validation: %s; see gantry validation --help\n",
                error ? error->message : "it takes options only");
        return 2;
    }
    if (!options.policies)
        options.policies = share_find(&error, "policies", NULL);
    if (!options.listen) {
        const char *pod_ip = g_getenv("POD_IP");
        options.listen = g_strdup_printf("%s:8181", pod_ip ? pod_ip : "127.0.0.1");
    }
    if (!options.policies || !serve(&options, &error)) {
        fprintf(stderr, "gantry validation: %s. %s\n", error->message, error_remedy(error));
        return 1;
    }
    return 0;
}
