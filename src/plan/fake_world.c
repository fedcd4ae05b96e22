/* fake_world: lists of objects, and rules for how they change. */
#include "plan/fake_world.h"
#include "inventory/client.h"
#include "kube/patch.h"
#include "kube/selector.h"
#include "target/child.h"
#include "target/data_volume.h"
#include <string.h>

FakeFaults fake_faults;

typedef struct {
    const KubeResource *resource;
    Object *object;
    gint64 since_us;  /* monotonic, when it was created */
    gboolean counted; /* an importer that has not ended */
} Stored;

static GRecMutex lock;
static GHashTable *stored;        /* "plural/namespace/name" → Stored */
static GHashTable *of_vms;        /* "plural/vmID" → GPtrArray of Stored, borrowed */
static GHashTable *loads, *peaks; /* host or datastore → guint: importers now, and at most */
static FakeScale scale;
static GPtrArray *news; /* of Object: changed by this tick */
static void (*changed)(const Object *object, gpointer user_data);
static gpointer changed_data;
static GHashTable *powers;     /* vm id → PowerState */
static GHashTable *counts;     /* "what/vm id" → guint */
static GHashTable *wanted;     /* vm id → what it was told last, until the next tick */
static GHashTable *open_disks; /* ids of those that the source has opened */
static guint serial, worlds; /* worlds: no two have a UID in common */

static void stored_free(gpointer data)
{
    object_unref(((Stored *)data)->object);
    g_free(data);
}

void fake_begin(void)
{
    stored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, stored_free);
    of_vms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    loads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    peaks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    scale = (FakeScale){0};
    news = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    changed = NULL;
    powers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake_faults = (FakeFaults){0};
    serial = 0;
    worlds++;
    fake_set_power("vm-1", POWER_ON);
    fake_set_power("vm-2", POWER_ON);
}

void fake_end(void)
{
    fake_snapshots_end();
    g_clear_pointer(&of_vms, g_hash_table_unref);
    g_clear_pointer(&news, g_ptr_array_unref);
    g_clear_pointer(&stored, g_hash_table_unref);
    g_clear_pointer(&loads, g_hash_table_unref);
    g_clear_pointer(&peaks, g_hash_table_unref);
    g_clear_pointer(&open_disks, g_hash_table_unref);
    g_clear_pointer(&powers, g_hash_table_unref);
    g_clear_pointer(&counts, g_hash_table_unref);
    g_clear_pointer(&wanted, g_hash_table_unref);
}

/* ---- kube ---- */

static void take_time(void)
{
    if (scale.call_us)
        g_usleep(scale.call_us);
}

static char *key_of(const KubeResource *resource, const char *ns, const char *name)
{
    return g_strdup_printf("%s/%s/%s", resource->plural, resource->namespaced && ns ? ns : "", name);
}

static Stored *find(const KubeResource *resource, const char *ns, const char *name)
{
    g_autofree char *key = key_of(resource, ns, name);
    return g_hash_table_lookup(stored, key);
}

/* Children of the same VM, made when there are none yet. */
static GPtrArray *of_vm(const KubeResource *resource, const char *vm)
{
    g_autofree char *key = g_strdup_printf("%s/%s", resource->plural, vm);
    GPtrArray *list = g_hash_table_lookup(of_vms, key);

    if (!list) {
        list = g_ptr_array_new();
        g_hash_table_insert(of_vms, g_steal_pointer(&key), list);
    }
    return list;
}

/* ---- importers, counted ---- */

static guint number_of(const char *vm_id)
{
    const char *digits = strrchr(vm_id, '-');
    return digits ? atoi(digits + 1) : 0;
}

static char *host_of(const char *vm_id)
{
    return scale.hosts ? g_strdup_printf("host-%u", number_of(vm_id) % scale.hosts) : g_strdup("host-1");
}

static char *datastore_of(const char *vm_id)
{
    return scale.vms ? g_strdup_printf("datastore-%u", number_of(vm_id) / 7 % 10) : g_strdup("datastore-1");
}

