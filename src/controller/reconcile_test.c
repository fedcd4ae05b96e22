/* reconcilers: each condition of Provider, NetworkMap, StorageMap, Hook, Host, Migration and
 * ForkliftController comes when it should, as conditions.def has it, with an Event, and goes with another
 * when its cause does. The objects are in a cluster of memory (plan/fake_world.h). A last test holds the
 * cases against the table: none is missing.
 */
#include "controller/controllers.h"
#include "controller/fake_stock.h"
#include "controller/live_settings.h"
#include "controller/status.h"
#include "plan/fake_world.h"
#include <string.h>

#define NS "openshift-mtv"
#define READY                                                                                                \
    "\"status\":{\"observedGeneration\":1,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}"
#define META(name) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"" NS "\"},"
#define PAIR       "\"provider\":{\"source\":{\"name\":\"vc\"},\"destination\":{\"name\":\"host\"}}"

/* ---- what controllers.c gives the reconcilers ---- */

KubeClient *controllers_kube(const Controllers *controllers)
{
    return (KubeClient *)controllers;
}
InventoryClient *controllers_inventory(const Controllers *controllers)
{
    return (InventoryClient *)controllers;
}

/* ---- a world in which everything is ready ---- */

static const struct {
    const KubeResource *resource;
    const char *json;
} good[] = {
    {&KUBE_PROVIDER, META("vc") "\"spec\":{\"type\":\"vsphere\",\"url\":\"https://127.0.0.1:1/sdk\","
                                "\"secret\":{\"name\":\"vc\"}}," READY "}"},
    {&KUBE_PROVIDER, META("host") "\"spec\":{\"type\":\"openshift\"}," READY "}"},
    {&KUBE_SECRET, META("vc") "\"stringData\":{\"user\":\"u\",\"password\":\"p\"}}"},
    {&KUBE_SECRET, META("esxi") "\"stringData\":{\"user\":\"u\",\"password\":\"p\"}}"},
    {&KUBE_STORAGE_CLASS, "{\"metadata\":{\"name\":\"standard\"}}"},
    {&KUBE_NETWORK_ATTACHMENT_DEFINITION, META("fast") "\"spec\":{}}"},
    {&KUBE_NETWORK_MAP,
     META("n") "\"spec\":{" PAIR ",\"map\":[{\"source\":{\"id\":\"network-1\"},\"destination\":{\"type\":"
               "\"multus\",\"name\":\"fast\",\"namespace\":\"" NS "\"}},{\"source\":{\"name\":\"network-2\"},"
               "\"destination\":{\"type\":\"pod\"}},{\"source\":{\"id\":\"network-3\"},\"destination\":"
               "{\"type\":\"ignored\"}}]}}"},
    {&KUBE_STORAGE_MAP, META("s") "\"spec\":{" PAIR ",\"map\":[{\"source\":{\"name\":\"datastore-1\"},"
                                  "\"destination\":{\"storageClass\":\"standard\"}}]}}"},
    {&KUBE_HOOK,
     META(
         "h") "\"spec\":{\"image\":\"quay.io/konveyor/hook-runner\",\"playbook\":\"LSBob3N0czogYWxsCg==\"}}"},
    {&KUBE_HOST, META("e") "\"spec\":{\"id\":\"host-1\",\"ipAddress\":\"10.0.0.1\",\"provider\":{\"name\":"
                           "\"vc\"},\"secret\":{\"name\":\"esxi\"}}}"},
    {&KUBE_PLAN, META("p") "\"spec\":{}," READY "}"},
    {&KUBE_MIGRATION, META("m") "\"spec\":{\"plan\":{\"name\":\"p\"}}}"},
    {&KUBE_FORKLIFT_CONTROLLER,
     META("f") "\"spec\":{\"feature_ui\":\"true\",\"controller_max_vm_inflight\":7}}"},
};

static const char *const in_inventory[] = {"network-1", "network-2", "network-3", "datastore-1", "host-1"};

typedef struct {
    const char *kind, *name;
    const KubeResource *resource;
    WorkQueueRun run;
} Reconciled;

static guint provider_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error)
{
    return fake_stock_reconcile(controllers, key, cancel, error);
}

