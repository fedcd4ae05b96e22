/* kinds: names, and what a table shows of each. */
#include "cmd/kinds.h"
#include "base/clock.h"
#include "cmd/plan_words.h"
#include "crd/conditions.h"
#include <string.h>

/* ---- words ---- */

char *age_text(gint64 seconds)
{
    static const struct {
        gint64 most;
        gint64 unit;
        char letter;
    } steps[] = {{120, 1, 's'}, {120 * 60, 60, 'm'}, {48 * 3600, 3600, 'h'}, {G_MAXINT64, 86400, 'd'}};
    guint i = 0;

    while (seconds >= steps[i].most)
        i++;
    return g_strdup_printf("%" G_GINT64_FORMAT "%c", MAX(seconds, 0) / steps[i].unit, steps[i].letter);
}

char *bytes_text(gint64 bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = bytes;
    guint unit = 0;

    while (value >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        unit++;
    }
    return g_strdup_printf(unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static char *age(const json_t *json)
{
    gint64 made = clock_parse(json_string_at(json, "metadata.creationTimestamp", NULL));
    return made < 0 ? NULL : age_text((g_get_real_time() - made) / G_USEC_PER_SEC);
}

static const json_t *condition(const json_t *json, const char *type)
{
    return conditions_find(json_at(json, "status.conditions"), type);
}

static char *truth(const json_t *json, const char *type)
{
    return g_strdup(condition(json, type) ? "True" : "False");
}

static char *ready(const json_t *json)
{
    return truth(json, "Ready");
}
static char *connected(const json_t *json)
{
    return truth(json, "ConnectionTestSucceeded");
}
static char *loaded(const json_t *json)
{
    return truth(json, "InventoryCreated");
}

/* The first thing that stands in the way of Ready. */
static char *blocker(const json_t *json)
{
    const json_t *one;
    size_t i;

    json_array_foreach (json_at(json, "status.conditions"), i, one) {
        const char *category = json_string_at(one, "category", "");
        if (!strcmp(category, "Critical") || !strcmp(category, "Error"))
            return g_strdup(json_string_at(one, "type", ""));
    }
    return g_strdup(condition(json, "Ready") ? "Ready" : "Staging");
}

static char *kind_of(const json_t *json)
{
    return g_ascii_strdown(json_string_at(json, "kind", ""), -1);
}

/* ---- plans and migrations ---- */

static char *plan_vm_count(const json_t *json)
{
    return g_strdup_printf("%zu", json_array_size(json_at(json, "spec.vms")));
}
static char *plan_type(const json_t *json)
{
    return g_strdup(json_bool_at(json, "spec.warm", FALSE) ? "warm" : "cold");
}
static char *plan_status(const json_t *json)
{
    return g_strdup(plan_state(json));
}

static char *plan_progress(const json_t *json)
{
    gint64 done, total;

    plan_transferred(json, &done, &total);
    return total > 0 ? g_strdup_printf("%" G_GINT64_FORMAT " %%", done * 100 / total) : NULL;
}

static char *migration_vms(const json_t *json)
{
    gsize ended = 0;
    const json_t *vm;
    size_t i;

    json_array_foreach (json_at(json, "status.vms"), i, vm)
        ended += json_at(vm, "completed") != NULL;
    return g_strdup_printf("%zu/%zu", ended, json_array_size(json_at(json, "status.vms")));
}

static char *migration_status(const json_t *json)
{
    static const char *const types[] = {"Failed", "Canceled", "Succeeded", "Running"};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (condition(json, types[i]))
            return g_strdup(types[i]);
    return blocker(json);
}

static char *hook_playbook(const json_t *json)
{
    return g_strdup(*json_string_at(json, "spec.playbook", "") ? "yes" : "no");
}

static char *number(const json_t *json, const char *path)
{
    return json_at(json, path) ? g_strdup_printf("%" G_GINT64_FORMAT, json_int_at(json, path, 0)) : NULL;
}

static char *hook_deadline(const json_t *json)
{
    return number(json, "spec.deadline");
}

static char *map_pairs(const json_t *json)
{
    return g_strdup_printf("%zu", json_array_size(json_at(json, "spec.map")));
}

/* ---- the inventory: vSphere's and oVirt's members ---- */

static char *vm_power(const json_t *json)
{
    const char *state = json_string_at(json, "powerState", json_string_at(json, "status", ""));
    gboolean on = !strcmp(state, "poweredOn") || !strcmp(state, "up");

    return g_strdup(on ? "on" : !strcmp(state, "poweredOff") || !strcmp(state, "down") ? "off" : state);
}

static char *vm_cpus(const json_t *json)
{
    if (json_at(json, "cpuCount"))
        return number(json, "cpuCount");
    return g_strdup_printf("%" G_GINT64_FORMAT, json_int_at(json, "cpuSockets", 1) *
                                                    json_int_at(json, "cpuCores", 1) *
                                                    json_int_at(json, "cpuThreads", 1));
}

static char *vm_memory(const json_t *json)
{
    return bytes_text(json_at(json, "memoryMB") ? json_int_at(json, "memoryMB", 0) << 20
                                                : json_int_at(json, "memory", 0));
}

static char *vm_storage(const json_t *json)
{
    return json_at(json, "storageUsed") ? bytes_text(json_int_at(json, "storageUsed", 0)) : NULL;
}

static char *vm_guest(const json_t *json)
{
    return g_strdup(json_string_at(json, "guestName",
                                   json_string_at(json, "guestId", json_string_at(json, "osType", ""))));
}

/* Critical/warning/information. */
static char *vm_concerns(const json_t *json)
{
    guint counts[3] = {0};
    const json_t *one;
    size_t i;

    json_array_foreach (json_at(json, "concerns"), i, one) {
        const char *category = json_string_at(one, "category", "");
        counts[!strcmp(category, "Critical") ? 0 : !strcmp(category, "Warning") ? 1 : 2]++;
    }
    return g_strdup_printf("%u/%u/%u", counts[0], counts[1], counts[2]);
}

static char *capacity(const json_t *json)
{
    return json_at(json, "capacity")
               ? bytes_text(json_int_at(json, "capacity", 0))
               : bytes_text(json_int_at(json, "available", 0) + json_int_at(json, "used", 0));
}

static char *room(const json_t *json)
{
    return bytes_text(json_int_at(json, "free", json_int_at(json, "available", 0)));
}

static char *name_of(const json_t *json)
{
    return g_strdup(json_string_at(json, "name", json_string_at(json, "object.metadata.name", "")));
}

static char *id_of(const json_t *json)
{
    return g_strdup(json_string_at(json, "id", json_string_at(json, "uid", "")));
}

/* ---- tables ---- */

static const Column provider_columns[] = {{"NAME", "metadata.name"},
                                          {"TYPE", "spec.type"},
                                          {"STATUS", .text = blocker},
                                          {"CONNECTED", .text = connected},
                                          {"INVENTORY", .text = loaded},
                                          {"READY", .text = ready},
                                          {"URL", "spec.url"},
                                          {"AGE", .text = age, .wide = TRUE},
                                          {0}};
static const Column plan_columns[] = {{"NAME", "metadata.name"},
                                      {"TYPE", .text = plan_type},
                                      {"SOURCE", "spec.provider.source.name"},
                                      {"TARGET", "spec.targetNamespace"},
                                      {"VMS", .text = plan_vm_count},
                                      {"READY", .text = ready},
                                      {"STATUS", .text = plan_status},
                                      {"COPIED", .text = plan_progress},
                                      {"AGE", .text = age},
                                      {0}};
static const Column migration_columns[] = {{"NAME", "metadata.name"},
                                           {"PLAN", "spec.plan.name"},
                                           {"STATUS", .text = migration_status},
                                           {"VMS", .text = migration_vms},
                                           {"CUTOVER", "spec.cutover"},
                                           {"STARTED", "status.started"},
                                           {"COMPLETED", "status.completed"},
                                           {0}};
static const Column map_columns[] = {{"NAME", "metadata.name"},
                                     {"KIND", .text = kind_of},
                                     {"SOURCE", "spec.provider.source.name"},
                                     {"DESTINATION", "spec.provider.destination.name"},
                                     {"PAIRS", .text = map_pairs},
                                     {"READY", .text = ready},
                                     {"AGE", .text = age},
                                     {0}};
static const Column host_columns[] = {{"NAME", "metadata.name"},   {"PROVIDER", "spec.provider.name"},
                                      {"ID", "spec.id"},           {"ADDRESS", "spec.ipAddress"},
                                      {"STATUS", .text = blocker}, {"READY", .text = ready},
                                      {"AGE", .text = age},        {0}};
static const Column hook_columns[] = {{"NAME", "metadata.name"},
                                      {"IMAGE", "spec.image"},
                                      {"PLAYBOOK", .text = hook_playbook},
                                      {"DEADLINE", .text = hook_deadline},
                                      {"READY", .text = ready},
                                      {"AGE", .text = age},
                                      {0}};
static const Column vm_columns[] = {{"NAME", .text = name_of},      {"ID", .text = id_of},
                                    {"POWER", .text = vm_power},    {"CPU", .text = vm_cpus},
                                    {"MEMORY", .text = vm_memory},  {"STORAGE", .text = vm_storage},
                                    {"GUEST", .text = vm_guest},    {"CONCERNS", .text = vm_concerns},
                                    {"PATH", "path", .wide = TRUE}, {0}};
static const Column storage_columns[] = {{"NAME", .text = name_of}, {"ID", .text = id_of},
                                         {"TYPE", "type"},          {"CAPACITY", .text = capacity},
                                         {"FREE", .text = room},    {0}};
static const Column place_columns[] = {
    {"NAME", .text = name_of}, {"ID", .text = id_of}, {"PATH", "path"}, {0}};

#define RESOURCES(...) ((const KubeResource *const[]){__VA_ARGS__, NULL})

const Kind kinds[] = {
    {"provider providers", RESOURCES(&KUBE_PROVIDER), .columns = provider_columns,
     .what = "where VMs come from, or go to"},
    {"plan plans", RESOURCES(&KUBE_PLAN), .columns = plan_columns, .what = "which VMs move, and how"},
    {"migration migrations", RESOURCES(&KUBE_MIGRATION), .columns = migration_columns,
     .what = "one run of a plan"},
    {"mapping mappings map maps", RESOURCES(&KUBE_NETWORK_MAP, &KUBE_STORAGE_MAP), .columns = map_columns,
     .what = "network and storage mappings"},
    {"networkmap networkmaps", RESOURCES(&KUBE_NETWORK_MAP), .columns = map_columns,
     .what = "where networks lead in the target"},
    {"storagemap storagemaps", RESOURCES(&KUBE_STORAGE_MAP), .columns = map_columns,
     .what = "where disks go in the target"},
    {"host hosts", RESOURCES(&KUBE_HOST), .columns = host_columns,
     .what = "how a host of the source is read directly"},
    {"hook hooks", RESOURCES(&KUBE_HOOK), .columns = hook_columns,
     .what = "what runs before or after a VM's migration"},
    {"vm vms", NULL, "vms", "vms", "vms", vm_columns, "virtual machines of a provider"},
    {"network networks", NULL, "networks", "networks", "networkattachmentdefinitions", place_columns,
     "networks of a provider"},
    {"storage storages datastore datastores", NULL, "datastores", "storagedomains", "storageclasses",
     storage_columns, "storage of a provider"},
    {"inventory-host inventory-hosts", NULL, "hosts", "hosts", NULL, place_columns, "hosts of a provider"},
    {"cluster clusters", NULL, "clusters", "clusters", NULL, place_columns, "clusters of a provider"},
    {"datacenter datacenters", NULL, "datacenters", "datacenters", NULL, place_columns,
     "data centers of a provider"},
    {"folder folders", NULL, "folders", NULL, NULL, place_columns, "folders of a vCenter"},
    {"namespace namespaces", NULL, NULL, NULL, "namespaces", place_columns, "namespaces of a target"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

/* ---- finding ---- */

static const Kind *find(const char *word, gboolean objects, GError **error)
{
    g_autoptr(GString) there = g_string_new(NULL);

    for (const Kind *kind = kinds; kind->names; kind++) {
        g_auto(GStrv) names = g_strsplit(kind->names, " ", -1);
        if (objects && !kind->resources)
            continue;
        if (g_strv_contains((const char *const *)names, word))
            return kind;
        g_string_append_printf(there, "%s%s", there->len ? ", " : "", names[0]);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "there is no kind '%s'; there are %s", word,
                there->str);
    return NULL;
}

const Kind *kind_find(const char *word, GError **error)
{
    return find(word, FALSE, error);
}

const Kind *kind_find_object(const char *word, GError **error)
{
    return find(word, TRUE, error);
}

const char *kind_collection(const Kind *kind, const char *provider_type, GError **error)
{
    const char *found = !strcmp(provider_type, "vsphere") ? kind->vsphere
                        : !strcmp(provider_type, "ovirt") ? kind->ovirt
                                                          : kind->openshift;

    if (!found)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "a provider of type %s has no %s", provider_type,
                    strchr(kind->names, ' ') + 1);
    return found;
}

Object *kind_get(const Kind *kind, KubeClient *kube, const char *ns, const char *name,
                 const KubeResource **resource, GError **error)
{
    for (guint i = 0;; i++) {
        gboolean last = !kind->resources[i + 1];
        g_autoptr(GError) failed = NULL;
        Object *found = kube_get(kube, kind->resources[i], ns, name, NULL, &failed);
        if (found && resource)
            *resource = kind->resources[i];
        if (found)
            return found;
        if (last || !g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return NULL;
        }
    }
}

Object *provider_chosen(KubeClient *kube, const char *ns, const char *name, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    Object *found = NULL;

    if (name)
        return kube_get(kube, &KUBE_PROVIDER, ns, name, NULL, error);
    all = kube_list(kube, &KUBE_PROVIDER, ns, NULL, NULL, NULL, NULL, error);
    for (guint i = 0; all && i < all->len; i++) {
        Object *one = all->pdata[i];
        if (!strcmp(json_string_at(object_json(one), "spec.type", ""), "openshift"))
            continue;
        if (found) {
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                        "there are several source providers; say --provider NAME");
            return NULL;
        }
        found = one;
    }
    if (all && !found)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "there is no source provider in namespace %s; gantry create provider makes one", ns);
    return found ? object_ref(found) : NULL;
}
