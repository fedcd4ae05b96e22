/* host: an ESXi host's address in the migration network: known to the inventory, healthy, and answering. */
#include "controller/controllers.h"
#include "controller/status.h"
#include "kube/find.h"
#include "plan/bandwidth.h"
#include "plan/provider_access.h"
#include <string.h>

#define HOST_NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* How long a test's result holds. */
enum { TEST_AGAIN_S = 300, TEST_FAILED_S = 20, TEST_REFUSED_S = 15 * 60 };

/* Everything that one pass knows. */
typedef struct {
    Controllers *controllers;
    const Object *host;
    Conditions *conditions;
    Object *provider, *secret; /* owned */
    json_t *found;             /* the inventory's host; owned */
} Pass;

static void pass_clear(Pass *pass)
{
    g_clear_pointer(&pass->provider, object_unref);
    g_clear_pointer(&pass->secret, object_unref);
    g_clear_pointer(&pass->found, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pass, pass_clear)

static void critical(Pass *pass, const char *type, const char *reason, const char *message)
{
    conditions_set(pass->conditions, type, CONDITION_CRITICAL, reason, "%s", message);
}

static gboolean look_up(Pass *pass, const KubeResource *resource, const json_t *ref, Object **out,
                        GCancellable *cancel, GError **error)
{
    return kube_find(controllers_kube(pass->controllers), resource, reference_namespace(ref, pass->host),
                     json_string_at(ref, "name", ""), out, cancel, error);
}

static gboolean check_provider(Pass *pass, GCancellable *cancel, GError **error)
{
    const json_t *ref = json_at(object_json(pass->host), "spec.provider");

    if (!*json_string_at(ref, "name", "")) {
        critical(pass, "ProviderNotValid", "NotSet",
                 "spec.provider is not set: name the source Provider of the host.");
        return TRUE;
    }
    if (!look_up(pass, &KUBE_PROVIDER, ref, &pass->provider, cancel, error))
        return FALSE;
    if (!pass->provider)
        critical(pass, "ProviderNotValid", "NotFound", "spec.provider names a Provider that does not exist.");
    else if (!strcmp(json_string_at(object_json(pass->provider), "spec.type", ""), "openshift"))
        critical(pass, "TypeNotValid", "TypeErr", "spec.provider must be of type vsphere or ovirt.");
    else if (!object_condition(pass->provider, "Ready"))
        critical(pass, "ProviderNotReady", NULL, "spec.provider is not ready; its status says why.");
    return TRUE;
}

/* TRUE with NULL in pass->found: said in a condition. */
static gboolean find_host(Pass *pass, GCancellable *cancel, GError **error)
{
    const json_t *spec = json_object_get(object_json(pass->host), "spec");
    g_autoptr(GError) problem = NULL;

    if (!*json_string_at(spec, "id", "") && !*json_string_at(spec, "name", "")) {
        critical(pass, "RefNotValid", "NotSet",
                 "spec.id and spec.name are not set: give the host's id or name.");
        return TRUE;
    }
    pass->found = inventory_find(controllers_inventory(pass->controllers), pass->provider, "hosts", spec,
                                 cancel, &problem);
    if (g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND))
        critical(pass, "RefNotValid", "NotFound",
                 "The provider's inventory has no host with that id or name.");
    else if (g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_AMBIGUOUS))
        critical(pass, "RefNotValid", "Ambiguous", "Several hosts have that name: give the id.");
    else if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    return TRUE;
}

static void check_health(Pass *pass)
{
    const char *status = json_string_at(pass->found, "status", "");

    if (json_bool_at(pass->found, "inMaintenance", FALSE))
        critical(pass, "InMaintenance", "StateEvaluated", "The host is in maintenance mode.");
    if (!strcmp(status, "red"))
        critical(pass, "NotHealthy", "StateEvaluated", "The host's status is red.");
    else if (*status && strcmp(status, "green") && strcmp(status, "up"))
        conditions_set(pass->conditions, "HostStatusNotGreen", CONDITION_WARN, "StateEvaluated",
                       "The host's status is %s.", status);
}