/* From half to one and a half of a part, and never the same for long. */
static guint64 varied(const char *vm_id, guint64 part)
{
    return part / 2 + part * (number_of(vm_id) * 7919 % 1000) / 1000;
}

static guint64 disk_size(const char *vm_id)
{
    return scale.vms ? varied(vm_id, 64 << 20) : (5 << 20) + 512;
}

static void add_load(const char *take_of, gint change)
{
    guint now = GPOINTER_TO_UINT(g_hash_table_lookup(loads, take_of)) + change;

    if (now > GPOINTER_TO_UINT(g_hash_table_lookup(peaks, take_of)))
        g_hash_table_insert(peaks, g_strdup(take_of), GUINT_TO_POINTER(now));
    g_hash_table_insert(loads, (char *)take_of, GUINT_TO_POINTER(now));
}

static void count_importer(Stored *pod, gboolean runs)
{
    const char *vm_id = object_label(pod->object, "vmID", "");

    if (pod->resource != &KUBE_POD || pod->counted == runs ||
        strcmp(object_label(pod->object, "forklift.app", ""), "importer"))
        return;
    pod->counted = runs;
    add_load(host_of(vm_id), runs ? 1 : -1);
    add_load(datastore_of(vm_id), runs ? 1 : -1);
}

guint fake_most_importers(const char *of)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(peaks, of));
}

/* ---- storing ---- */

static Stored *store(const KubeResource *resource, const char *ns, json_t *take)
{
    Stored *one = g_new0(Stored, 1);

    *one =
        (Stored){.resource = resource, .object = object_new_take(take), .since_us = g_get_monotonic_time()};
    g_hash_table_insert(stored, key_of(resource, ns, object_name(one->object)), one);
    g_ptr_array_add(of_vm(resource, object_label(one->object, "vmID", "")), one);
    count_importer(one, TRUE);
    return one;
}

static void unstore(Stored *one)
{
    g_autofree char *key = key_of(one->resource, object_namespace(one->object), object_name(one->object));

    count_importer(one, FALSE);
    g_ptr_array_remove(of_vm(one->resource, object_label(one->object, "vmID", "")), one);
    g_hash_table_remove(stored, key);
}

static Object *not_found(const KubeResource *resource, const char *name, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s \"%s\" not found", resource->plural, name);
    return NULL;
}

KubeClient *kube_client_ref(KubeClient *client)
{
    return client;
}
void kube_client_unref(KubeClient *client) {}

KubeClient *kube_client_new_token(const char *server, const HttpTrust *trust, const char *token,
                                  GError **error)
{
    return (KubeClient *)&lock;
}

Object *kube_get(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                 GCancellable *cancel, GError **error)
{
    Object *found = NULL;
    Stored *one;

    take_time();
    g_rec_mutex_lock(&lock);
    one = find(resource, ns, name);
    found = one ? object_ref(one->object) : not_found(resource, name, error);
    g_rec_mutex_unlock(&lock);
    return found;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(object_name(*(Object *const *)a), object_name(*(Object *const *)b));
}

/* The VM that a selector asks for, or NULL. */
static char *vm_of_selector(const char *selector)
{
    const char *vm = selector ? strstr(selector, "vmID=") : NULL;
    return vm ? g_strndup(vm + 5, strcspn(vm + 5, ",")) : NULL;
}

static GPtrArray *candidates(const KubeResource *resource, const char *label_selector)
{
    g_autofree char *vm = vm_of_selector(label_selector);
    GPtrArray *list;
    GHashTableIter iter;
    gpointer one;

    if (vm)
        return g_ptr_array_ref(of_vm(resource, vm));
    list = g_ptr_array_new();
    g_hash_table_iter_init(&iter, stored);
    while (g_hash_table_iter_next(&iter, NULL, &one))
        if (((Stored *)one)->resource == resource)
            g_ptr_array_add(list, one);
    return list;
}

