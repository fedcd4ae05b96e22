/* preflight: sums per storage class, MACs that are in use, and the plan's own size. */
#include "plan/preflight.h"
#include "kube/quantity.h"
#include "plan/check_vms.h"
#include "plan/fit.h"
#include "plan/mapping.h"
#include <errno.h>
#include <string.h>

#define CAPACITY     "gantry.io/capacity-bytes"
#define LARGEST_FILE "gantry.io/largest-file-bytes"

/* ---- room ---- */

static void need_free(gpointer data)
{
    StorageNeed *need = data;
    g_free(need->storage_class);
    g_free(need);
}

GPtrArray *preflight_needs_new(void)
{
    return g_ptr_array_new_with_free_func(need_free);
}

void preflight_need(GPtrArray *needs, const char *storage_class, guint64 bytes)
{
    StorageNeed *need = NULL;

    for (guint i = 0; i < needs->len && !need; i++)
        if (!g_strcmp0(((StorageNeed *)needs->pdata[i])->storage_class, storage_class))
            need = needs->pdata[i];
    if (!need) {
        need = g_new0(StorageNeed, 1);
        need->storage_class = g_strdup(storage_class);
        g_ptr_array_add(needs, need);
    }
    if (!g_uint64_checked_add(&need->needed, need->needed, bytes))
        need->needed = G_MAXUINT64;
    need->disks++;
    need->largest = MAX(need->largest, bytes);
}

/* "<vm id>/<disk>" of the DataVolumes that earlier runs of this plan made: their room is taken already. */
static GHashTable *disks_there(PlanCheck *check, GCancellable *cancel, GError **error)
{
    const char *ns = json_string_at(object_json(check->plan), "spec.targetNamespace", "");
    g_autofree char *selector = g_strdup_printf("plan=%s", object_uid(check->plan));
    g_autoptr(GPtrArray) volumes =
        kube_list(check->target, &KUBE_DATA_VOLUME, ns, selector, NULL, NULL, cancel, error);
    GHashTable *there;

    if (!volumes)
        return NULL;
    there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < volumes->len; i++)
        g_hash_table_add(there, g_strdup_printf("%s/%s", object_label(volumes->pdata[i], "vmID", ""),
                                                object_label(volumes->pdata[i], TARGET_DISK_LABEL, "")));
    return there;
}

static void add_needs(PlanCheck *check, const CheckedVm *checked, GHashTable *there, GPtrArray *needs)
{
    g_autofree char *vm = target_label_value(checked->vm->id);

    for (guint i = 0; i < checked->vm->disks->len; i++) {
        const VmDisk *disk = checked->vm->disks->pdata[i];
        g_autofree char *id = target_label_value(disk->id), *key = g_strdup_printf("%s/%s", vm, id);
        TargetStorage storage;
        if (!g_hash_table_contains(there, key) &&
            mapping_storage(object_json(check->storage_map), disk, &storage, NULL))
            preflight_need(needs, storage.storage_class, target_disk_size(disk->size));
    }
}

/* A number of bytes that a storage class says of itself; FALSE: it does not. */
static gboolean says(const Object *class, const char *annotation, guint64 *bytes)
{
    const char *text = object_annotation(class, annotation, "");
    return *text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, bytes, NULL);
}

static void too_small(PlanCheck *check, const char *reason, const char *item)
{
    conditions_add_item(check->conditions, "TargetTooSmall", CONDITION_CRITICAL, reason,
                        "The target has not the room for the plan's disks: make some, or map the datastore "
                        "to another storage "
                        "class.",
                        item);
}

static void compare_largest(PlanCheck *check, const StorageNeed *need, const Object *class)
{
    guint64 largest;
    g_autofree char *needed = g_format_size_full(need->largest, G_FORMAT_SIZE_IEC_UNITS), *text = NULL,
                    *item = NULL;

    if (!says(class, LARGEST_FILE, &largest) || need->largest <= largest)
        return;
    text = g_format_size_full(largest, G_FORMAT_SIZE_IEC_UNITS);
    item = g_strdup_printf("storage class %s: a disk needs a file of %s, the largest that it holds has %s",
                           need->storage_class, needed, text);
    too_small(check, "TargetTooSmall", item);
}

static gboolean compare(PlanCheck *check, const StorageNeed *need, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) class =
        kube_get(check->target, &KUBE_STORAGE_CLASS, NULL, need->storage_class, cancel, &problem);
    g_autofree char *needed = g_format_size_full(need->needed, G_FORMAT_SIZE_IEC_UNITS), *free_text = NULL,
                    *item = NULL;
    guint64 free_bytes;

    if (!class && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!class)
        return TRUE;
    compare_largest(check, need, class);
    if (!says(class, CAPACITY, &free_bytes) || need->needed <= free_bytes)
        return TRUE;
    free_text = g_format_size_full(free_bytes, G_FORMAT_SIZE_IEC_UNITS);
    item = g_strdup_printf("storage class %s: %u disks need %s, %s is free", need->storage_class, need->disks,
                           needed, free_text);
    too_small(check, "TargetTooSmall", item);
    return TRUE;
}

