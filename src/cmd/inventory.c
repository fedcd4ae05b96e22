/* inventory: serves what providers hold, and reconciles Providers (container `inventory` of Deployment
 * forklift-controller). */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/service.h"
#include "controller/live_settings.h"
#include "controller/provider.h"
#include "inventory/rest.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *listen, *working_dir;
} Options;

static void options_clear(Options *options)
{
    g_free(options->listen);
    g_free(options->working_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* ---- settings ------------------------------------------------------------------------------------------ */

static char *default_listen(void)
{
    return g_strdup_printf("%s:%s", service_setting("POD_IP", "127.0.0.1"),
                           service_setting("API_PORT", "8080"));
}

static gboolean is_required(void)
{
    return g_ascii_strcasecmp(service_setting("AUTH_REQUIRED", "true"), "false") != 0;
}

static Validator *new_validator(GError **error)
{
    g_autofree char *ca = NULL;
    ValidatorOptions options = {
        .url = service_setting("POLICY_AGENT_URL", NULL),
        .workers = MAX(0, atoi(service_setting("POLICY_AGENT_WORKER_LIMIT", "10"))),
        .interval_s = MAX(0, atoi(service_setting("POLICY_AGENT_SEARCH_INTERVAL", "120"))),
    };

    if (!service_read_file("POLICY_AGENT_CA", &ca, error))
        return NULL;
    options.ca_pem = ca;
    return validator_new(&options, error);
}

static Rest *start_rest(const Options *options, Inventory *inventory, Authorizer *authorizer, GError **error)
{
    g_autofree char *cert = NULL, *key = NULL,
                    *listen = options->listen ? g_strdup(options->listen) : default_listen();
    RestOptions rest = {
        .listen = listen,
        .cors_origins = service_setting("CORS_ALLOWED_ORIGINS", NULL),
        .inventory = inventory,
        .authorizer = authorizer,
    };
    Rest *started;

    if (!service_read_file("API_TLS_KEY", &key, error) ||
        (key && !service_read_file("API_TLS_CERTIFICATE", &cert, error)))
        return NULL;
    rest.cert_pem = cert;
    rest.key_pem = key;
    started = rest_start(&rest, error);
    if (key)
        explicit_bzero(key, strlen(key));
    return started;
}

static void use_settings(const Settings *settings, gpointer validator)
{
    validator_set_interval(validator, settings->policy_interval_s);
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* The order is that of life and death: what was made first goes last. */
static gboolean serve(const Options *options, GError **error)
{
    const char *folder = options->working_dir ? options->working_dir
                                              : service_setting("WORKING_DIR", "/var/lib/gantry/inventory");
    g_autoptr(KubeClient) kube = kube_client_new_default(error);
    g_autoptr(Lease) lease = kube ? service_lead(kube, "forklift-inventory", service_told_to_stop(), error) : NULL;
    g_autoptr(Validator) validator = lease ? new_validator(error) : NULL;
    g_autoptr(Authorizer) authorizer = NULL;
    g_autoptr(Providers) providers = NULL;
    g_autoptr(Inventory) inventory = NULL;
    g_autoptr(Rest) rest = NULL;
    g_autoptr(LiveSettings) settings = NULL;
    g_autofree char *port = NULL;
    StockOptions stocks;

    if (!validator)
        return FALSE;
    authorizer = authorizer_new(kube, is_required());
    providers = providers_new(kube);
    stocks = (StockOptions){
        .folder = folder, .validator = validator, .changed = providers_wake, .user_data = providers};
    inventory = inventory_new(&stocks);
    rest = start_rest(options, inventory, authorizer, error);
    if (!rest)
        return FALSE;
    port = g_strdup_printf("%u", rest_port(rest));
    log_info("inventory service ready", "port", port, "folder", folder, NULL);
    if (!is_required())
        log_warn("AUTH_REQUIRED is false: everybody who reaches the inventory may read it", NULL);
    settings = live_settings_start(kube, use_settings, validator);
    providers_serve(providers, inventory);
    service_wait();
    g_clear_pointer(&rest, rest_stop);
    providers_stop(providers);
    return TRUE;
}

int cmd_inventory(int argc, char **argv)
{
    g_auto(Options) options = {0};
    const GOptionEntry entries[] = {
        {"listen", 0, 0, G_OPTION_ARG_STRING, &options.listen, "Where to serve ($POD_IP:$API_PORT)",
         "ADDR:PORT"},
        {"working-dir", 0, 0, G_OPTION_ARG_FILENAME, &options.working_dir,
         "Where databases lie ($WORKING_DIR)", "DIR"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- serve what providers hold, and reconcile Providers");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "gantry inventory: %s; see gantry inventory --help\n",
                error ? error->message : "it takes options only");
        return 2;
    }
    /* Loading allocates and frees much, from several threads: a few arenas keep what is freed together, and a
     * page's text is given back as soon as it has been read. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    if (!serve(&options, &error) && !g_cancellable_is_cancelled(service_told_to_stop())) {
        fprintf(stderr, "gantry inventory: %s. %s\n", error->message, error_remedy(error));
        return 1;
    }
    return 0;
}