/* A Secret is optional: without one the disks are read with tickets from vCenter. */
static gboolean check_secret(Pass *pass, GCancellable *cancel, GError **error)
{
    static const char *const keys[] = {"user", "password"};
    const json_t *ref = json_at(object_json(pass->host), "spec.secret");

    if (!*json_string_at(ref, "name", ""))
        return TRUE;
    if (!look_up(pass, &KUBE_SECRET, ref, &pass->secret, cancel, error))
        return FALSE;
    if (!pass->secret) {
        critical(pass, "SecretNotValid", "NotFound", "spec.secret names a Secret that does not exist.");
        return TRUE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = secret_text(pass->secret, keys[i]);
        if (!value || !*value)
            conditions_add_item(pass->conditions, "SecretNotValid", CONDITION_CRITICAL, "DataErr",
                                "The Secret lacks keys.", keys[i]);
        if (value)
            explicit_bzero(value, strlen(value));
    }
    return TRUE;
}

static void check_address(Pass *pass)
{
    const char *address = json_string_at(object_json(pass->host), "spec.ipAddress", "");

    if (!*address)
        critical(pass, "IpNotValid", "NotSet",
                 "spec.ipAddress is not set: give the host's address in the migration network.");
    else if (!g_hostname_is_ip_address(address) && strspn(address, HOST_NAME_CHARACTERS) != strlen(address))
        critical(pass, "IpNotValid", "Malformed",
                 "spec.ipAddress must be an IP address or a name, without a port.");
}

/* ---- the connection ---- */

/* The certificate must be the one that vCenter, itself verified, knows of this host; and the host must let us
 * in: with its own user and password, or with a ticket of that vCenter. */
static gboolean connect(Pass *pass, GCancellable *cancel, GError **error)
{
    g_autoptr(Object) provider_credentials =
        provider_secret(controllers_kube(pass->controllers), pass->provider, cancel, error);
    g_autofree char *user = secret_text(pass->secret, "user"),
                    *password = secret_text(pass->secret, "password");
    g_auto(ProviderAccess) access = {0};
    Source *vcenter =
        provider_credentials ? provider_source(pass->provider, provider_credentials, error) : NULL;
    SourceHost host;
    gboolean good;

    if (!vcenter)
        return FALSE;
    provider_access_read(pass->provider, provider_credentials, &access);
    host = (SourceHost){.address = json_string_at(object_json(pass->host), "spec.ipAddress", ""),
                        .fingerprint = json_string_at(pass->found, "thumbprint", ""),
                        .user = user,
                        .password = password,
                        .insecure = access.access.trust.insecure};
    good = source_check_host(vcenter, &host, cancel, error);
    if (password)
        explicit_bzero(password, strlen(password));
    return good;
}

/* What is known of each Host's connection: a host is not asked at every pass, and one that refused a password
 * is left alone for a while, so that no account is locked. Only a cache: with it gone each is asked once
 * more. */
typedef struct {
    char *subject; /* everything that the test was made with */
    gint64 until;  /* monotonic; the result holds as long */
    GError *failed;
} Tested;

static GMutex tested_lock;
static GHashTable *tested; /* uid → Tested */

static void tested_free(gpointer data)
{
    Tested *one = data;

    g_free(one->subject);
    g_clear_error(&one->failed);
    g_free(one);
}

static char *subject_of(const Pass *pass)
{
    return g_strdup_printf("%" G_GINT64_FORMAT "/%s/%s/%s/%" G_GINT64_FORMAT, object_generation(pass->host),
                           pass->secret ? object_resource_version(pass->secret) : "",
                           json_string_at(pass->found, "thumbprint", ""), object_uid(pass->provider),
                           object_generation(pass->provider));
}

/* TRUE: there is a result that still holds; *failed is a copy of its error or NULL. */
static gboolean recall(const Pass *pass, const char *subject, GError **failed)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tested_lock);
    Tested *one = tested ? g_hash_table_lookup(tested, object_uid(pass->host)) : NULL;

    if (!one || strcmp(one->subject, subject) || one->until < g_get_monotonic_time())
        return FALSE;
    *failed = one->failed ? g_error_copy(one->failed) : NULL;
    return TRUE;
}