static const Reconciled provider = {"Provider", "vc", &KUBE_PROVIDER, provider_reconcile};
static const Reconciled network_map = {"NetworkMap", "n", &KUBE_NETWORK_MAP, network_map_reconcile};
static const Reconciled storage_map = {"StorageMap", "s", &KUBE_STORAGE_MAP, storage_map_reconcile};
static const Reconciled hook = {"Hook", "h", &KUBE_HOOK, hook_reconcile};
static const Reconciled host = {"Host", "e", &KUBE_HOST, host_reconcile};
static const Reconciled migration = {"Migration", "m", &KUBE_MIGRATION, migration_reconcile};
static const Reconciled settings = {"ForkliftController", "f", &KUBE_FORKLIFT_CONTROLLER,
                                    forklift_controller_reconcile};

static void world_begin(void)
{
    fake_begin();
    fake_stock = (FakeStock){.stage = STOCK_READY, .about = "{\"apiType\":\"VirtualCenter\"}"};
    for (guint i = 0; i < G_N_ELEMENTS(in_inventory); i++)
        fake_set_power(in_inventory[i], POWER_OFF); /* so it is known */
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        object_unref(fake_add(good[i].resource, good[i].json));
}

static Object *get(const KubeResource *resource, const char *name)
{
    g_autoptr(GError) error = NULL;
    Object *object = kube_get(NULL, resource, NS, name, NULL, &error);

    g_assert_no_error(error);
    return object;
}

static json_t *reconcile(const Reconciled *what)
{
    g_autofree char *key = g_strdup_printf(NS "/%s", what->name);
    g_autoptr(GError) error = NULL;
    g_autoptr(Object) object = NULL;
    static int controllers;

    what->run(key, &controllers, NULL, &error);
    g_assert_no_error(error);
    object = get(what->resource, what->name);
    return json_incref(
        json_object_get(json_object_get((json_t *)object_json(object), "status"), "conditions"));
}

/* Its spec changes, if with nothing new, and so its generation. */
static void touch(const KubeResource *resource, const char *name, const json_t *patch)
{
    g_autoptr(Object) before = get(resource, name), after = NULL;
    g_autoptr(json_t) whole = json_deep_copy(patch);

    json_set_at_new(whole, "metadata.generation", json_integer(object_generation(before) + 1));
    after = kube_patch(NULL, resource, NS, name, KUBE_PATCH_MERGE, whole, NULL, NULL, NULL);
    g_assert_nonnull(after);
}

/* Of an object that is only read, its status is part of what can be wrong. */
static const Reconciled *under_test;
static gboolean reads_status_of(const KubeResource *resource)
{
    return resource != under_test->resource && (resource == &KUBE_PROVIDER || resource == &KUBE_PLAN);
}

/* As it was in the world that is ready. */
static void mend(const KubeResource *resource, const char *name)
{
    static const char *const sections[] = {"spec", "stringData", "status"};
    gboolean itself = !reads_status_of(resource);
    g_autoptr(json_t) bare = json_pack("{s:{s:n}}", "metadata", "annotations");

    touch(resource, name, bare);
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(json_t) json = json_loads(good[i].json, 0, NULL);
        if (good[i].resource != resource || strcmp(json_string_at(json, "metadata.name", ""), name))
            continue;
        for (guint s = 0; s < G_N_ELEMENTS(sections) - itself; s++) {
            g_autoptr(json_t) none = json_pack("{s:n}", sections[s]);
            g_autoptr(json_t) some = json_pack("{s:O*}", sections[s], json_object_get(json, sections[s]));
            touch(resource, name, none);
            touch(resource, name, some);
        }
        return;
    }
    g_assert_not_reached();
}

/* ---- the table ---- */

typedef struct {
    const char *kind, *type, *category, *reasons;
    gboolean items, durable;
} Listed;

static const Listed rows[] = {
#define CONDITION(kind, type, category, reasons, items, durable, file, since)                                \
    {#kind, #type, CONDITION_##category, reasons, items, durable},
#include "controller/conditions.def"
#undef CONDITION
};
static gboolean seen[G_N_ELEMENTS(rows)];

static guint row_of(const char *kind, const char *type)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(rows[i].kind, kind) && !strcmp(rows[i].type, type))
            return i;
    g_test_message("%s of %s is not in conditions.def", type, kind);
    g_assert_not_reached();
}

static gboolean lists(const char *reasons, const char *reason)
{
    g_auto(GStrv) all = g_strsplit(reasons, " ", -1);
    return !*reasons || g_strv_contains((const char *const *)all, reason);
}

