/* provider: from a Provider and its Secret to a connection, and from the connection's state to conditions. */
#include "controller/provider.h"
#include "base/log.h"
#include "controller/status.h"
#include "inventory/cluster.h"
#include "kube/informer.h"
#include "kube/work_queue.h"
#include "plan/provider_access.h"
#include <string.h>

enum {
    THREADS = 2,
    LOOK_SOON_MS = 3000,   /* until it is ready: its Secret may have been corrected */
    LOOK_LATER_MS = 10000, /* its Secret may have been rotated */
    RIGHTS_HOLD_S = 300,   /* what the account may do, when nothing is missing */
    RIGHTS_MISSING_S = 10, /* and when somebody may be working on that */
    RIGHTS_VMS = 50,       /* of how many it is asked: a plan asks of each of its own */
    CERTIFICATE_TIMEOUT_S = 10,
};

struct Providers {
    KubeClient *kube;
    Inventory *inventory;
    Informer *informer;
    GThread *sweeper;
    GCancellable *cancel;

    GMutex lock;        /* of queue and rights */
    WorkQueue *queue;   /* NULL once stopped: stocks may still report while they close */
    GHashTable *rights; /* Provider's uid → Rights */
};

/* What an account lacked when it was asked last. */
typedef struct {
    char *key;       /* of the connection */
    json_t *missing; /* as stock_missing_rights() gives it */
    gint64 until;    /* monotonic */
} Rights;

/* Everything that one pass knows. */
typedef struct {
    Providers *providers;
    Object *provider; /* borrowed */
    Object *secret;   /* owned, or NULL */
    Conditions *conditions;
    json_t *status;
    Stock *stock; /* owned */
    guint look_again_ms;
} Pass;

/* ---- checks before anything is sent -------------------------------------------------------------------- */

static const char *spec_text(const Pass *pass, const char *path)
{
    return json_string_at(object_json(pass->provider), path, "");
}

static gboolean is_cluster(const Pass *pass)
{
    return !strcmp(spec_text(pass, "spec.type"), "openshift");
}

static gboolean is_host_cluster(const Pass *pass)
{
    return is_cluster(pass) && !*spec_text(pass, "spec.url");
}

static void check_type(Pass *pass)
{
    static const char *const supported[] = {"openshift", "vsphere", "ovirt", NULL};
    const char *type = spec_text(pass, "spec.type");

    if (!g_strv_contains(supported, type))
        conditions_set(pass->conditions, "ProviderTypeNotSupported", CONDITION_CRITICAL, "NotSupported",
                       "spec.type '%s' is not supported: it must be vsphere, ovirt or openshift.", type);
}

static void check_url(Pass *pass)
{
    const char *url = spec_text(pass, "spec.url");
    g_autoptr(GUri) uri = NULL;

    if (is_host_cluster(pass))
        return;
    if (!*url) {
        conditions_set(
            pass->conditions, "UrlNotValid", CONDITION_CRITICAL, "NotSet",
            "spec.url is not set: give the API's address, such as https://vcenter.example.com/sdk.");
        return;
    }
    uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (!uri || strcmp(g_uri_get_scheme(uri), "https") || !g_uri_get_host(uri) || !*g_uri_get_host(uri))
        conditions_set(pass->conditions, "UrlNotValid", CONDITION_CRITICAL, "Malformed",
                       "spec.url '%s' is malformed: it must read https://HOST[:PORT]/PATH.", url);
}

static void check_keys(Pass *pass)
{
    static const char *const of_source[] = {"user", "password", NULL}, *const of_cluster[] = {"token", NULL};
    const char *const *keys = is_cluster(pass) ? of_cluster : of_source;

    for (; *keys; keys++) {
        g_autofree char *value = secret_text(pass->secret, *keys);
        if (!value || !*value)
            conditions_add_item(pass->conditions, "SecretNotValid", CONDITION_CRITICAL, "DataErr",
                                "The Secret lacks keys.", *keys);
        if (value)
            explicit_bzero(value, strlen(value));
    }
}