/* In the order of names, as an API server lists. */
GPtrArray *kube_list(KubeClient *client, const KubeResource *resource, const char *ns,
                     const char *label_selector, const char *field_selector, char **resource_version,
                     GCancellable *cancel, GError **error)
{
    g_autoptr(Selector) selector = selector_parse_labels(label_selector, error);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_autoptr(GPtrArray) all = NULL;

    g_assert_nonnull(selector);
    take_time();
    g_rec_mutex_lock(&lock);
    all = candidates(resource, label_selector);
    for (guint i = 0; i < all->len; i++) {
        Stored *one = all->pdata[i];
        if ((!ns || !g_strcmp0(object_namespace(one->object), ns)) &&
            selector_matches(selector, object_json(one->object)))
            g_ptr_array_add(list, object_ref(one->object));
    }
    g_rec_mutex_unlock(&lock);
    g_ptr_array_sort(list, by_name);
    return list;
}

/* Of the paths that tell what an API server serves. */
json_t *kube_get_path(KubeClient *client, const char *path, GCancellable *cancel, GError **error)
{
    if (!fake_faults.target_is_bare)
        return json_object();
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "there is no %s", path);
    return NULL;
}

Object *kube_create(KubeClient *client, const KubeResource *resource, const char *ns, const json_t *body,
                    GCancellable *cancel, GError **error)
{
    json_t *json = json_deep_copy(body);
    g_autofree char *uid = NULL, *name = NULL;
    Stored *one;
    Object *made;

    ns = ns ? ns : json_string_at(body, "metadata.namespace", NULL);
    take_time();
    g_rec_mutex_lock(&lock);
    uid = g_strdup_printf("uid-%u-%05u", worlds, ++serial);
    name = g_strdup_printf("%s%05u", json_string_at(json, "metadata.generateName", ""), serial);
    json_set_at_new(json, "metadata.uid", json_string(uid));
    json_set_at_new(json, "metadata.generation", json_integer(1));
    if (ns)
        json_set_at_new(json, "metadata.namespace", json_string(ns));
    if (!*json_string_at(json, "metadata.name", ""))
        json_set_at_new(json, "metadata.name", json_string(name));
    if (find(resource, ns, json_string_at(json, "metadata.name", ""))) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_ALREADY_EXISTS, "exists");
        json_decref(json);
        g_rec_mutex_unlock(&lock);
        return NULL;
    }
    one = store(resource, ns, json);
    made = object_ref(one->object);
    g_rec_mutex_unlock(&lock);
    return made;
}

Object *kube_create_or_get(KubeClient *client, const KubeResource *resource, const char *ns,
                           const json_t *body, gboolean *created, GCancellable *cancel, GError **error)
{
    Object *found;

    ns = ns ? ns : json_string_at(body, "metadata.namespace", NULL);
    g_rec_mutex_lock(&lock);
    found = kube_get(client, resource, ns, json_string_at(body, "metadata.name", ""), cancel, NULL);
    *created = !found;
    if (!found)
        found = kube_create(client, resource, ns, body, cancel, error);
    g_rec_mutex_unlock(&lock);
    return found;
}

static void replace(Stored *one, json_t *take)
{
    object_unref(one->object);
    one->object = object_new_take(take);
}

Object *kube_patch(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                   KubePatchType type, const json_t *patch, const char *subresource, GCancellable *cancel,
                   GError **error)
{
    Object *result = NULL;
    Stored *one;

    take_time();
    g_rec_mutex_lock(&lock);
    one = find(resource, ns, name);
    if (one) {
        replace(one, patch_merge(object_json(one->object), patch, NULL));
        result = object_ref(one->object);
    } else
        not_found(resource, name, error);
    g_rec_mutex_unlock(&lock);
    return result;
}

gboolean kube_update_status(KubeClient *client, const KubeResource *resource, const json_t *body,
                            GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:n}", "status");
    const char *ns = json_string_at(body, "metadata.namespace", NULL), *name = json_string_at(body, "metadata.name", "");
    Stored *one;

    take_time();
    g_rec_mutex_lock(&lock);
    one = find(resource, ns, name);
    if (one) {
        json_t *json = patch_merge(object_json(one->object), patch, NULL);
        json_object_set(json, "status", json_object_get(body, "status"));
        replace(one, json);
    } else
        not_found(resource, name, error);
    g_rec_mutex_unlock(&lock);
    return one != NULL;
}