/* Every condition that there is is as its row says. */
static void check_all(const char *kind, const json_t *conditions)
{
    size_t i;
    json_t *one;

    json_array_foreach (conditions, i, one) {
        guint n = row_of(kind, json_string_at(one, "type", ""));
        seen[n] = TRUE;
        g_assert_cmpstr(json_string_at(one, "category", ""), ==, rows[n].category);
        g_assert_cmpstr(json_string_at(one, "status", ""), ==, "True");
        g_assert_true(json_bool_at(one, "durable", FALSE) == rows[n].durable);
        g_assert_true(lists(rows[n].reasons, json_string_at(one, "reason", "")));
        g_assert_true(*json_string_at(one, "message", ""));
        g_assert_true(*json_string_at(one, "lastTransitionTime", ""));
        g_assert_true(rows[n].items || !json_object_get(one, "items"));
    }
}

static gboolean has_event(const char *name, const char *type, const char *category, gboolean gone)
{
    g_autoptr(GPtrArray) events = fake_all(&KUBE_EVENT);
    gboolean warning = !gone && (!strcmp(category, CONDITION_CRITICAL) || !strcmp(category, CONDITION_WARN));

    for (guint i = 0; i < events->len; i++) {
        const json_t *event = object_json(events->pdata[i]);
        if (!strcmp(json_string_at(event, "involvedObject.name", ""), name) &&
            !strcmp(json_string_at(event, "reason", ""), type) &&
            !strcmp(json_string_at(event, "type", ""), warning ? "Warning" : "Normal") &&
            g_str_has_prefix(json_string_at(event, "message", ""), "No longer: ") == gone)
            return TRUE;
    }
    return FALSE;
}

/* ---- one wrong thing, and then it is right again ---- */

static void names_are_ambiguous(gboolean on)
{
    fake_faults.names_are_ambiguous = on;
}
static void hosts_refuse(gboolean on)
{
    fake_faults.hosts_refuse = on;
}
static void host_is_in_maintenance(gboolean on)
{
    fake_faults.workload = on ? "{\"inMaintenance\":true}" : NULL;
}
static void host_is_red(gboolean on)
{
    fake_faults.workload = on ? "{\"status\":\"red\"}" : NULL;
}
static void host_is_yellow(gboolean on)
{
    fake_faults.workload = on ? "{\"status\":\"yellow\"}" : NULL;
}

static void source_is_away(gboolean on)
{
    g_clear_error(&fake_stock.error);
    fake_stock.stage = on ? STOCK_BROKEN : STOCK_READY;
    if (on)
        g_set_error(&fake_stock.error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "nobody answers");
}
static void source_refuses(gboolean on)
{
    g_clear_error(&fake_stock.error);
    fake_stock.stage = on ? STOCK_REFUSED : STOCK_READY;
    if (on)
        g_set_error(&fake_stock.error, GANTRY_ERROR, ERROR_SOURCE_LOGIN, "wrong password");
}
static void source_has_more_to_say(gboolean on)
{
    fake_stock.stage = on ? STOCK_LOADING : STOCK_READY;
}
static void source_is_a_host(gboolean on)
{
    fake_stock.about = on ? "{\"apiType\":\"HostAgent\"}" : "{\"apiType\":\"VirtualCenter\"}";
}
static void account_lacks_rights(gboolean on)
{
    fake_stock.missing_rights =
        on ? "{\"powerOff\":[\"VirtualMachine.Interact.PowerOff\"],\"lease\":[\"VApp.Export\"]}" : NULL;
}
static void rules_contradict(gboolean on)
{
    fake_stock.validation_problem = on ? "two rules have one name" : NULL;
}

typedef struct {
    const char *what;
    const Reconciled *reconciled;
    /* what is patched, and how; or what else goes wrong */
    const KubeResource *resource;
    const char *name, *patch;
    void (*fault)(gboolean on);
    const char *type, *reason, *text; /* text: in the message or the items; NULL reason: none */
} Case;

