/* create plan: which VMs, and the mappings that they need. */
#include "cmd/create.h"
#include "cmd/kinds.h"
#include "cmd/text_table.h"
#include "plan/automatic_map.h"
#include "plan/vm_list.h"
#include "source/source.h"
#include <stdio.h>
#include <string.h>

enum { MOST_FILE = 1 << 20 };

/* A plan that is being put together. */
typedef struct {
    Session *session;
    const CreateOptions *options;
    Object *provider;
    const char *type;
    json_t *refs;      /* spec.vms: {id, name, …} */
    GPtrArray *vms;    /* of Vm */
    GHashTable *names; /* id of a network or storage → its name */
} Draft;

static void draft_clear(Draft *draft)
{
    g_clear_pointer(&draft->provider, object_unref);
    g_clear_pointer(&draft->refs, json_decref);
    g_clear_pointer(&draft->vms, g_ptr_array_unref);
    g_clear_pointer(&draft->names, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Draft, draft_clear)

/* ---- which VMs ---- */

static json_t *read_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize size = 0;

    if (strcmp(path, "-")) {
        if (!g_file_get_contents(path, &text, &size, error))
            return NULL;
    } else {
        text = g_malloc(MOST_FILE + 2);
        size = fread(text, 1, MOST_FILE + 1, stdin);
    }
    return vm_list_parse(text, size, path, error);
}

static json_t *listed(const Draft *draft, GError **error)
{
    const CreateOptions *options = draft->options;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GString) query = NULL;
    InventoryClient *inventory;
    json_t *refs;

    if (!!options->vms + !!options->file + !!options->query != 1) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                            "one of --vms, --file and --query must say which VMs");
        return NULL;
    }
    if (options->file)
        return read_file(options->file, error);
    if (options->query) {
        query = g_string_new("detail=1&q=");
        g_string_append_uri_escaped(query, query_terms(options->query), NULL, FALSE);
        inventory = verb_inventory(draft->session, error);
        return inventory ? inventory_query(inventory, draft->provider, "vms", query->str, NULL, error) : NULL;
    }
    names = option_list(options->vms);
    refs = json_array();
    for (guint i = 0; i < names->len; i++)
        json_array_append_new(refs, json_pack("{s:s}", "name", names->pdata[i]));
    return refs;
}

static json_t *hooks_of(const Draft *draft)
{
    const struct {
        const char *step, *hook;
    } both[] = {{"PreHook", draft->options->pre_hook}, {"PostHook", draft->options->post_hook}};
    json_t *hooks = json_array();

    for (guint i = 0; i < G_N_ELEMENTS(both); i++)
        if (both[i].hook)
            json_array_append_new(hooks, json_pack("{s:s, s:o}", "step", both[i].step, "hook",
                                                   reference_new(draft->session, both[i].hook)));
    return hooks;
}

static void add_ref(Draft *draft, const json_t *wanted, const Vm *vm)
{
    json_t *ref = json_pack("{s:s, s:s}", "id", vm->id, "name", vm->name), *hooks = hooks_of(draft);

    if (json_at(wanted, "targetName"))
        json_object_set(ref, "targetName", json_at(wanted, "targetName"));
    if (json_array_size(hooks))
        json_object_set(ref, "hooks", hooks);
    json_decref(hooks);
    json_array_append_new(draft->refs, ref);
}

/* What --vms says may be a name or an id. */
static json_t *find_vm(const Draft *draft, InventoryClient *inventory, const json_t *wanted, GError **error)
{
    g_autoptr(json_t) as_id =
        json_pack("{s:s}", "id", json_string_at(wanted, "name", json_string_at(wanted, "id", "")));
    g_autoptr(json_t) found = inventory_find(inventory, draft->provider, "vms", as_id, NULL, NULL);

    if (!found)
        found = inventory_find(inventory, draft->provider, "vms", wanted, NULL, error);
    return found ? inventory_get(inventory, draft->provider, "workloads", json_string_at(found, "id", ""),
                                 NULL, error)
                 : NULL;
}

static gboolean add_vms(Draft *draft, GError **error)
{
    InventoryClient *inventory = verb_inventory(draft->session, error);
    g_autoptr(json_t) wanted = inventory ? listed(draft, error) : NULL;
    const json_t *one;
    size_t i;

    if (!wanted)
        return FALSE;
    if (!json_array_size(wanted)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--query %s: no VM is like that",
                    draft->options->query);
        return FALSE;
    }
    json_array_foreach (wanted, i, one) {
        g_autoptr(json_t) workload = find_vm(draft, inventory, one, error);
        Vm *vm = workload ? source_describe(draft->type, workload, error) : NULL;
        if (!vm)
            return FALSE;
        g_ptr_array_add(draft->vms, vm);
        add_ref(draft, one, vm);
    }
    return TRUE;
}

/* ---- where they go ---- */

static void learn_name(Draft *draft, const char *collection, const char *id)
{
    g_autoptr(json_t) found = NULL;

    if (!id || g_hash_table_contains(draft->names, id))
        return;
    found = inventory_get(draft->session->inventory, draft->provider, collection, id, NULL, NULL);
    if (found)
        g_hash_table_insert(draft->names, g_strdup(id), g_strdup(json_string_at(found, "name", id)));
}

static void learn_names(Draft *draft)
{
    const char *storage = strcmp(draft->type, "ovirt") ? "datastores" : "storagedomains";

    for (guint i = 0; i < draft->vms->len; i++) {
        const Vm *vm = draft->vms->pdata[i];
        for (guint k = 0; k < vm->nics->len; k++)
            learn_name(draft, "networks", ((VmNic *)vm->nics->pdata[k])->network_id);
        for (guint k = 0; k < vm->disks->len; k++)
            learn_name(draft, storage, ((VmDisk *)vm->disks->pdata[k])->storage_id);
    }
}

