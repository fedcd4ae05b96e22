/* validation: runs the validation service (Deployment forklift-validation). */
#include "base/log.h"
#include "base/share.h"
#include "cmd/commands.h"
#include "cmd/service.h"
#include "kube/informer.h"
#include "policy/service.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    char *policies, *extra, *config_map, *listen, *cert_file, *key_file;
} Options;

static void options_clear(Options *options)
{
    g_free(options->policies);
    g_free(options->extra);
    g_free(options->config_map);
    g_free(options->listen);
    g_free(options->cert_file);
    g_free(options->key_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* ---- rules --------------------------------------------------------------------------------------------- */

static void say_changed(const Rules *rules, const GError *error, gpointer unused)
{
    g_autofree char *count = rules ? g_strdup_printf("%u", rules_count(rules)) : NULL;

    if (rules)
        log_info("rules are in force", "files", count, "rules", rules_hash(rules), NULL);
    else
        log_error("the rules do not load: nothing is validated until they are corrected", "error",
                  error->message, NULL);
}

static void say_problem(const char *problem, gpointer unused)
{
    log_warn("a rule is wrong", "problem", problem, NULL);
}

/* ---- custom rules from a ConfigMap --------------------------------------------------------------------- */

typedef struct {
    const char *name;
    RuleWatch *watch;
} CustomRules;

/* Runs on the informer's thread. */
static void take_config_map(Object *before, Object *after, gpointer user_data)
{
    const CustomRules *custom = user_data;
    const json_t *value;
    const char *key;

    if (strcmp(object_name(after ? after : before), custom->name))
        return;
    g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    json_object_foreach ((json_t *)(after ? json_at(object_json(after), "data") : NULL), key, value) {
        if (g_str_has_suffix(key, ".rego") && json_is_string(value))
            g_hash_table_insert(texts, g_strdup_printf("ConfigMap %s: %s", custom->name, key),
                                g_strdup(json_string_value(value)));
    }
    rule_watch_set_texts(custom->watch, texts);
}

/* The rules are complete before the first VM is judged by them; an API that cannot be reached is not waited
 * for long. */
static void await_custom_rules(Informer *informer)
{
    for (int tenth = 0; tenth < 100 && !informer_synced(informer); tenth++)
        g_usleep(G_USEC_PER_SEC / 10);
    if (!informer_synced(informer))
        log_warn("custom rules cannot be read yet: the Kubernetes API does not answer", NULL);
}

/* ---- serving ------------------------------------------------------------------------------------------- */

static gboolean read_file(const char *path, char **text, GError **error)
{
    return !path || g_file_get_contents(path, text, NULL, error);
}

static HttpServer *start(const Options *options, RuleWatch *watch, GError **error)
{
    g_autofree char *cert = NULL, *key = NULL;
    HttpServer *server = NULL;

    if (read_file(options->cert_file, &cert, error) && read_file(options->key_file, &key, error))
        server = validation_service_start(watch, options->listen, cert, key, error);
    if (key)
        explicit_bzero(key, strlen(key));
    return server;
}

static gboolean serve(const Options *options, GError **error)
{
    const char *directories[] = {options->policies, options->extra, NULL};
    const RuleWatchEvents events = {.changed = say_changed, .problem = say_problem};
    g_autoptr(KubeClient) kube = options->config_map ? kube_client_new_default(error) : NULL;
    g_autoptr(RuleWatch) watch = NULL;
    g_autoptr(HttpServer) server = NULL;
    g_autoptr(Informer) informer = NULL;
    CustomRules custom = {.name = options->config_map};

    if (options->config_map && !kube)
        return FALSE;
    custom.watch = watch = rule_watch_new(directories, &events);
    if (kube) {
        informer =
            informer_new(kube, &KUBE_CONFIG_MAP, kube_client_namespace(kube), NULL, take_config_map, &custom);
        await_custom_rules(informer);
    }
    server = start(options, watch, error);
    if (!server)
        return FALSE;
    g_autofree char *port = g_strdup_printf("%u", http_server_port(server));
    log_info("validation service ready", "port", port, NULL);
    service_run_until_told();
    return TRUE;
}

int cmd_validation(int argc, char **argv)
{
    g_auto(Options) options = {0};
    const GOptionEntry entries[] = {
        {"policies", 0, 0, G_OPTION_ARG_FILENAME, &options.policies,
         "Rules in *.rego files (those that come along)", "DIR"},
        {"extra", 0, 0, G_OPTION_ARG_FILENAME, &options.extra, "Custom rules; may be absent", "DIR"},
        {"config-map", 0, 0, G_OPTION_ARG_STRING, &options.config_map,
         "Custom rules: the *.rego keys of this ConfigMap of the service's namespace", "NAME"},
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