#define MAPS(var, kind_name, resource, object)                                                               \
    {kind_name " without a source",                                                                          \
     &var,                                                                                                   \
     &resource,                                                                                              \
     object,                                                                                                 \
     "{\"spec\":{\"provider\":{\"source\":null}}}",                                                          \
     NULL,                                                                                                   \
     "SourceProviderNotValid",                                                                               \
     "NotSet",                                                                                               \
     "spec.provider.source"},                                                                                \
        {kind_name " with a source that is not there",                                                       \
         &var,                                                                                               \
         &resource,                                                                                          \
         object,                                                                                             \
         "{\"spec\":{\"provider\":{\"source\":{\"name\":\"x\"}}}}",                                          \
         NULL,                                                                                               \
         "SourceProviderNotValid",                                                                           \
         "NotFound",                                                                                         \
         "'x'"},                                                                                             \
        {kind_name " with a source that is not ready",                                                       \
         &var,                                                                                               \
         &KUBE_PROVIDER,                                                                                     \
         "vc",                                                                                               \
         "{\"status\":null}",                                                                                \
         NULL,                                                                                               \
         "SourceProviderNotReady",                                                                           \
         NULL,                                                                                               \
         "'vc'"},                                                                                            \
        {kind_name " without a destination",                                                                 \
         &var,                                                                                               \
         &resource,                                                                                          \
         object,                                                                                             \
         "{\"spec\":{\"provider\":{\"destination\":null}}}",                                                 \
         NULL,                                                                                               \
         "DestinationProviderNotValid",                                                                      \
         "NotSet",                                                                                           \
         "spec.provider.destination"},                                                                       \
        {kind_name " with a destination that is not there",                                                  \
         &var,                                                                                               \
         &resource,                                                                                          \
         object,                                                                                             \
         "{\"spec\":{\"provider\":{\"destination\":{\"name\":\"x\"}}}}",                                     \
         NULL,                                                                                               \
         "DestinationProviderNotValid",                                                                      \
         "NotFound",                                                                                         \
         "'x'"},                                                                                             \
        {kind_name " with a destination that is a source",                                                   \
         &var,                                                                                               \
         &resource,                                                                                          \
         object,                                                                                             \
         "{\"spec\":{\"provider\":{\"destination\":{\"name\":\"vc\"}}}}",                                    \
         NULL,                                                                                               \
         "DestinationProviderNotValid",                                                                      \
         "TypeNotValid",                                                                                     \
         "openshift"},                                                                                       \
    {                                                                                                        \
        kind_name " with a destination that is not ready", &var, &KUBE_PROVIDER, "host",                     \
            "{\"status\":null}", NULL, "DestinationProviderNotReady", NULL, "'host'"                         \
    }
#define TO_POD "\"destination\":{\"type\":\"pod\"}"