static gboolean read_secret(Pass *pass, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (is_host_cluster(pass))
        return TRUE;
    if (!*spec_text(pass, "spec.secret.name")) {
        conditions_set(pass->conditions, "SecretNotValid", CONDITION_CRITICAL, "NotSet",
                       "spec.secret is not set: name the Secret that holds the credentials.");
        return TRUE;
    }
    pass->secret = provider_secret(pass->providers->kube, pass->provider, cancel, &failed);
    if (pass->secret) {
        check_keys(pass);
        return TRUE;
    }
    if (!g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    conditions_set(pass->conditions, "SecretNotValid", CONDITION_CRITICAL, "NotFound",
                   "The Secret '%s' that spec.secret names does not exist.",
                   spec_text(pass, "spec.secret.name"));
    return TRUE;
}

/* ---- the connection ------------------------------------------------------------------------------------ */

/* Names everything that a connection is made from. */
static char *connection_key(const Pass *pass)
{
    return g_strdup_printf("%s/%" G_GINT64_FORMAT "/%s/%s", object_uid(pass->provider),
                           object_generation(pass->provider), pass->secret ? object_uid(pass->secret) : "",
                           pass->secret ? object_resource_version(pass->secret) : "");
}

static void connect_source(Pass *pass, const char *key)
{
    g_auto(ProviderAccess) access = {0};

    provider_access_read(pass->provider, pass->secret, &access);
    if (access.access.trust.insecure)
        conditions_set(pass->conditions, "ConnectionInsecure", CONDITION_WARN, "SkipTLSVerification",
                       "insecureSkipVerify is set: the certificate of %s is not verified.",
                       access.access.url);
    stock_collect(pass->stock, &access.access, key);
}

static void cluster_failed(Pass *pass, const GError *error)
{
    gboolean refused = g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED);

    stock_disconnect(pass->stock);
    conditions_set(pass->conditions, refused ? "ConnectionAuthFailed" : "ConnectionTestFailed",
                   CONDITION_CRITICAL, "Tested", "%s. %s", error->message, error_remedy(error));
}

/* A cluster's API is asked anew at each pass: it costs little, and there is no other way to see that it has
 * gone. */
static void connect_cluster(Pass *pass, const char *key, GCancellable *cancel)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(KubeClient) cluster = provider_target(pass->providers->kube, pass->provider, cancel, &error);

    if (cluster && cluster_check(cluster, cancel, &error))
        stock_serve_cluster(pass->stock, cluster, key);
    else
        cluster_failed(pass, error);
}

static gboolean is_certificate_known(const Pass *pass)
{
    const char *version = pass->secret ? object_resource_version(pass->secret) : "";

    return *json_string_at(pass->status, "fingerprint", "") &&
           !strcmp(json_string_at(pass->status, "secretResourceVersion", ""), version) &&
           json_int_at(pass->status, "observedGeneration", -1) == object_generation(pass->provider);
}

/* The SHA-1 fingerprint of a certificate that has just been verified, for users to compare. */
static void note_certificate(Pass *pass, GCancellable *cancel)
{
    g_autoptr(HttpCertificate) certificate = NULL;

    if (is_cluster(pass) || is_certificate_known(pass))
        return;
    certificate = http_peer_certificate(spec_text(pass, "spec.url"), CERTIFICATE_TIMEOUT_S, cancel, NULL);
    if (certificate)
        json_object_set_new(pass->status, "fingerprint", json_string(certificate->sha1));
}

/* ---- what the account may do --------------------------------------------------------------------------- */

static void rights_free(gpointer data)
{
    Rights *rights = data;

    g_free(rights->key);
    json_decref(rights->missing);
    g_free(rights);
}

static json_t *recall_rights(const Pass *pass, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pass->providers->lock);
    const Rights *rights = g_hash_table_lookup(pass->providers->rights, object_uid(pass->provider));

    return rights && !g_strcmp0(rights->key, key) && rights->until > g_get_monotonic_time()
               ? json_incref(rights->missing)
               : NULL;
}

