/* snapshot: a VM's snapshots: made, found, removed, and the consolidation that follows. */
#include "base/clock.h"
#include "source/vsphere/vsphere.h"
#include <string.h>

#define PREFIX          "gantry:"
#define MOST_DEPTH      64 /* of a tree that is looked at */
#define FIRST_WAIT_MS   500
#define LONGEST_WAIT_MS 15000
#define SETTLE_TRIES    40 /* about ten minutes */

/* ---- what there is ------------------------------------------------------------------------------------- */

typedef struct {
    json_t *list;
    guint depth;
} Tree;

/* "gantry:OWNER:LABEL" */
static void add_owner(json_t *one, const char *name)
{
    const char *owner = g_str_has_prefix(name, PREFIX) ? name + strlen(PREFIX) : NULL;
    const char *colon = owner ? strchr(owner, ':') : NULL;

    if (!colon)
        return;
    json_object_set_new(one, "owner", json_stringn(owner, colon - owner));
    json_object_set_new(one, "label", json_string(colon + 1));
}

static void add_trees(Tree *tree, const xmlNode *above, const char *element, const char *parent, guint depth)
{
    for (xmlNode *node = soap_first(above); node && depth < MOST_DEPTH; node = soap_next(node)) {
        const char *id = soap_peek(soap_child(node, "snapshot")), *name = soap_peek(soap_child(node, "name"));
        json_t *one;

        if (!soap_is(node, element) || !id)
            continue;
        one = json_pack("{s:s,s:s}", "id", id, "name", name ? name : "");
        if (parent)
            json_object_set_new(one, "parent", json_string(parent));
        add_owner(one, name ? name : "");
        json_array_append_new(tree->list, one);
        tree->depth = MAX(tree->depth, depth + 1);
        add_trees(tree, node, "childSnapshotList", id, depth + 1);
    }
}

static gboolean take_snapshots(const Properties *properties, gpointer user_data, GError **error)
{
    const xmlNode *info = properties_node(properties, "snapshot");
    const char *current = soap_peek(soap_child(info, "currentSnapshot"));
    Tree tree = {.list = json_array()};
    json_t *all;

    add_trees(&tree, info, "rootSnapshotList", NULL, 0);
    all = json_pack("{s:o,s:i,s:b}", "snapshots", tree.list, "depth", (int)tree.depth, "consolidationNeeded",
                    (int)properties_bool(properties, "runtime.consolidationNeeded"));
    if (current && *current)
        json_object_set_new(all, "current", json_string(current));
    *(json_t **)user_data = all;
    return TRUE;
}

static json_t *get_snapshots(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"snapshot", "runtime.consolidationNeeded", NULL};
    json_t *all = NULL;

    return vsphere_read_object(session, "VirtualMachine", vm_id, paths, take_snapshots, &all, cancel, error)
               ? all
               : NULL;
}

static char *find_by_name(const json_t *all, const char *name)
{
    const json_t *one;
    size_t at;

    json_array_foreach (json_object_get(all, "snapshots"), at, one)
        if (!strcmp(json_string_at(one, "name", ""), name))
            return g_strdup(json_string_at(one, "id", ""));
    return NULL;
}

/* ---- making one ---------------------------------------------------------------------------------------- */

static char *send_create(VsphereSession *session, const char *vm_id, const char *name, gboolean quiesce,
                         GCancellable *cancel, GError **error)
{
    GString *call = soap_call("CreateSnapshot_Task", "VirtualMachine", vm_id);
    g_autofree char *task = NULL, *snapshot = NULL;

    soap_add(call, "name", name);
    soap_add(call, "description",
             "Made by Gantry to copy this VM while it runs. Gantry removes it; do not revert to it.");
    soap_add(call, "memory", "false");
    soap_add(call, "quiesce", quiesce ? "true" : "false");
    task = vsphere_begin_task(session, call, "CreateSnapshot_Task", cancel, error);
    if (!task || !vsphere_wait_for_task(session, task, &snapshot, cancel, error))
        return NULL;
    if (!snapshot)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "the snapshot was made, but is not named");
    return g_steal_pointer(&snapshot);
}

