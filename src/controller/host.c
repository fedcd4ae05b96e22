/* host: an ESXi host's address in the migration network: known to the inventory, healthy, and answering. */
#include "controller/controllers.h"
#include "controller/status.h"
#include "plan/provider_access.h"
#include <string.h>

enum { RETRY_CONNECTION = 15 * 60 * 1000, CONNECT_TIMEOUT_S = 10 };

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
    g_autoptr(GError) problem = NULL;

    *out = kube_get(controllers_kube(pass->controllers), resource, reference_namespace(ref, pass->host),
                    json_string_at(ref, "name", ""), cancel, &problem);
    if (*out || g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static gboolean check_provider(Pass *pass, GCancellable *cancel, GError **error)
{
    const json_t *ref = json_at(object_json(pass->host), "spec.provider");

    if (!*json_string_at(ref, "name", "")) {
        critical(pass, "ProviderNotValid", "NotSet",
                 "spec.provider is not set: name the vSphere Provider of the host.");
        return TRUE;
    }
    if (!look_up(pass, &KUBE_PROVIDER, ref, &pass->provider, cancel, error))
        return FALSE;
    if (!pass->provider)
        critical(pass, "ProviderNotValid", "NotFound", "spec.provider names a Provider that does not exist.");
    else if (strcmp(json_string_at(object_json(pass->provider), "spec.type", ""), "vsphere"))
        critical(pass, "TypeNotValid", "TypeErr", "spec.provider must be of type vsphere.");
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
    if (json_bool_at(pass->found, "inMaintenance", FALSE))
        critical(pass, "InMaintenance", "StateEvaluated", "The host is in maintenance mode.");
    if (!strcmp(json_string_at(pass->found, "status", ""), "red"))
        critical(pass, "NotHealthy", "StateEvaluated", "The host's status is red.");
}

/* A Secret is optional: without one the disks are read with a ticket from vCenter. */
static gboolean check_secret(Pass *pass, GCancellable *cancel, GError **error)
{
    const json_t *ref = json_at(object_json(pass->host), "spec.secret");
    g_autofree char *user = NULL, *password = NULL;

    if (!*json_string_at(ref, "name", ""))
        return TRUE;
    if (!look_up(pass, &KUBE_SECRET, ref, &pass->secret, cancel, error))
        return FALSE;
    if (!pass->secret) {
        critical(pass, "SecretNotValid", "NotFound", "spec.secret names a Secret that does not exist.");
        return TRUE;
    }
    user = secret_text(pass->secret, "user");
    password = secret_text(pass->secret, "password");
    if (!user || !password)
        critical(pass, "SecretNotValid", "DataErr", "The Secret must have the keys user and password.");
    return TRUE;
}

/* The certificate must be the one that vCenter, itself verified, knows of this host. */
static gboolean connect(Pass *pass, GCancellable *cancel, GError **error)
{
    g_autofree char *url =
        g_strdup_printf("https://%s/sdk", json_string_at(object_json(pass->host), "spec.ipAddress", ""));
    g_autofree char *user = secret_text(pass->secret, "user"),
                    *password = secret_text(pass->secret, "password");
    const char *thumbprint = json_string_at(pass->found, "thumbprint", "");
    SourceAccess access = {.type = "vsphere",
                           .url = url,
                           .user = user,
                           .password = password,
                           .trust = {.fingerprint = *thumbprint ? thumbprint : NULL}};
    g_autoptr(Source) source = NULL;
    g_autoptr(json_t) about = NULL;
    HttpCertificate *seen;
    gboolean same;

    if (pass->secret) {
        source = source_open(&access, error);
        about = source ? source_about(source, cancel, error) : NULL;
        return about != NULL;
    }
    seen = http_peer_certificate(url, CONNECT_TIMEOUT_S, cancel, error);
    if (!seen)
        return FALSE;
    same = !*thumbprint || !g_ascii_strcasecmp(seen->sha1, thumbprint);
    if (!same)
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE,
                    "%s shows a certificate with fingerprint %s; vCenter knows %s", url, seen->sha1,
                    thumbprint);
    http_certificate_free(seen);
    return same;
}

/* Once per version of the Host; a failure is tried again after a while, so that no account is locked. */
static guint test_connection(Pass *pass, GCancellable *cancel)
{
    const json_t *status = json_object_get(object_json(pass->host), "status");
    gboolean same = json_int_at(status, "observedGeneration", -1) == object_generation(pass->host);
    g_autoptr(GError) problem = NULL;

    if ((same && object_condition(pass->host, "ConnectionTestSucceeded")) ||
        connect(pass, cancel, &problem)) {
        conditions_set(pass->conditions, "ConnectionTestSucceeded", CONDITION_REQUIRED, "Tested",
                       "The host answers.");
        return AGAIN_LATER;
    }
    conditions_set(pass->conditions, "ConnectionTestFailed", CONDITION_CRITICAL, "Tested", "%s. %s",
                   problem->message, error_remedy(problem));
    return RETRY_CONNECTION;
}

static gboolean validate(Pass *pass, GCancellable *cancel, GError **error)
{
    if (!check_provider(pass, cancel, error))
        return FALSE;
    if (!*json_string_at(object_json(pass->host), "spec.ipAddress", ""))
        critical(pass, "IpNotValid", "NotSet",
                 "spec.ipAddress is not set: give the host's address in the migration network.");
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

guint host_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    KubeClient *kube = controllers_kube(data);
    g_autoptr(Object) host = status_get(kube, &KUBE_HOST, key, cancel, error);
    g_autoptr(Conditions) conditions = host ? status_conditions(host) : NULL;
    g_auto(Pass) pass = {.controllers = data, .host = host, .conditions = conditions};
    guint again = AGAIN_SOON;

    if (!host || !validate(&pass, cancel, error))
        return AGAIN_SOON * (host != NULL);
    if (!conditions_blocked(conditions)) {
        conditions_set(conditions, "Validated", CONDITION_ADVISORY, "Completed",
                       "Validation has been completed.");
        again = test_connection(&pass, cancel);
    }
    if (!conditions_blocked(conditions))
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The host is ready.");
    status_write(kube, &KUBE_HOST, host, status_copy(host), conditions, "host", cancel, error);
    return again;
}