static gboolean is_owned_by(const Object *object, const char *uid)
{
    size_t i;
    json_t *owner;

    json_array_foreach (json_at(object_json(object), "metadata.ownerReferences"), i, owner)
        if (!strcmp(json_string_at(owner, "uid", ""), uid))
            return TRUE;
    return FALSE;
}

/* A deleted VirtualMachine takes its disks with it. */
static void collect_garbage(const char *uid)
{
    g_autoptr(GPtrArray) volumes = candidates(&KUBE_DATA_VOLUME, NULL);

    for (guint i = 0; i < volumes->len; i++)
        if (is_owned_by(((Stored *)volumes->pdata[i])->object, uid))
            unstore(volumes->pdata[i]);
}

gboolean kube_delete(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                     const char *propagation, GCancellable *cancel, GError **error)
{
    gboolean done;
    Stored *one;

    take_time();
    g_rec_mutex_lock(&lock);
    one = find(resource, ns, name);
    done = one != NULL;
    if (one) {
        g_autofree char *uid = g_strdup(object_uid(one->object));
        gboolean owner = resource == &KUBE_VIRTUAL_MACHINE;
        unstore(one);
        if (owner)
            collect_garbage(uid);
    } else
        not_found(resource, name, error);
    g_rec_mutex_unlock(&lock);
    return done;
}

json_t *kube_pod_proxy_get(KubeClient *client, const char *ns, const char *pod, guint port, const char *path,
                           GCancellable *cancel, GError **error)
{
    return json_pack("{s:s, s:i, s:i}", "phase", "Copying", "bytesDone", 3 << 20, "bytesPerSecond", 1000);
}

json_t *kube_pod_proxy_put(KubeClient *client, const char *ns, const char *pod, guint port, const char *path,
                           const json_t *body, GCancellable *cancel, GError **error)
{
    json_t *progress = kube_pod_proxy_get(client, ns, pod, port, "/progress", cancel, error);
    json_object_set(progress, "bytesPerSecondLimit", json_object_get(body, "bytesPerSecond"));
    return progress;
}

Object *fake_add(const KubeResource *resource, const char *text)
{
    g_autoptr(json_t) json = json_loads(text, 0, NULL);
    g_assert_nonnull(json);
    return kube_create(NULL, resource,
                       resource->namespaced ? json_string_at(json, "metadata.namespace", NULL) : NULL, json,
                       NULL, NULL);
}

GPtrArray *fake_all(const KubeResource *resource)
{
    return kube_list(NULL, resource, NULL, NULL, NULL, NULL, NULL, NULL);
}

void fake_delete_all(const KubeResource *resource)
{
    g_autoptr(GPtrArray) all = fake_all(resource);
    for (guint i = 0; i < all->len; i++)
        kube_delete(NULL, resource, object_namespace(all->pdata[i]), object_name(all->pdata[i]), NULL, NULL,
                    NULL);
}

/* ---- inventory ---- */

static gboolean known(const char *id)
{
    return g_hash_table_contains(powers, id);
}

json_t *inventory_get(InventoryClient *client, const Object *provider, const char *collection, const char *id,
                      GCancellable *cancel, GError **error)
{
    g_autofree char *name = g_strdup_printf("Guest_%s", id), *host = host_of(id);
    g_autoptr(json_t) more = NULL;
    json_t *workload;

    take_time();
    if (fake_faults.inventory_is_away) {
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_UNAVAILABLE, "the inventory is away");
        return NULL;
    }
    if (!known(id)) {
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "no VM %s", id);
        return NULL;
    }
    workload = json_pack("{s:s, s:s, s:{s:s}}", "id", id, "name", name, "host", "id", host);
    more = fake_faults.workload ? json_loads(fake_faults.workload, 0, NULL) : NULL;
    json_object_update(workload, more);
    return workload;
}

json_t *inventory_find(InventoryClient *client, const Object *provider, const char *collection,
                       const json_t *ref, GCancellable *cancel, GError **error)
{
    const char *id = json_string_at(ref, "id", ""), *name = json_string_at(ref, "name", "");

    if (fake_faults.names_are_ambiguous && !*id) {
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_AMBIGUOUS, "several objects are named %s", name);
        return NULL;
    }
    return inventory_get(client, provider, collection,
                         *id                                ? id
                         : g_str_has_prefix(name, "Guest_") ? name + 6
                                                            : name,
                         cancel, error);
}