static void remember_rights(const Pass *pass, const char *key, json_t *missing, gboolean complete)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pass->providers->lock);
    gint holds_s = complete ? RIGHTS_HOLD_S : RIGHTS_MISSING_S;
    Rights *rights = g_new(Rights, 1);

    *rights = (Rights){.key = g_strdup(key),
                       .missing = json_incref(missing),
                       .until = g_get_monotonic_time() + holds_s * G_USEC_PER_SEC};
    g_hash_table_replace(pass->providers->rights, g_strdup(object_uid(pass->provider)), rights);
}

static void forget_rights(Providers *providers, const char *uid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&providers->lock);
    g_hash_table_remove(providers->rights, uid);
}

/* {privilege: what for} of all VMs. Of the ways to read disks only the one that needs nothing else counts. */
static json_t *sum_up(const json_t *missing)
{
    static const struct {
        const char *task, *purpose;
    } tasks[] = {{"powerOff", "to shut VMs down"},
                 {"powerOn", "to start them again if a migration fails"},
                 {"https", "to read disks over HTTPS"},
                 {"snapshots", "for warm migrations"},
                 {"changes", "for warm migrations"}};
    json_t *sum = json_object(), *of_vm, *privilege;
    const char *vm;
    size_t i;

    for (guint t = 0; t < G_N_ELEMENTS(tasks); t++)
        json_object_foreach ((json_t *)missing, vm, of_vm)
            json_array_foreach (json_object_get(of_vm, tasks[t].task), i, privilege)
                json_object_set_new(sum, json_string_value(privilege), json_string(tasks[t].purpose));
    return sum;
}

/* A warning: a plan that needs none of what is missing is ready all the same. */
static void say_rights(Pass *pass, const StockState *state, GCancellable *cancel)
{
    g_autoptr(json_t) missing = recall_rights(pass, state->key), sum = NULL;
    g_autoptr(GError) error = NULL;
    gboolean known = missing != NULL;
    const char *privilege;
    json_t *purpose;

    if (!missing)
        missing = stock_missing_rights(pass->stock, RIGHTS_VMS, cancel, &error);
    if (error)
        log_debug("what an account may do cannot be asked", "provider", object_name(pass->provider), "error",
                  error->message, NULL);
    if (!missing)
        return;
    sum = sum_up(missing);
    if (!known)
        remember_rights(pass, state->key, missing, !json_object_size(sum));
    json_object_foreach (sum, privilege, purpose) {
        g_autofree char *item = g_strdup_printf("%s %s", privilege, json_string_value(purpose));
        conditions_add_item(pass->conditions, "InsufficientPrivileges", CONDITION_WARN,
                            "PrivilegesNotGranted",
                            "The account lacks privileges that migrations need: add them to its role.", item);
    }
}

/* ---- from its state to conditions ---------------------------------------------------------------------- */

/* A provider that says in its settings what it is must be that. */
static void check_endpoint(Pass *pass, const json_t *about)
{
    const char *wanted = spec_text(pass, "spec.settings.sdkEndpoint"),
               *type = json_string_at(about, "apiType", "");
    gboolean is_esxi = !strcmp(type, "HostAgent");

    if ((!strcmp(wanted, "esxi") && !is_esxi) || (!strcmp(wanted, "vcenter") && is_esxi))
        conditions_set(pass->conditions, "SettingsNotValid", CONDITION_CRITICAL, "DataErr",
                       "spec.settings.sdkEndpoint is '%s', but %s is %s.", wanted,
                       spec_text(pass, "spec.url"), is_esxi ? "an ESXi host" : "a vCenter");
}

static void say_connected(Pass *pass, const StockState *state, GCancellable *cancel)
{
    conditions_set(pass->conditions, "ConnectionTestSucceeded", CONDITION_REQUIRED, "Tested",
                   "The connection test was successful.");
    note_certificate(pass, cancel);
    check_endpoint(pass, state->about);
}