static json_t *attachments(const Draft *draft)
{
    g_autoptr(GPtrArray) all = kube_list(draft->session->kube, &KUBE_NETWORK_ATTACHMENT_DEFINITION, NULL,
                                         NULL, NULL, NULL, NULL, NULL);
    json_t *list = json_array();

    for (guint i = 0; all && i < all->len; i++)
        json_array_append(list, (json_t *)object_json(all->pdata[i]));
    return list;
}

static char *default_class(const Draft *draft, GError **error)
{
    static const char *const marks[] = {"storageclass.kubevirt.io/is-default-virt-class",
                                        "storageclass.kubernetes.io/is-default-class"};
    g_autoptr(GPtrArray) all =
        kube_list(draft->session->kube, &KUBE_STORAGE_CLASS, NULL, NULL, NULL, NULL, NULL, error);

    for (guint k = 0; all && k < G_N_ELEMENTS(marks); k++)
        for (guint i = 0; i < all->len; i++)
            if (!strcmp(object_annotation(all->pdata[i], marks[k], ""), "true"))
                return g_strdup(object_name(all->pdata[i]));
    if (all)
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                            "the target has no default storage class: give --storage DATASTORE=CLASS");
    return NULL;
}

static json_t *make_network_pairs(const Draft *draft, GError **error)
{
    g_autoptr(json_t) there = NULL;

    if (draft->options->networks)
        return network_pairs(draft->options->networks, error);
    there = attachments(draft);
    return automatic_network_pairs(draft->vms, draft->names, there);
}

static json_t *make_storage_pairs(const Draft *draft, GError **error)
{
    g_autofree char *class = NULL;

    if (draft->options->storage)
        return storage_pairs(draft->options->storage, error);
    class = default_class(draft, error);
    return class ? automatic_storage_pairs(draft->vms, draft->names, class) : NULL;
}

static char *where_to(const json_t *destination)
{
    const char *type = json_string_at(destination, "type", "");

    if (!strcmp(type, "multus"))
        return g_strdup_printf("%s/%s", json_string_at(destination, "namespace", ""),
                               json_string_at(destination, "name", ""));
    return g_strdup(!strcmp(type, "ignored") ? "nowhere: these NICs are left out"
                    : *type                  ? "the pod network"
                                             : json_string_at(destination, "storageClass", ""));
}

static void show_pairs(TextTable *table, const char *what, const json_t *pairs)
{
    const json_t *pair;
    size_t i;

    json_array_foreach (pairs, i, pair) {
        const json_t *source = json_object_get(pair, "source");
        char *row[] = {g_strdup(what),
                       g_strdup(json_string_at(source, "name", json_string_at(source, "id", ""))),
                       where_to(json_object_get(pair, "destination")), NULL};
        text_table_add_take(table, row);
    }
}

/* Adds a map of the plan's name, or gives the name of the one that is there already. */
static const char *add_map(const Draft *draft, const KubeResource *resource, const char *there,
                           const char *name, json_t *pairs, json_t *manifests)
{
    if (there)
        return there;
    json_array_append_new(manifests, map_manifest_new(draft->session, draft->options, resource, name,
                                                      object_name(draft->provider), pairs));
    return name;
}

static json_t *make_plan(const Draft *draft, const char *name, const char *network_map,
                         const char *storage_map)
{
    const CreateOptions *options = draft->options;
    const Session *session = draft->session;
    json_t *plan = manifest_new(session, &KUBE_PLAN, name);

    json_set_at_new(plan, "spec",
                    json_pack("{s:{s:o, s:o}, s:{s:o, s:o}, s:s, s:b, s:O}", "provider", "source",
                              reference_new(session, object_name(draft->provider)), "destination",
                              reference_new(session, destination_name(options)), "map", "network",
                              reference_new(session, network_map), "storage",
                              reference_new(session, storage_map), "targetNamespace",
                              options->target_namespace ? options->target_namespace : "default", "warm",
                              options->warm, "vms", draft->refs));
    if (options->skip_conversion) {
        json_set_at_new(plan, "spec.skipGuestConversion", json_true());
        json_set_at_new(plan, "spec.useCompatibilityMode", json_false());
    }
    return plan;
}

json_t *create_plan(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    static const char *const titles[] = {"MAPPING", "FROM", "TO", NULL};
    g_autoptr(json_t) manifests = json_array(), networks = NULL, storage = NULL;
    g_autoptr(TextTable) table = text_table_new(titles);
    g_auto(Draft) draft = {.session = session, .options = options, .refs = json_array()};
    const char *network_map, *storage_map;

    draft.vms = g_ptr_array_new_with_free_func((GDestroyNotify)vm_free);
    draft.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    draft.provider = provider_chosen(session->kube, session->ns, options->source, error);
    if (!draft.provider)
        return NULL;
    draft.type = json_string_at(object_json(draft.provider), "spec.type", "");
    if (!add_vms(&draft, error))
        return NULL;
    learn_names(&draft);
    if ((!options->network_map && !(networks = make_network_pairs(&draft, error))) ||
        (!options->storage_map && !(storage = make_storage_pairs(&draft, error))))
        return NULL;
    network_map = add_map(&draft, &KUBE_NETWORK_MAP, options->network_map, name, networks, manifests);
    storage_map = add_map(&draft, &KUBE_STORAGE_MAP, options->storage_map, name, storage, manifests);
    json_array_append_new(manifests, make_plan(&draft, name, network_map, storage_map));

    show_pairs(table, "network", networks);
    show_pairs(table, "storage", storage);
    if (!options->dry_run && session->output == OUTPUT_TABLE && text_table_rows(table))
        text_table_print(table);
    return g_steal_pointer(&manifests);
}