/* ---- source ---- */

struct Source {
    int unused;
};
static Source the_source;

Source *source_open(const SourceAccess *access, GError **error)
{
    return &the_source;
}
void source_close(Source *source) {}

PowerState fake_power(const char *vm_id)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(powers, vm_id));
}

void fake_set_power(const char *vm_id, PowerState power)
{
    g_hash_table_insert(powers, g_strdup(vm_id), GINT_TO_POINTER(power));
}

guint fake_count(const char *what, const char *vm_id)
{
    g_autofree char *key = g_strdup_printf("%s/%s", what, vm_id);
    return GPOINTER_TO_UINT(g_hash_table_lookup(counts, key));
}

static void count(const char *what, const char *vm_id)
{
    g_hash_table_insert(counts, g_strdup_printf("%s/%s", what, vm_id),
                        GUINT_TO_POINTER(fake_count(what, vm_id) + 1));
}

static gboolean reachable(GError **error)
{
    if (fake_faults.source_is_away)
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "vCenter is away");
    return !fake_faults.source_is_away;
}

gboolean source_power_state(Source *source, const char *vm_id, PowerState *state, GCancellable *cancel,
                            GError **error)
{
    g_rec_mutex_lock(&lock);
    *state = fake_power(vm_id);
    g_rec_mutex_unlock(&lock);
    return reachable(error);
}

static gboolean tell(const char *what, const char *vm_id, GError **error)
{
    g_rec_mutex_lock(&lock);
    count(what, vm_id);
    g_hash_table_insert(wanted, g_strdup(vm_id), (gpointer)what);
    g_rec_mutex_unlock(&lock);
    return reachable(error);
}

gboolean source_shut_down_guest(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    if (fake_faults.guests_cannot_ask) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "VMware Tools is not running");
        return FALSE;
    }
    return tell("ask", vm_id, error);
}

json_t *source_missing_rights(Source *source, const json_t *workloads, GCancellable *cancel, GError **error)
{
    json_t *missing = json_object();
    size_t i;
    json_t *workload;

    json_array_foreach (workloads, i, workload)
        json_object_set_new(missing, json_string_at(workload, "id", ""),
                            json_loads(fake_faults.missing_rights ? fake_faults.missing_rights : "{}", 0, NULL));
    return missing;
}

gboolean source_power_off(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    return tell("cut", vm_id, error);
}

gboolean source_power_on(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    return tell("on", vm_id, error);
}

Vm *source_describe(const char *type, const json_t *workload, GError **error)
{
    Vm *vm = vm_new();

    vm->id = g_strdup(json_string_at(workload, "id", ""));
    vm->name = g_strdup(json_string_at(workload, "name", ""));
    vm->memory = 1 << 30;
    vm->powered_on = !strcmp(json_string_at(workload, "powerState", ""), "poweredOn");
    vm->needs_conversion = !fake_faults.drivers_are_doubted;
    for (int i = 0; i < (scale.vms ? 1 : 2); i++) {
        VmDisk *disk = vm_add_disk(vm);
        disk->id = g_strdup_printf("%d", 2000 + i);
        disk->name = g_strdup_printf("[ds] %s/%d.vmdk", vm->id, i);
        disk->storage_id = datastore_of(vm->id);
        disk->size = disk_size(vm->id);
        disk->boot = i == 0;
        disk->bus = fake_faults.drivers_are_doubted ? VM_BUS_SATA : VM_BUS_VIRTIO;
    }
    vm_add_nic(vm)->network_id = g_strdup("network-1");
    return vm;
}

/* ---- a source that opens disks before they can be read ---- */

guint fake_open_disks(void)
{
    return open_disks ? g_hash_table_size(open_disks) : 0;
}

json_t *source_unreachable(Source *source, const json_t *workloads, GCancellable *cancel, GError **error)
{
    return json_object();
}