static void say_failed(Pass *pass, const GError *error)
{
    gboolean refused = g_error_matches(error, GANTRY_ERROR, ERROR_SOURCE_LOGIN);

    conditions_set(pass->conditions, refused ? "ConnectionAuthFailed" : "ConnectionTestFailed",
                   CONDITION_CRITICAL, "Tested", "%s. %s", error->message, error_remedy(error));
}

static void say_state(Pass *pass, GCancellable *cancel)
{
    g_auto(StockState) state = {0};
    g_autofree char *problem = stock_validation_problem(pass->stock);

    stock_state(pass->stock, &state);
    if (state.error)
        say_failed(pass, state.error);
    if (state.stage == STOCK_LOADING || state.stage == STOCK_READY)
        say_connected(pass, &state, cancel);
    if (state.stage == STOCK_LOADING)
        conditions_set(pass->conditions, "LoadInventory", CONDITION_ADVISORY, "Started",
                       "Loading the inventory.");
    if (state.stage == STOCK_READY)
        conditions_set(pass->conditions, "InventoryCreated", CONDITION_REQUIRED, "Completed",
                       "The inventory has been loaded.");
    if (state.stage == STOCK_READY && !is_cluster(pass))
        say_rights(pass, &state, cancel);
    if (problem)
        conditions_set(pass->conditions, "VMsNotValidated", CONDITION_WARN, "ValidationFailed",
                       "VMs keep the concerns that were found last: %s", problem);
}

static const char *phase_of(const Pass *pass)
{
    if (conditions_has(pass->conditions, "ConnectionTestFailed") ||
        conditions_has(pass->conditions, "ConnectionAuthFailed"))
        return "ConnectionFailed";
    if (conditions_blocked(pass->conditions))
        return "ValidationFailed";
    return conditions_has(pass->conditions, "Ready") ? "Ready" : "Staging";
}

/* ---- a pass -------------------------------------------------------------------------------------------- */

/* Connects, or gives up a connection that is not to be had any more. */
static void look_after_connection(Pass *pass, GCancellable *cancel)
{
    g_autofree char *key = connection_key(pass);

    if (conditions_blocked(pass->conditions)) {
        stock_disconnect(pass->stock);
        return;
    }
    conditions_set(pass->conditions, "Validated", CONDITION_ADVISORY, "Completed",
                   "Validation has been completed.");
    if (is_cluster(pass))
        connect_cluster(pass, key, cancel);
    else
        connect_source(pass, key);
    say_state(pass, cancel);
}

static void conclude(Pass *pass)
{
    gboolean ready = !conditions_blocked(pass->conditions) &&
                     conditions_has(pass->conditions, "ConnectionTestSucceeded") &&
                     conditions_has(pass->conditions, "InventoryCreated");

    if (ready)
        conditions_set(pass->conditions, "Ready", CONDITION_REQUIRED, NULL, "The provider is ready.");
    json_object_set_new(pass->status, "phase", json_string(phase_of(pass)));
    if (pass->secret)
        json_object_set_new(pass->status, "secretResourceVersion",
                            json_string(object_resource_version(pass->secret)));
    pass->look_again_ms = ready ? LOOK_LATER_MS : LOOK_SOON_MS;
}

static gboolean run_pass(Pass *pass, GCancellable *cancel, GError **error)
{
    pass->stock = inventory_add(pass->providers->inventory, pass->provider, error);
    if (!pass->stock)
        return FALSE;
    check_type(pass);
    check_url(pass);
    if (!read_secret(pass, cancel, error))
        return FALSE;
    look_after_connection(pass, cancel);
    conclude(pass);
    return status_write(pass->providers->kube, &KUBE_PROVIDER, pass->provider, json_incref(pass->status),
                        pass->conditions, "provider", cancel, error);
}