/* ---- quotas of the target namespace ---- */

#define OF_CLASS ".storageclass.storage.k8s.io/"

/* Of a quota that no controller has looked at yet, or where there is none, its spec counts. */
static const json_t *hard_of(const Object *quota)
{
    const json_t *hard = json_at(object_json(quota), "status.hard");
    return hard ? hard : json_at(object_json(quota), "spec.hard");
}

/* A limit may be written as a number too. */
static gboolean parse_limit(const json_t *value, guint64 *out)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = json_integer_value(value);
        return TRUE;
    }
    return json_is_string(value) && quantity_parse(json_string_value(value), out, NULL);
}

static gboolean is_counted(const Object *claim, const char *class)
{
    return !*class || !strcmp(json_string_at(object_json(claim), "spec.storageClassName", ""), class);
}

/* What the namespace's claims take of it, where the quota does not say that. */
static guint64 count_claims(const GPtrArray *claims, const char *resource)
{
    const char *suffix = strstr(resource, OF_CLASS);
    g_autofree char *class = suffix ? g_strndup(resource, suffix - resource) : g_strdup("");
    gboolean bytes = g_str_has_suffix(resource, "requests.storage");
    guint64 sum = 0, size;

    for (guint i = 0; i < claims->len; i++) {
        const char *text =
            json_string_at(object_json(claims->pdata[i]), "spec.resources.requests.storage", "0");
        if (!is_counted(claims->pdata[i], class) || !quantity_parse(text, &size, NULL))
            continue;
        if (!g_uint64_checked_add(&sum, sum, bytes ? size : 1))
            sum = G_MAXUINT64;
    }
    return sum;
}

/* A quota, and the claims that are in its namespace. */
typedef struct {
    const Object *quota;
    const GPtrArray *claims;
} Quota;

static void compare_quota(PlanCheck *check, const Quota *limits, const char *resource, guint64 needed)
{
    const Object *quota = limits->quota;
    const json_t *hard = json_object_get(hard_of(quota), resource);
    const json_t *used = json_object_get(json_at(object_json(quota), "status.used"), resource);
    guint64 most, taken = 0;
    g_autofree char *item = NULL, *limit = NULL, *amount = NULL;

    if (!parse_limit(hard, &most))
        return;
    if (!used)
        taken = count_claims(limits->claims, resource);
    else if (!parse_limit(used, &taken))
        return;
    if (most >= taken && needed <= most - taken)
        return;
    limit = json_is_string(hard) ? g_strdup(json_string_value(hard))
                                 : g_strdup_printf("%" G_GUINT64_FORMAT, most);
    amount = json_is_string(used) ? g_strdup(json_string_value(used))
                                  : g_strdup_printf("%" G_GUINT64_FORMAT, taken);
    item = g_strdup_printf(
        "ResourceQuota %s: %s is %s, of which %s is used; the plan needs %" G_GUINT64_FORMAT " more",
        object_name(quota), resource, limit, amount, needed);
    too_small(check, "QuotaExceeded", item);
}

static void compare_quota_of_class(PlanCheck *check, const Quota *quota, const StorageNeed *need)
{
    g_autofree char *bytes = g_strconcat(need->storage_class, OF_CLASS "requests.storage", NULL);
    g_autofree char *claims = g_strconcat(need->storage_class, OF_CLASS "persistentvolumeclaims", NULL);

    compare_quota(check, quota, bytes, need->needed);
    compare_quota(check, quota, claims, need->disks);
}

/* A cluster that knows no quotas has none. */
static gboolean check_quotas(PlanCheck *check, GPtrArray *needs, GCancellable *cancel, GError **error)
{
    const char *ns = json_string_at(object_json(check->plan), "spec.targetNamespace", "");
    g_autoptr(GError) problem = NULL;
    g_autoptr(GPtrArray) quotas =
        kube_list(check->target, &KUBE_RESOURCE_QUOTA, ns, NULL, NULL, NULL, cancel, &problem);
    g_autoptr(GPtrArray) claims = NULL;
    guint64 bytes = 0, disks = 0;

    if (!quotas && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    for (guint i = 0; i < needs->len; i++) {
        const StorageNeed *need = needs->pdata[i];
        if (!g_uint64_checked_add(&bytes, bytes, need->needed))
            bytes = G_MAXUINT64;
        disks += need->disks;
    }
    if (!quotas || !quotas->len)
        return TRUE;
    claims = kube_list(check->target, &KUBE_PERSISTENT_VOLUME_CLAIM, ns, NULL, NULL, NULL, cancel, error);
    for (guint q = 0; claims && q < quotas->len; q++) {
        Quota quota = {quotas->pdata[q], claims};
        compare_quota(check, &quota, "requests.storage", bytes);
        compare_quota(check, &quota, "persistentvolumeclaims", disks);
        for (guint i = 0; i < needs->len; i++)
            compare_quota_of_class(check, &quota, needs->pdata[i]);
    }
    return claims != NULL;
}

static gboolean check_room(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) needs = preflight_needs_new();
    g_autoptr(GHashTable) there = disks_there(check, cancel, error);

    if (!there)
        return FALSE;
    for (guint i = 0; i < vms->len; i++)
        add_needs(check, vms->pdata[i], there, needs);
    for (guint i = 0; i < needs->len; i++)
        if (!compare(check, needs->pdata[i], cancel, error))
            return FALSE;
    return check_quotas(check, needs, cancel, error);
}