static const Case cases[] = {
    {"a provider of another type", &provider, &KUBE_PROVIDER, "vc", "{\"spec\":{\"type\":\"kvm\"}}", NULL,
     "ProviderTypeNotSupported", "NotSupported", "'kvm'"},
    {"a provider without a url", &provider, &KUBE_PROVIDER, "vc", "{\"spec\":{\"url\":null}}", NULL,
     "UrlNotValid", "NotSet", "spec.url"},
    {"a provider with a url in the clear", &provider, &KUBE_PROVIDER, "vc",
     "{\"spec\":{\"url\":\"http://vc/sdk\"}}", NULL, "UrlNotValid", "Malformed", "https://HOST"},
    {"a provider without a Secret", &provider, &KUBE_PROVIDER, "vc", "{\"spec\":{\"secret\":null}}", NULL,
     "SecretNotValid", "NotSet", "spec.secret"},
    {"a provider with a Secret that is not there", &provider, &KUBE_PROVIDER, "vc",
     "{\"spec\":{\"secret\":{\"name\":\"x\"}}}", NULL, "SecretNotValid", "NotFound", "'x'"},
    {"a provider with a Secret without a password", &provider, &KUBE_SECRET, "vc",
     "{\"stringData\":{\"password\":null}}", NULL, "SecretNotValid", "DataErr", "password"},
    {"a provider that is not what its settings say", &provider, &KUBE_PROVIDER, "vc",
     "{\"spec\":{\"settings\":{\"sdkEndpoint\":\"vcenter\"}}}", source_is_a_host, "SettingsNotValid",
     "DataErr", "an ESXi host"},
    {"a provider whose certificate is not verified", &provider, &KUBE_SECRET, "vc",
     "{\"stringData\":{\"insecureSkipVerify\":\"true\"}}", NULL, "ConnectionInsecure", "SkipTLSVerification",
     "insecureSkipVerify"},
    {"a provider that does not answer", &provider, NULL, NULL, NULL, source_is_away, "ConnectionTestFailed",
     "Tested", "nobody answers"},
    {"a provider that refuses the login", &provider, NULL, NULL, NULL, source_refuses, "ConnectionAuthFailed",
     "Tested", "wrong password"},
    {"a provider that is loaded", &provider, NULL, NULL, NULL, source_has_more_to_say, "LoadInventory",
     "Started", "Loading"},
    {"a provider whose account may do too little", &provider, NULL, NULL, NULL, account_lacks_rights,
     "InsufficientPrivileges", "PrivilegesNotGranted", "VirtualMachine.Interact.PowerOff to shut VMs down"},
    {"a provider whose VMs cannot be validated", &provider, NULL, NULL, NULL, rules_contradict,
     "VMsNotValidated", "ValidationFailed", "one name"},

    MAPS(network_map, "a network map", KUBE_NETWORK_MAP, "n"),
    {"a network without id and name", &network_map, &KUBE_NETWORK_MAP, "n",
     "{\"spec\":{\"map\":[{\"source\":{}," TO_POD "}]}}", NULL, "SourceNetworkNotValid", "NotSet", "(empty)"},
    {"a network that is not there", &network_map, &KUBE_NETWORK_MAP, "n",
     "{\"spec\":{\"map\":[{\"source\":{\"id\":\"network-9\"}," TO_POD "}]}}", NULL, "SourceNetworkNotValid",
     "NotFound", "id:network-9"},
    {"a network of which there are several", &network_map, NULL, NULL, NULL, names_are_ambiguous,
     "SourceNetworkNotValid", "Ambiguous", "name:'network-2'"},
    {"a network to something else", &network_map, &KUBE_NETWORK_MAP, "n",
     "{\"spec\":{\"map\":[{\"source\":{\"id\":\"network-1\"},\"destination\":{\"type\":\"bridge\"}}]}}", NULL,
     "DestinationNetworkNotValid", "NotValid", "pod, multus or ignored"},
    {"a network to a definition without namespace", &network_map, &KUBE_NETWORK_MAP, "n",
     "{\"spec\":{\"map\":[{\"source\":{\"id\":\"network-1\"},\"destination\":{\"type\":\"multus\",\"name\":"
     "\"fast\"}}]}}",
     NULL, "DestinationNetworkNotValid", "Ambiguous", "/fast"},
    {"a network to a definition that is not there", &network_map, &KUBE_NETWORK_MAP, "n",
     "{\"spec\":{\"map\":[{\"source\":{\"id\":\"network-1\"},\"destination\":{\"type\":\"multus\",\"name\":"
     "\"slow\",\"namespace\":\"" NS "\"}}]}}",
     NULL, "DestinationNetworkNotValid", "NotFound", NS "/slow"},

    MAPS(storage_map, "a storage map", KUBE_STORAGE_MAP, "s"),
    {"a datastore without id and name", &storage_map, &KUBE_STORAGE_MAP, "s",
     "{\"spec\":{\"map\":[{\"source\":{},\"destination\":{\"storageClass\":\"standard\"}}]}}", NULL,
     "SourceStorageNotValid", "NotSet", "(empty)"},
    {"a datastore that is not there", &storage_map, &KUBE_STORAGE_MAP, "s",
     "{\"spec\":{\"map\":[{\"source\":{\"id\":\"datastore-9\"},\"destination\":{\"storageClass\":"
     "\"standard\"}}]"
     "}}",
     NULL, "SourceStorageNotValid", "NotFound", "id:datastore-9"},
    {"a datastore of which there are several", &storage_map, NULL, NULL, NULL, names_are_ambiguous,
     "SourceStorageNotValid", "Ambiguous", "name:'datastore-1'"},
    {"a datastore to no class", &storage_map, &KUBE_STORAGE_MAP, "s",
     "{\"spec\":{\"map\":[{\"source\":{\"name\":\"datastore-1\"},\"destination\":{}}]}}", NULL,
     "DestinationStorageNotValid", "NotSet", "(empty)"},
    {"a datastore to a class that is not there", &storage_map, &KUBE_STORAGE_MAP, "s",
     "{\"spec\":{\"map\":[{\"source\":{\"name\":\"datastore-1\"},\"destination\":{\"storageClass\":\"gold\"}}"
     "]}}",
     NULL, "DestinationStorageNotValid", "NotFound", "gold"},

    {"a hook without an image", &hook, &KUBE_HOOK, "h", "{\"spec\":{\"image\":null}}", NULL, "InvalidImage",
     "NotSet", "spec.image"},
    {"a hook with a playbook in the clear", &hook, &KUBE_HOOK, "h",
     "{\"spec\":{\"playbook\":\"- hosts: all\"}}", NULL, "InvalidPlaybook", "DataError", "base64"},

    {"a host without a provider", &host, &KUBE_HOST, "e", "{\"spec\":{\"provider\":null}}", NULL,
     "ProviderNotValid", "NotSet", "spec.provider"},
    {"a host of a provider that is not there", &host, &KUBE_HOST, "e",
     "{\"spec\":{\"provider\":{\"name\":\"x\"}}}", NULL, "ProviderNotValid", "NotFound", "does not exist"},
    {"a host of a provider that is not ready", &host, &KUBE_PROVIDER, "vc", "{\"status\":null}", NULL,
     "ProviderNotReady", NULL, "not ready"},
    {"a host of a cluster", &host, &KUBE_HOST, "e", "{\"spec\":{\"provider\":{\"name\":\"host\"}}}", NULL,
     "TypeNotValid", "TypeErr", "vsphere"},
    {"a host without id and name", &host, &KUBE_HOST, "e", "{\"spec\":{\"id\":null}}", NULL, "RefNotValid",
     "NotSet", "spec.id"},
    {"a host that is not there", &host, &KUBE_HOST, "e", "{\"spec\":{\"id\":\"host-9\"}}", NULL,
     "RefNotValid", "NotFound", "no host"},
    {"a host without an address", &host, &KUBE_HOST, "e", "{\"spec\":{\"ipAddress\":\"\"}}", NULL,
     "IpNotValid", "NotSet", "spec.ipAddress"},
    {"a host with a port", &host, &KUBE_HOST, "e", "{\"spec\":{\"ipAddress\":\"10.0.0.1:443\"}}", NULL,
     "IpNotValid", "Malformed", "port"},
    {"a host with a Secret that is not there", &host, &KUBE_HOST, "e",
     "{\"spec\":{\"secret\":{\"name\":\"x\"}}}", NULL, "SecretNotValid", "NotFound", "does not exist"},
    {"a host with a Secret without a password", &host, &KUBE_SECRET, "esxi",
     "{\"stringData\":{\"password\":null}}", NULL, "SecretNotValid", "DataErr", "password"},
    {"a host in maintenance", &host, NULL, NULL, NULL, host_is_in_maintenance, "InMaintenance",
     "StateEvaluated", "maintenance"},
    {"a host that is red", &host, NULL, NULL, NULL, host_is_red, "NotHealthy", "StateEvaluated", "red"},
    {"a host that is yellow", &host, NULL, NULL, NULL, host_is_yellow, "HostStatusNotGreen", "StateEvaluated",
     "yellow"},
    {"a host with a limit that is no amount", &host, &KUBE_HOST, "e",
     "{\"metadata\":{\"annotations\":{\"gantry.io/bandwidth-limit\":\"fast\"}}}", NULL, "BandwidthLimitNotValid",
     "NotValid", "gantry.io/bandwidth-limit"},
    {"a host that refuses the login", &host, &KUBE_HOST, "e", "{\"spec\":{\"ipAddress\":\"10.0.0.2\"}}",
     hosts_refuse, "ConnectionTestFailed", "Tested", "10.0.0.2 refuses"},

    {"a migration without a plan", &migration, &KUBE_MIGRATION, "m", "{\"spec\":{\"plan\":{\"name\":null}}}",
     NULL, "PlanNotValid", "NotSet", "spec.plan"},
    {"a migration of a plan that is not there", &migration, &KUBE_MIGRATION, "m",
     "{\"spec\":{\"plan\":{\"name\":\"x\"}}}", NULL, "PlanNotValid", "NotFound", "'x'"},
    {"a migration of a plan that is not ready", &migration, &KUBE_PLAN, "p", "{\"status\":null}", NULL,
     "PlanNotReady", "NotFound", "'p'"},

    {"a setting that is no number", &settings, &KUBE_FORKLIFT_CONTROLLER, "f",
     "{\"spec\":{\"controller_max_vm_inflight\":\"many\"}}", NULL, "SettingNotValid", "NotValid",
     "controller_max_vm_inflight: must be a number from 1 to 10000"},
    {"a setting that nothing reads", &settings, &KUBE_FORKLIFT_CONTROLLER, "f",
     "{\"spec\":{\"contoller_max_vm_inflight\":7}}", NULL, "SettingUnknown", "NotFound",
     "contoller_max_vm_inflight"},
};