/* The Provider of that name has gone, or another one has taken its name. */
static void drop_former(Providers *providers, const char *key, const char *uid)
{
    g_auto(GStrv) parts = g_strsplit(key, "/", 2);
    g_autoptr(Stock) stock = inventory_stock_named(providers->inventory, parts[0], parts[1]);

    if (stock && strcmp(stock_uid(stock), uid)) {
        log_info("a provider has gone", "provider", key, NULL);
        forget_rights(providers, stock_uid(stock));
        inventory_remove(providers->inventory, stock_uid(stock));
    }
}

static guint reconcile(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    Providers *providers = user_data;
    g_autoptr(GError) failed = NULL;
    g_autoptr(Object) provider = status_get(providers->kube, &KUBE_PROVIDER, key, cancel, &failed);
    Pass pass = {.providers = providers, .provider = provider, .look_again_ms = LOOK_SOON_MS};

    if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return 0;
    }
    drop_former(providers, key, provider ? object_uid(provider) : "");
    if (!provider)
        return 0;
    pass.conditions = status_conditions(provider);
    pass.status = status_copy(provider);
    run_pass(&pass, cancel, error);
    conditions_free(pass.conditions);
    json_decref(pass.status);
    g_clear_pointer(&pass.secret, object_unref);
    g_clear_pointer(&pass.stock, stock_unref);
    return pass.look_again_ms;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void add_key(Providers *providers, const Object *provider)
{
    g_autofree char *key = g_strconcat(object_namespace(provider), "/", object_name(provider), NULL);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&providers->lock);

    if (providers->queue)
        work_queue_add(providers->queue, key);
}

/* Our own writing of status wakes nobody. */
static void on_provider(Object *before, Object *after, gpointer user_data)
{
    if (!before || !after || object_generation(before) != object_generation(after) ||
        object_deleting(before) != object_deleting(after))
        add_key(user_data, after ? after : before);
}

void providers_wake(Stock *stock, gpointer user_data)
{
    g_autoptr(Object) provider = stock_provider(stock);
    add_key(user_data, provider);
}

Providers *providers_new(KubeClient *kube)
{
    Providers *providers = g_new0(Providers, 1);

    providers->kube = kube_client_ref(kube);
    providers->cancel = g_cancellable_new();
    g_mutex_init(&providers->lock);
    providers->rights = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, rights_free);
    providers->queue = work_queue_new("provider", THREADS, reconcile, providers);
    return providers;
}

static gpointer sweep_when_listed(gpointer user_data)
{
    Providers *providers = user_data;
    g_autoptr(GHashTable) uids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) known = NULL;

    if (!informer_wait_synced(providers->informer, providers->cancel))
        return NULL;
    known = informer_list(providers->informer, NULL);
    for (guint i = 0; i < known->len; i++)
        g_hash_table_add(uids, (gpointer)object_uid(known->pdata[i]));
    inventory_sweep(providers->inventory, uids);
    return NULL;
}

void providers_serve(Providers *providers, Inventory *inventory)
{
    providers->inventory = inventory;
    providers->informer = informer_new(providers->kube, &KUBE_PROVIDER, NULL, NULL, on_provider, providers);
    providers->sweeper = g_thread_new("sweep", sweep_when_listed, providers);
}

void providers_stop(Providers *providers)
{
    WorkQueue *queue;

    g_cancellable_cancel(providers->cancel);
    g_clear_pointer(&providers->sweeper, g_thread_join);
    g_clear_pointer(&providers->informer, informer_free);
    g_mutex_lock(&providers->lock);
    queue = g_steal_pointer(&providers->queue);
    g_mutex_unlock(&providers->lock);
    g_clear_pointer(&queue, work_queue_free);
}

void providers_free(Providers *providers)
{
    providers_stop(providers);
    g_mutex_clear(&providers->lock);
    g_hash_table_unref(providers->rights);
    g_object_unref(providers->cancel);
    kube_client_unref(providers->kube);
    g_free(providers);
}