gboolean source_check_host(Source *source, const SourceHost *host, GCancellable *cancel, GError **error)
{
    if (fake_faults.hosts_refuse)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_LOGIN, "%s refuses the login", host->address);
    return !fake_faults.hosts_refuse;
}

guint source_host_port(const char *type)
{
    return 443;
}

gboolean source_hosts_log_in(const char *type)
{
    return TRUE;
}

char *source_reader(const char *type, const json_t *workload, const char *disk_id, GError **error)
{
    return g_strdup(fake_faults.reader ? fake_faults.reader : "https");
}

/* As oVirt's: noted first, opened then; one that is open already is taken up. */
json_t *source_grant(Source *source, const json_t *workload, const char *disk_id, const char *snapshot,
                     const SourceHost *host, char **grant, char **why, GCancellable *cancel, GError **error)
{
    *why = fake_faults.disks_are_locked ? g_strdup("The disk is locked") : NULL;
    if (*why)
        return NULL;
    if (fake_faults.disks_are_files)
        return json_pack("{s:s, s:s}", "type", "https", "generation", disk_id);
    if (!*grant) {
        *grant = g_strdup("asked");
        return NULL;
    }
    g_rec_mutex_lock(&lock);
    if (!open_disks)
        open_disks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(open_disks, g_strconcat(json_string_at(workload, "id", ""), "/", disk_id, NULL));
    g_rec_mutex_unlock(&lock);
    g_free(*grant);
    *grant = g_strconcat(json_string_at(workload, "id", ""), "/", disk_id, NULL);
    return json_pack("{s:s}", "type", "https");
}

gboolean source_keep(Source *source, const char *grant, GCancellable *cancel, GError **error)
{
    return TRUE;
}

gboolean source_revoke(Source *source, const char *disk_id, gboolean whole, char **grant,
                       GCancellable *cancel, GError **error)
{
    GHashTableIter iterator;
    gpointer open;

    if (!*grant)
        return TRUE;
    g_rec_mutex_lock(&lock);
    if (open_disks)
        g_hash_table_iter_init(&iterator, open_disks);
    while (open_disks && g_hash_table_iter_next(&iterator, &open, NULL))
        if (!strcmp(open, *grant) || (!strcmp(*grant, "asked") && g_str_has_suffix(open, disk_id)))
            g_hash_table_iter_remove(&iterator);
    g_rec_mutex_unlock(&lock);
    g_clear_pointer(grant, g_free);
    return TRUE;
}

/* ---- time passes ---- */

static void set_status(Stored *one, json_t *take_status)
{
    json_t *copy = json_copy((json_t *)object_json(one->object));
    json_object_set_new(copy, "status", take_status);
    replace(one, copy);
    g_ptr_array_add(news, object_ref(one->object));
}

static json_t *ended(const char *message, const char *vm_id)
{
    gboolean good = !message || strstr(message, "\"Completed\"");
    g_autofree char *report = message
                                  ? g_strdup(message)
                                  : g_strdup_printf("{\"result\":\"Completed\",\"size\":%" G_GUINT64_FORMAT
                                                    ",\"hash\":\"xxh3-128:0\",\"readBack\":\"equal\"}",
                                                    disk_size(vm_id));
    return json_pack("{s:s, s:[{s:{s:{s:i, s:s, s:s}}}]}", "phase", good ? "Succeeded" : "Failed",
                     "containerStatuses", "state", "terminated", "exitCode", good ? 0 : 1, "finishedAt",
                     "2026-01-01T00:00:00Z", "message", report);
}

static gboolean is_copied(const Stored *pod)
{
    const char *vm_id = object_label(pod->object, "vmID", "");
    return g_get_monotonic_time() - pod->since_us >= (gint64)varied(vm_id, scale.copy_ms) * 1000;
}

/* A kubelet waits for what a Pod mounts. */
static gboolean has_its_secrets(const Stored *pod)
{
    size_t i;
    json_t *volume;

    json_array_foreach (json_at(object_json(pod->object), "spec.volumes"), i, volume) {
        const char *name = json_string_at(volume, "secret.secretName", NULL);
        if (name && !find(&KUBE_SECRET, object_namespace(pod->object), name))
            return FALSE;
    }
    return TRUE;
}

