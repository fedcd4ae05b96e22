/* document: splits models into rows, joins rows into JSON, and puts workloads together. */
#include "inventory/document.h"
#include <string.h>

/* ---- kinds --------------------------------------------------------------------------------------------- */

static const struct {
    const char *kind, *collection;
} kinds[] = {
    {"Folder", "folders"}, {"Datacenter", "datacenters"}, {"Cluster", "clusters"},     {"Host", "hosts"},
    {"VM", "vms"},         {"Network", "networks"},       {"Datastore", "datastores"},
};

const char *document_collection(const char *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!strcmp(kind, kinds[i].kind))
            return kinds[i].collection;
    return NULL;
}

const char *document_kind(const char *collection)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!strcmp(collection, kinds[i].collection))
            return kinds[i].kind;
    return NULL;
}

/* ---- models to rows ------------------------------------------------------------------------------------ */

static const char *const base_keys[] = {"id", "name", "parent", "variant", NULL};
/* Of a VM; every other kind has all its members in brief, because it has no third level. */
static const char *const vm_brief_keys[] = {"isTemplate", "powerState", "host", "networks", "disks", NULL};

static int append_dumped(const char *text, size_t size, void *out)
{
    g_string_append_len(out, text, size);
    return 0;
}

static void append_json(GString *out, const json_t *value)
{
    json_dump_callback(value, append_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

void document_append_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        guchar c = *text;
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", c);
        else if (c < 0x20)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_c(out, c);
    }
    g_string_append_c(out, '"');
}

static void append_member(GString *out, const char *key, const json_t *value)
{
    if (out->len)
        g_string_append_c(out, ',');
    document_append_string(out, key);
    g_string_append_c(out, ':');
    append_json(out, value);
}

void document_split(const char *kind, const json_t *model, DocumentTexts *texts)
{
    gboolean is_vm = !strcmp(kind, "VM");
    GString *base = g_string_new(NULL), *brief = g_string_new(NULL), *full = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)model, key, value)
    {
        if (g_strv_contains(base_keys, key))
            append_member(base, key, value);
        else if (!is_vm || g_strv_contains(vm_brief_keys, key))
            append_member(brief, key, value);
        else
            append_member(full, key, value);
    }
    texts->base = g_string_free(base, FALSE);
    texts->brief = g_string_free(brief, FALSE);
    texts->full = g_string_free(full, FALSE);
}

void document_texts_clear(DocumentTexts *texts)
{
    g_clear_pointer(&texts->base, g_free);
    g_clear_pointer(&texts->brief, g_free);
    g_clear_pointer(&texts->full, g_free);
}

/* ---- paths --------------------------------------------------------------------------------------------- */

struct DocumentView {
    char *type, *uid;
    Snapshot *snapshot;
    GHashTable *paths; /* "Folder/group-v3" → path of what holds others; "" where a parent is missing */
    GString *path;     /* of the last object asked for */
};

/* What holds others is looked up once; a chain longer than this is a loop that a peer has made. */
enum { MOST_DEPTH = 64 };

DocumentView *document_view_new(const char *provider_type, const char *provider_uid, Snapshot *snapshot)
{
    DocumentView *view = g_new0(DocumentView, 1);

    view->type = g_strdup(provider_type);
    view->uid = g_strdup(provider_uid);
    view->snapshot = snapshot;
    view->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    view->path = g_string_new(NULL);
    return view;
}

void document_view_free(DocumentView *view)
{
    g_free(view->type);
    g_free(view->uid);
    g_hash_table_unref(view->paths);
    g_string_free(view->path, TRUE);
    g_free(view);
}

typedef struct {
    gboolean found;
    char *name, *parent_kind, *parent_id;
} Place;

static gboolean take_place(const Row *row, gpointer user_data)
{
    *(Place *)user_data =
        (Place){TRUE, g_strdup(row->name), g_strdup(row->parent_kind), g_strdup(row->parent_id)};
    return FALSE;
}

static const char *holder_path(DocumentView *view, const char *kind, const char *id, int depth);

/* The root folder, which has no parent, has no part in paths. */
static char *join_path(DocumentView *view, const Place *place, int depth)
{
    const char *parent;

    if (!*place->parent_id)
        return g_strdup("/");
    parent = holder_path(view, place->parent_kind, place->parent_id, depth + 1);
    if (!*parent)
        return g_strdup("");
    return g_strconcat(strcmp(parent, "/") ? parent : "", "/", place->name, NULL);
}

static const char *holder_path(DocumentView *view, const char *kind, const char *id, int depth)
{
    g_autofree char *key = g_strconcat(kind, "/", id, NULL);
    const char *known = g_hash_table_lookup(view->paths, key);
    Query query = {.kind = kind, .id = id, .limit = 1};
    Place place = {0};
    char *path;

    if (known)
        return known;
    if (depth < MOST_DEPTH)
        snapshot_each(view->snapshot, &query, take_place, &place, NULL);
    path = place.found ? join_path(view, &place, depth) : g_strdup("");
    g_hash_table_insert(view->paths, g_steal_pointer(&key), path);
    g_free(place.name);
    g_free(place.parent_kind);
    g_free(place.parent_id);
    return path;
}