static void break_it(const Case *one)
{
    g_autoptr(json_t) patch = one->patch ? json_loads(one->patch, 0, NULL) : json_object();

    if (one->fault)
        one->fault(TRUE);
    if (one->resource)
        touch(one->resource, one->name, patch);
    else
        touch(one->reconciled->resource, one->reconciled->name, patch);
}

static void mend_it(const Case *one)
{
    if (one->fault)
        one->fault(FALSE);
    if (one->resource)
        mend(one->resource, one->name);
    if (one->resource != one->reconciled->resource) /* it is looked at anew */
        mend(one->reconciled->resource, one->reconciled->name);
}

static gboolean says(const json_t *condition, const char *text)
{
    size_t i;
    json_t *item;

    if (strstr(json_string_at(condition, "message", ""), text))
        return TRUE;
    json_array_foreach (json_object_get(condition, "items"), i, item)
        if (strstr(json_string_value(item), text))
            return TRUE;
    return FALSE;
}

static gboolean is_ready_or_has_no_such_thing(const Reconciled *what, const json_t *conditions)
{
    return what == &settings || conditions_find(conditions, "Ready");
}

/* A provider that is being loaded is not ready either. */
static gboolean is_blocking(const Case *one, const char *category)
{
    return !strcmp(category, CONDITION_CRITICAL) || !strcmp(one->type, "LoadInventory");
}