static void move_pod(Stored *pod)
{
    const char *phase = json_string_at(object_json(pod->object), "status.phase", "");
    const char *app = object_label(pod->object, "forklift.app", "");
    gboolean importer = !strcmp(app, "importer"), inspection = !strcmp(app, "virt-v2v-inspection");

    if (!*phase && has_its_secrets(pod))
        set_status(pod, json_pack("{s:s, s:[{s:{s:{}}}]}", "phase", "Running", "containerStatuses", "state",
                                  "running"));
    else if (!strcmp(phase, "Running") && (inspection || is_copied(pod))) {
        set_status(pod, ended(importer     ? fake_faults.importer_message
                              : inspection ? fake_faults.inspection_message
                                           : fake_faults.conversion_message,
                              object_label(pod->object, "vmID", "")));
        count_importer(pod, FALSE);
    }
}

static void move_machine(Stored *machine)
{
    const json_t *json = object_json(machine->object);
    const char *ns = object_namespace(machine->object), *name = object_name(machine->object);
    gboolean run = !strcmp(json_string_at(json, "spec.runStrategy", ""), "Always");
    Stored *instance = find(&KUBE_VIRTUAL_MACHINE_INSTANCE, ns, name);
    g_autoptr(json_t) body = NULL;

    if (run && !instance) {
        body = json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", name, "namespace", ns, "status",
                         "phase", fake_faults.targets_fail   ? "Failed"
                                  : fake_faults.targets_hang ? "Scheduling"
                                                             : "Running");
        object_unref(kube_create(NULL, &KUBE_VIRTUAL_MACHINE_INSTANCE, ns, body, NULL, NULL));
    } else if (!run && instance)
        unstore(instance);
}

static void move_guest(const char *id)
{
    const char *told = g_hash_table_lookup(wanted, id);

    if (!g_strcmp0(told, "cut") || (!g_strcmp0(told, "ask") && !fake_faults.guests_are_stuck))
        fake_set_power(id, POWER_OFF);
    if (!g_strcmp0(told, "on"))
        fake_set_power(id, POWER_ON);
    g_hash_table_remove(wanted, id);
}

static void move(Stored *one)
{
    if (one->resource == &KUBE_DATA_VOLUME && !json_at(object_json(one->object), "status"))
        set_status(one, json_pack("{s:s}", "phase", "Succeeded"));
    else if (one->resource == &KUBE_POD)
        move_pod(one);
    else if (one->resource == &KUBE_JOB)
        set_status(one,
                   json_loads("{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}", 0, NULL));
}

void fake_tick(void)
{
    g_autoptr(GPtrArray) machines = NULL, told_of = NULL;
    g_autoptr(GList) told = NULL;
    GHashTableIter iter;
    gpointer one;

    g_rec_mutex_lock(&lock);
    g_hash_table_iter_init(&iter, stored);
    while (g_hash_table_iter_next(&iter, NULL, &one))
        move(one);
    machines = candidates(&KUBE_VIRTUAL_MACHINE, NULL);
    for (guint i = 0; i < machines->len; i++)
        move_machine(machines->pdata[i]);
    told = g_hash_table_get_keys(wanted);
    for (GList *id = told; id; id = id->next) {
        g_autofree char *vm_id = g_strdup(id->data);
        move_guest(vm_id);
    }
    told_of = g_steal_pointer(&news);
    news = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_rec_mutex_unlock(&lock);
    for (guint i = 0; changed && i < told_of->len; i++)
        changed(told_of->pdata[i], changed_data);
}

void fake_on_change(void (*tell_of)(const Object *object, gpointer user_data), gpointer user_data)
{
    changed = tell_of;
    changed_data = user_data;
}

void fake_scale(const FakeScale *wanted_scale)
{
    scale = *wanted_scale;
    for (guint i = 1; i <= scale.vms; i++) {
        g_autofree char *id = g_strdup_printf("vm-%u", i);
        fake_set_power(id, POWER_ON);
    }
}