const char *document_view_path(DocumentView *view, const Row *row)
{
    const char *parent = *row->parent_id ? holder_path(view, row->parent_kind, row->parent_id, 0) : "";

    g_string_truncate(view->path, 0);
    if (*parent)
        g_string_printf(view->path, "%s/%s", strcmp(parent, "/") ? parent : "", row->name);
    return view->path->str;
}

/* ---- rows to JSON -------------------------------------------------------------------------------------- */

static void append_texts(GString *out, const char *text)
{
    if (*text) {
        g_string_append_c(out, ',');
        g_string_append(out, text);
    }
}

static void append_self_link(GString *out, DocumentView *view, const char *collection, const char *id)
{
    g_autofree char *link = g_strdup_printf("providers/%s/%s/%s/%s", view->type, view->uid, collection, id);

    g_string_append(out, ",\"selfLink\":");
    document_append_string(out, link);
}

/* At the levels that show validation, a VM's is part of it. */
static void append_validation(GString *out, const Row *row, guint detail)
{
    g_string_append_printf(out, ",\"revisionValidated\":%" G_GINT64_FORMAT ",\"concerns\":%s",
                           row->revision_validated, row->concerns);
    if (detail >= DETAIL_FULL)
        g_string_append_printf(out, ",\"policyVersion\":%" G_GINT64_FORMAT, row->policy_version);
}

void document_append(GString *out, DocumentView *view, const Row *row, guint detail)
{
    const char *path = document_view_path(view, row);
    gboolean is_vm = !strcmp(row->kind, "VM");

    g_string_append_c(out, '{');
    g_string_append(out, row->base);
    if (*path) {
        g_string_append(out, ",\"path\":");
        document_append_string(out, path);
    }
    g_string_append_printf(out, ",\"revision\":%" G_GINT64_FORMAT, row->revision);
    append_self_link(out, view, document_collection(row->kind), row->id);
    if (detail >= DETAIL_BRIEF) {
        if (is_vm)
            append_validation(out, row, detail);
        append_texts(out, row->brief);
        if (!strcmp(row->kind, "Host"))
            g_string_append(out, ",\"networkAdapters\":[]");
    }
    if (detail >= DETAIL_FULL)
        append_texts(out, row->full);
    g_string_append_c(out, '}');
}

/* ---- a host's network adapters ------------------------------------------------------------------------- */

static json_t *item_with(const json_t *array, const char *key, const char *value)
{
    json_t *item;
    size_t at;

    json_array_foreach(array, at, item)
    {
        if (!strcmp(json_string_at(item, key, ""), value))
            return item;
    }
    return NULL;
}

static gint64 speed_of(const json_t *pnics, const char *key)
{
    return json_int_at(item_with(pnics, "key", key), "linkSpeed", 0);
}

/* Of a standard port group: the first card of its switch that is known. */
static gint64 speed_of_port_group(const json_t *networking, const json_t *group)
{
    const json_t *vswitch =
        item_with(json_at(networking, "switches"), "key", json_string_at(group, "vSwitch", ""));
    const json_t *pnic;
    size_t at;

    json_array_foreach(json_at(vswitch, "pNICs"), at, pnic)
    {
        if (item_with(json_at(networking, "pNICs"), "key", json_string_value(pnic)))
            return speed_of(json_at(networking, "pNICs"), json_string_value(pnic));
    }
    return 0;
}

static gboolean is_member(const json_t *dvs, const char *host_id)
{
    const json_t *member;
    size_t at;

    json_array_foreach(json_at(dvs, "host"), at, member)
    {
        if (!strcmp(json_string_at(member, "Host.id", ""), host_id))
            return TRUE;
    }
    return FALSE;
}

static json_t *new_adapter(const json_t *vnic, const char *name, gint64 speed)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", name, "ipAddress",
                     json_string_at(vnic, "ipAddress", ""), "subnetMask",
                     json_string_at(vnic, "subnetMask", ""), "linkSpeed", (json_int_t)speed, "mtu",
                     (json_int_t)json_int_at(vnic, "mtu", 0));
}

static json_t *standard_adapter(const json_t *host, const json_t *vnic)
{
    const json_t *networking = json_at(host, "networking");
    const char *name = json_string_at(vnic, "portGroup", "");
    const json_t *group = item_with(json_at(networking, "portGroups"), "name", name);

    return new_adapter(vnic, name, group ? speed_of_port_group(networking, group) : 0);
}

/* Of a distributed port group: the name of its switch; the fastest card of a host that is a member of it. */
static json_t *distributed_adapter(DocumentView *view, const json_t *host, const json_t *vnic)
{
    g_autoptr(json_t) group =
        document_load(view, "Network", json_string_at(vnic, "dPortGroup", ""), FALSE, NULL);
    g_autoptr(json_t) dvs =
        group ? document_load(view, "Network", json_string_at(group, "dvSwitch.id", ""), FALSE, NULL) : NULL;
    const json_t *fastest = json_array_get(json_at(host, "networking.pNICs"), 0);
    gboolean member = dvs && is_member(dvs, json_string_at(host, "id", ""));

    return dvs ? new_adapter(vnic, json_string_at(dvs, "name", ""),
                             member ? json_int_at(fastest, "linkSpeed", 0) : 0)
               : NULL;
}