static void a_condition_comes_and_goes(gconstpointer data)
{
    const Case *one = data;
    g_autoptr(json_t) before = NULL, during = NULL, again = NULL, after = NULL;
    const json_t *found;
    const char *category = rows[row_of(one->reconciled->kind, one->type)].category;

    world_begin();
    under_test = one->reconciled;
    before = reconcile(one->reconciled);
    check_all(one->reconciled->kind, before);
    g_assert_true(is_ready_or_has_no_such_thing(one->reconciled, before));
    g_assert_null(conditions_find(before, one->type));

    break_it(one);
    during = reconcile(one->reconciled);
    check_all(one->reconciled->kind, during);
    found = conditions_find(during, one->type);
    g_assert_nonnull(found);
    g_assert_cmpstr(json_string_at(found, "reason", NULL), ==, one->reason);
    g_assert_true(says(found, one->text));
    g_assert_true(is_blocking(one, category) == !conditions_find(during, "Ready") ||
                  one->reconciled == &settings);
    g_assert_true(has_event(one->reconciled->name, one->type, category, FALSE));
    again = reconcile(one->reconciled);
    g_assert_true(json_equal(during, again)); /* nor does its time move */

    mend_it(one);
    after = reconcile(one->reconciled);
    check_all(one->reconciled->kind, after);
    g_assert_null(conditions_find(after, one->type));
    g_assert_true(is_ready_or_has_no_such_thing(one->reconciled, after));
    g_assert_true(has_event(one->reconciled->name, one->type, category, TRUE));
    fake_end();
}

/* ---- a Migration shows what its plan's history says ---- */

static void set_history(const char *condition, gboolean several)
{
    g_autoptr(Object) run = get(&KUBE_MIGRATION, "m");
    g_autoptr(json_t) status =
        json_pack("{s:{s:{s:[{s:{s:s}, s:[{s:s, s:s}]}], s:[{s:s, s:s}, {s:s, s:s}], s:s}}}", "status",
                  "migration", "history", "migration", "uid", object_uid(run), "conditions", "type",
                  condition, "status", "True", "vms", "id", "vm-1", "name", "web", "id", "vm-2", "name",
                  several ? "web" : "db", "started", "2026-01-01T00:00:00Z");

    if (strcmp(condition, "Executing"))
        json_set_at_new(status, "status.migration.completed", json_string("2026-01-01T01:00:00Z"));
    touch(&KUBE_PLAN, "p", status);
}