static void remember(const Pass *pass, const char *subject, const GError *failed)
{
    gboolean refused = failed && (g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_LOGIN) ||
                                  g_error_matches(failed, GANTRY_ERROR, ERROR_HOST_TICKET));
    gint holds_s = !failed ? TEST_AGAIN_S : refused ? TEST_REFUSED_S : TEST_FAILED_S;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tested_lock);
    Tested *one = g_new0(Tested, 1);

    *one = (Tested){.subject = g_strdup(subject),
                    .until = g_get_monotonic_time() + holds_s * G_USEC_PER_SEC,
                    .failed = failed ? g_error_copy(failed) : NULL};
    if (!tested)
        tested = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, tested_free);
    g_hash_table_replace(tested, g_strdup(object_uid(pass->host)), one);
}

static void test_connection(Pass *pass, GCancellable *cancel)
{
    g_autofree char *subject = subject_of(pass);
    g_autoptr(GError) problem = NULL;

    if (!recall(pass, subject, &problem)) {
        connect(pass, cancel, &problem);
        if (g_cancellable_is_cancelled(cancel))
            return;
        remember(pass, subject, problem);
    }
    if (problem)
        conditions_set(pass->conditions, "ConnectionTestFailed", CONDITION_CRITICAL, "Tested", "%s. %s",
                       problem->message, error_remedy(problem));
    else
        conditions_set(pass->conditions, "ConnectionTestSucceeded", CONDITION_REQUIRED, "Tested",
                       pass->secret ? "The host takes the user and password of its Secret."
                                    : "The host takes tickets of its vCenter.");
}

static gboolean validate(Pass *pass, GCancellable *cancel, GError **error)
{
    if (!check_provider(pass, cancel, error))
        return FALSE;
    check_address(pass);
    if (!check_secret(pass, cancel, error))
        return FALSE;
    if (conditions_blocked(pass->conditions))
        return TRUE;
    if (!find_host(pass, cancel, error))
        return FALSE;
    if (pass->found)
        check_health(pass);
    return TRUE;
}

/* Copies are told with the next look at them. */
static void publish_limit(const char *key, Pass *pass)
{
    const char *id = json_string_at(pass->found, "id", "");
    g_autoptr(GError) problem = NULL;
    g_autofree char *name = NULL;
    guint64 limit = 0;

    if (pass->host && !bandwidth_read(pass->host, &limit, &problem))
        conditions_set(pass->conditions, "BandwidthLimitNotValid", CONDITION_WARN, "NotValid",
                       "The limit is not in force: %s", problem->message);
    name = pass->found ? g_strdup_printf("%s/%s", object_uid(pass->provider), id) : NULL;
    if (name || !limit) /* one whose provider is away keeps what it had */
        bandwidth_set_host(key, name, limit);
}

guint host_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    KubeClient *kube = controllers_kube(data);
    g_autoptr(Object) host = status_get(kube, &KUBE_HOST, key, cancel, error);
    g_autoptr(Conditions) conditions = host ? status_conditions(host) : NULL;
    g_auto(Pass) pass = {.controllers = data, .host = host, .conditions = conditions};

    if (host && !validate(&pass, cancel, error))
        return AGAIN_SOON;
    publish_limit(key, &pass);
    if (!host)
        return 0;
    if (!conditions_blocked(conditions)) {
        conditions_set(conditions, "Validated", CONDITION_ADVISORY, "Completed",
                       "Validation has been completed.");
        test_connection(&pass, cancel);
    }
    if (g_cancellable_is_cancelled(cancel))
        return 0;
    if (!conditions_blocked(conditions))
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The host is ready.");
    status_write(kube, &KUBE_HOST, host, status_copy(host), conditions, "host", cancel, error);
    return conditions_blocked(conditions) ? AGAIN_SOON : AGAIN_LATER;
}