static gboolean comes_before(const json_t *a, const json_t *b)
{
    gint64 speed_a = json_int_at(a, "linkSpeed", 0), speed_b = json_int_at(b, "linkSpeed", 0);
    return speed_a > speed_b || (speed_a == speed_b && json_int_at(a, "mtu", 0) > json_int_at(b, "mtu", 0));
}

static json_t *network_adapters(DocumentView *view, const json_t *host)
{
    json_t *adapters = json_array(), *vnic;
    size_t at;

    json_array_foreach(json_at(host, "networking.vNICs"), at, vnic)
    {
        gboolean distributed = *json_string_at(vnic, "dPortGroup", "") != 0;
        json_t *adapter = distributed ? distributed_adapter(view, host, vnic) : standard_adapter(host, vnic);
        size_t to = json_array_size(adapters);
        while (adapter && to > 0 && comes_before(adapter, json_array_get(adapters, to - 1)))
            to--;
        if (adapter)
            json_array_insert_new(adapters, to, adapter);
    }
    return adapters;
}

/* ---- whole documents ----------------------------------------------------------------------------------- */

json_t *document_json(DocumentView *view, const Row *row, gboolean with_adapters)
{
    g_autoptr(GString) text = g_string_new(NULL);
    json_t *document;

    document_append(text, view, row, DETAIL_FULL);
    document = json_loadb(text->str, text->len, 0, NULL);
    if (document && !strcmp(row->kind, "Host"))
        json_object_set_new(document, "networkAdapters",
                            with_adapters ? network_adapters(view, document) : json_array());
    return document;
}

typedef struct {
    DocumentView *view;
    gboolean with_adapters;
    json_t *document;
} Loading;

static gboolean take_document(const Row *row, gpointer user_data)
{
    Loading *loading = user_data;
    loading->document = document_json(loading->view, row, loading->with_adapters);
    return FALSE;
}

json_t *document_load(DocumentView *view, const char *kind, const char *id, gboolean with_adapters,
                      GError **error)
{
    Query query = {.kind = kind, .id = id, .full = TRUE, .limit = 1};
    Loading loading = {.view = view, .with_adapters = with_adapters};

    if (!snapshot_each(view->snapshot, &query, take_document, &loading, error))
        g_clear_pointer(&loading.document, json_decref);
    return loading.document;
}

/* The nearest object of that kind above the one at parent; a new reference or NULL. */
static json_t *load_above(DocumentView *view, const char *kind, const json_t *from)
{
    g_autoptr(json_t) at = json_incref((json_t *)from);

    for (int depth = 0; at && depth < MOST_DEPTH; depth++) {
        const char *parent_kind = json_string_at(at, "parent.kind", "");
        json_t *parent = document_load(view, parent_kind, json_string_at(at, "parent.id", ""), FALSE, NULL);
        if (parent && !strcmp(parent_kind, kind))
            return parent;
        json_decref(at);
        at = parent;
    }
    return NULL;
}

static void without_path(json_t *document)
{
    json_object_del(document, "path");
}

static json_t *host_with_cluster(DocumentView *view, const json_t *vm, GError **error)
{
    const char *vm_id = json_string_at(vm, "id", ""), *host_id = json_string_at(vm, "host", "");
    g_autoptr(json_t) host = document_load(view, "Host", host_id, FALSE, error);
    g_autoptr(json_t) cluster = NULL;
    json_t *datacenter;

    if (!host) {
        if (error && !*error)
            g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE,
                        "host '%s' of VM '%s' is not in the inventory", host_id, vm_id);
        return NULL;
    }
    cluster = document_load(view, "Cluster", json_string_at(host, "cluster", ""), FALSE, error);
    if (!cluster) {
        if (error && !*error)
            g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE,
                        "cluster '%s' of host '%s' is not in the inventory",
                        json_string_at(host, "cluster", ""), host_id);
        return NULL;
    }
    datacenter = load_above(view, "Datacenter", cluster);
    json_object_set_new(cluster, "datacenter", datacenter ? datacenter : json_null());
    without_path(host);
    without_path(cluster);
    json_object_set(host, "cluster", cluster);
    return g_steal_pointer(&host);
}

json_t *document_workload(DocumentView *view, const char *vm_id, GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(json_t) vm = document_load(view, "VM", vm_id, FALSE, &failed);
    g_autofree char *link = g_strdup_printf("providers/%s/%s/workloads/%s", view->type, view->uid, vm_id);
    json_t *host = NULL;

    if (!vm && !failed)
        g_set_error(&failed, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "there is no VM '%s'", vm_id);
    if (vm)
        host = host_with_cluster(view, vm, &failed);
    if (!host) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    json_object_set_new(vm, "selfLink", json_string(link));
    json_object_set_new(vm, "host", host);
    without_path(vm);
    return g_steal_pointer(&vm);
}