/* ---- MACs ---- */

/* Lower-case MAC → "namespace/name" of the VirtualMachine that has it. */
static GHashTable *macs_in_use(PlanCheck *check, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) machines =
        kube_list(check->target, &KUBE_VIRTUAL_MACHINE, NULL, NULL, NULL, NULL, cancel, error);
    GHashTable *macs;
    size_t j;
    json_t *interface;

    if (!machines)
        return NULL;
    macs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < machines->len; i++) {
        const Object *machine = machines->pdata[i];
        if (!strcmp(object_label(machine, "plan", ""), object_uid(check->plan)))
            continue;
        json_array_foreach (json_at(object_json(machine), "spec.template.spec.domain.devices.interfaces"), j,
                            interface)
            if (*json_string_at(interface, "macAddress", ""))
                g_hash_table_insert(
                    macs, g_ascii_strdown(json_string_at(interface, "macAddress", ""), -1),
                    g_strdup_printf("%s/%s", object_namespace(machine), object_name(machine)));
    }
    return macs;
}

static gboolean check_macs(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autoptr(GHashTable) macs = macs_in_use(check, cancel, error);

    if (!macs)
        return FALSE;
    for (guint i = 0; i < vms->len; i++) {
        const CheckedVm *checked = vms->pdata[i];
        for (guint n = 0; n < checked->vm->nics->len; n++) {
            const char *mac = ((const VmNic *)checked->vm->nics->pdata[n])->mac;
            g_autofree char *lower = mac ? g_ascii_strdown(mac, -1) : NULL, *item = NULL;
            const char *other = lower ? g_hash_table_lookup(macs, lower) : NULL;
            if (!other)
                continue;
            item = g_strdup_printf("%s: %s is also in VirtualMachine %s", checked->text, lower, other);
            conditions_add_item(check->conditions, "MacConflicts", CONDITION_CRITICAL, "MacConflicts",
                                "A VM's MAC address is in use in the target: remove that VirtualMachine or "
                                "change its address.",
                                item);
        }
    }
    return TRUE;
}

/* ---- the plan itself ---- */

/* Its object has to hold the records of all its VMs, also when they are as short as they can be. */
static void check_size(PlanCheck *check, GPtrArray *vms)
{
    gsize room = fit_room(check->plan), least = 0;

    for (guint i = 0; i < vms->len; i++) {
        const CheckedVm *checked = vms->pdata[i];
        least += fit_least(checked->spec, checked->vm);
    }
    if (least > room)
        conditions_set(check->conditions, "PlanTooLarge", CONDITION_CRITICAL, "TooLarge",
                       "spec.vms: the records of %u VMs and their disks need about %" G_GSIZE_FORMAT
                       " KiB of the plan's status, which has room for %" G_GSIZE_FORMAT
                       " KiB: deal the VMs out to several plans.",
                       vms->len, least >> 10, room >> 10);
}

/* ---- what the target cluster has to have ---- */

gboolean preflight_target(PlanCheck *check, GCancellable *cancel, GError **error)
{
    static const struct {
        const char *path, *name;
    } parts[] = {{"/apis/kubevirt.io/v1", "KubeVirt (kubevirt.io/v1)"},
                 {"/apis/cdi.kubevirt.io/v1beta1", "CDI (cdi.kubevirt.io/v1beta1)"}};

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GError) problem = NULL;
        g_autoptr(json_t) resources = kube_get_path(check->target, parts[i].path, cancel, &problem);
        if (resources)
            continue;
        if (!g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        conditions_add_item(
            check->conditions, "DestinationNotSupported", CONDITION_CRITICAL, "NotFound",
            "The destination cluster lacks what virtual machines need: install OpenShift Virtualization, or "
            "KubeVirt and CDI.",
            parts[i].name);
    }
    return TRUE;
}

gboolean preflight_run(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    check_size(check, vms);
    return check_room(check, vms, cancel, error) && check_macs(check, vms, cancel, error);
}