static void a_migration_says_how_it_goes(void)
{
    static const char *const ends[] = {"Succeeded", "Failed", "Canceled"};

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autoptr(json_t) running = NULL, ended = NULL, later = NULL;
        world_begin();
        under_test = &migration;
        json_decref(reconcile(&migration));
        set_history("Executing", FALSE);
        running = reconcile(&migration);
        check_all("Migration", running);
        g_assert_nonnull(conditions_find(running, "Running"));
        g_assert_null(conditions_find(running, ends[i]));
        set_history(ends[i], FALSE);
        ended = reconcile(&migration);
        check_all("Migration", ended);
        g_assert_null(conditions_find(ended, "Running"));
        g_assert_nonnull(conditions_find(ended, ends[i]));
        g_assert_true(has_event("m", "Running", CONDITION_ADVISORY, TRUE));
        g_assert_true(has_event("m", ends[i], CONDITION_ADVISORY, FALSE));
        mend(&KUBE_PLAN, "p"); /* the plan forgets: the Migration does not */
        later = reconcile(&migration);
        g_assert_nonnull(conditions_find(later, ends[i]));
        fake_end();
    }
}

static void wrong_cancels_are_said(void)
{
    g_autoptr(json_t) lost = json_pack("{s:{s:[{s:s}]}}", "spec", "cancel", "id", "vm-9");
    g_autoptr(json_t) twice = json_pack("{s:{s:[{s:s}]}}", "spec", "cancel", "name", "web");
    g_autoptr(json_t) first = NULL, second = NULL, third = NULL;

    world_begin();
    under_test = &migration;
    json_decref(reconcile(&migration));
    set_history("Executing", TRUE);
    touch(&KUBE_MIGRATION, "m", lost);
    first = reconcile(&migration);
    check_all("Migration", first);
    g_assert_true(says(conditions_find(first, "VMNotFound"), "vm-9"));
    g_assert_nonnull(conditions_find(first, "Ready"));
    touch(&KUBE_MIGRATION, "m", twice);
    second = reconcile(&migration);
    check_all("Migration", second);
    g_assert_null(conditions_find(second, "VMNotFound"));
    g_assert_true(says(conditions_find(second, "VMNotUnique"), "web"));
    g_assert_true(has_event("m", "VMNotFound", CONDITION_WARN, TRUE));
    mend(&KUBE_MIGRATION, "m");
    third = reconcile(&migration);
    g_assert_null(conditions_find(third, "VMNotUnique"));
    fake_end();
}

/* ---- settings in a process that reconciles them not ---- */

static void note_interval(const Settings *now, gpointer seconds)
{
    *(gint *)seconds = now->policy_interval_s;
}

static void settings_are_live_in_the_inventory_too(void)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:s}}", "spec", "validation_policy_agent_search_interval", "7");
    gint seconds = 0;

    world_begin();
    {
        g_autoptr(LiveSettings) live = live_settings_start(NULL, note_interval, &seconds);
        g_autoptr(Object) before = get(&KUBE_FORKLIFT_CONTROLLER, "f"), after = NULL;
        fake_informer_tell(NULL, before);
        g_assert_cmpint(seconds, ==, 120);
        touch(&KUBE_FORKLIFT_CONTROLLER, "f", patch);
        after = get(&KUBE_FORKLIFT_CONTROLLER, "f");
        fake_informer_tell(before, after);
        g_assert_cmpint(seconds, ==, 7);
        fake_delete_all(&KUBE_FORKLIFT_CONTROLLER);
        fake_informer_tell(after, NULL);
        g_assert_cmpint(seconds, ==, 120);
    }
    fake_end();
}

/* ---- the table and the cases ---- */

static void no_row_is_without_a_case(void)
{
    static const char *const kinds[] = {"NetworkMap", "StorageMap",         "Hook", "Host",
                                        "Migration",  "ForkliftController", NULL};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strv_contains(kinds, rows[i].kind) && !seen[i]) {
            g_test_message("%s of %s was never said", rows[i].type, rows[i].kind);
            g_test_fail();
        }
}

int main(int argc, char **argv)
{
    g_setenv("LOG_LEVEL", "0", FALSE);
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/controller/reconcile/%s", cases[i].what);
        g_test_add_data_func(path, &cases[i], a_condition_comes_and_goes);
    }
    g_test_add_func("/controller/reconcile/a migration says how it goes", a_migration_says_how_it_goes);
    g_test_add_func("/controller/reconcile/wrong cancels are said", wrong_cancels_are_said);
    g_test_add_func("/controller/reconcile/settings are live in the inventory too",
                    settings_are_live_in_the_inventory_too);
    g_test_add_func("/controller/reconcile/no row is without a case", no_row_is_without_a_case);
    return g_test_run();
}