static char *create(gpointer session, const char *vm_id, const char *owner, const char *label,
                    const char *since, gboolean *quiesced, GCancellable *cancel, GError **error)
{
    g_autofree char *name = g_strdup_printf(PREFIX "%s:%s", owner, label), *found = NULL, *made = NULL;
    g_autoptr(json_t) all = get_snapshots(session, vm_id, cancel, error);
    g_autoptr(GError) refused = NULL;

    *quiesced = TRUE;
    if (!all || (found = find_by_name(all, name)))
        return g_steal_pointer(&found);
    if (json_int_at(all, "depth", 0) >= SOURCE_SNAPSHOT_LIMIT) {
        g_set_error(error, GANTRY_ERROR, ERROR_SNAPSHOT_LIMIT,
                    "warm import retry limit reached: VM '%s' has %d snapshots in a row, and may have %d",
                    vm_id, (int)json_int_at(all, "depth", 0), SOURCE_SNAPSHOT_LIMIT);
        return NULL;
    }
    made = send_create(session, vm_id, name, TRUE, cancel, &refused);
    if (!made &&
        strstr(refused->message, "Quiesce")) { /* ApplicationQuiesceFault, FilesystemQuiesceFault … */
        g_clear_error(&refused);
        *quiesced = FALSE;
        made = send_create(session, vm_id, name, FALSE, cancel, &refused);
    }
    if (refused)
        g_propagate_prefixed_error(error, g_steal_pointer(&refused), "snapshot of VM '%s': ", vm_id);
    return g_steal_pointer(&made);
}

/* ---- removing one -------------------------------------------------------------------------------------- */

static gboolean remove_snapshot(gpointer session, const char *vm_id, const char *snapshot,
                                GCancellable *cancel, GError **error)
{
    GString *call = soap_call("RemoveSnapshot_Task", "VirtualMachineSnapshot", snapshot);
    g_autoptr(GError) refused = NULL;
    g_autofree char *task = NULL;

    soap_add(call, "removeChildren", "false");
    soap_add(call, "consolidate", "true");
    task = vsphere_begin_task(session, call, "RemoveSnapshot_Task", cancel, &refused);
    if (task && vsphere_wait_for_task(session, task, NULL, cancel, &refused))
        return TRUE;
    if (g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&refused),
                               "removal of snapshot '%s' of VM '%s': ", snapshot, vm_id);
    return FALSE;
}

static gboolean consolidate(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    g_autofree char *task =
        vsphere_begin_task(session, soap_call("ConsolidateVMDisks_Task", "VirtualMachine", vm_id),
                           "ConsolidateVMDisks_Task", cancel, error);
    return task && vsphere_wait_for_task(session, task, NULL, cancel, error);
}

static gboolean settle(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) refused = NULL;

    for (guint try = 0; try < SETTLE_TRIES; try++) {
        g_autoptr(json_t) all = get_snapshots(session, vm_id, cancel, error);

        if (!all)
            return FALSE;
        if (!json_bool_at(all, "consolidationNeeded", FALSE))
            return TRUE;
        g_clear_error(&refused);
        if (consolidate(session, vm_id, cancel, &refused))
            continue;
        if (!clock_wait(backoff_ms(try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel))
            break;
    }
    if (!g_cancellable_set_error_if_cancelled(cancel, error))
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                    "VM '%s' still needs consolidation of its disks: %s", vm_id,
                    refused ? refused->message : "the source says so after each one");
    return FALSE;
}

const SourceWarm vsphere_warm = {.snapshots = get_snapshots,
                                 .create = create,
                                 .remove = remove_snapshot,
                                 .settle = settle,
                                 .disks = vsphere_snapshot_disks,
                                 .tracking = vsphere_tracking,
                                 .track = vsphere_track,
                                 .changes = vsphere_changes};
