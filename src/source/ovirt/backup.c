/* backup: a VM that runs is read in backups of its engine, and checkpoints tell what changed between two.
 *
 * A backup freezes all disks of the VM at one moment, without a snapshot: what the guest overwrites
 * meanwhile is kept aside until the backup is finalized. With it a checkpoint begins, a bitmap in each qcow2
 * disk of what is written from then on; a later backup that names it knows what has changed. To warm.h a
 * backup is a snapshot, and a checkpoint its change id. Both carry "gantry:OWNER:LABEL" as their description.
 *
 * What the engine asks for: one backup of a VM at a time; none that is open when the VM is started, and one
 * that is open when it goes down has failed, with its checkpoint: so that a backup is finalized as soon as
 * its disks are copied (source_snapshot_release()). Of a row of checkpoints only the oldest can be removed:
 * one of ours behind somebody else's is left, and goes when that has gone.
 * Raw disks have no bitmaps, and a checkpoint may be lost: then a disk is frozen all the same, but compared
 * as a whole.
 */
#include "base/clock.h"
#include "source/ovirt/ovirt.h"
#include <string.h>

#define PREFIX          "gantry:"
#define FIRST_WAIT_MS   250
#define LONGEST_WAIT_MS 5000
#define TRIES           120 /* about ten minutes */

/* ---- what there is ------------------------------------------------------------------------------------- */

/* what: "backups", "backups/ID", "checkpoints" … */
static json_t *get_of(OvirtSession *session, const char *vm_id, const char *what, GCancellable *cancel,
                      GError **error)
{
    g_autofree char *path = g_strdup_printf("vms/%s/%s", vm_id, what);
    return ovirt_get(session, path, cancel, error);
}

static gboolean has_ended(const json_t *backup)
{
    const char *phase = ovirt_text(backup, "phase");
    return !strcmp(phase, "succeeded") || !strcmp(phase, "failed");
}

static void add_one(json_t *list, const json_t *one)
{
    const char *name = ovirt_text(one, "description");
    const char *owner = g_str_has_prefix(name, PREFIX) ? name + strlen(PREFIX) : NULL;
    const char *colon = owner ? strchr(owner, ':') : NULL;
    json_t *shown = json_pack("{s:s, s:s}", "id", ovirt_text(one, "id"), "name", name);

    if (colon) {
        json_object_set_new(shown, "owner", json_stringn(owner, colon - owner));
        json_object_set_new(shown, "label", json_string(colon + 1));
    }
    json_array_append_new(list, shown);
}

/* Borrowed, or NULL. */
static json_t *find_by(const json_t *list, const char *member, const char *value)
{
    json_t *one;
    size_t i;

    json_array_foreach (list, i, one)
        if (!strcmp(ovirt_text(one, member), value))
            return one;
    return NULL;
}

static json_t *find_root(const json_t *checkpoints)
{
    json_t *one;
    size_t i;

    json_array_foreach (checkpoints, i, one)
        if (!find_by(checkpoints, "id", ovirt_text(one, "parent_id")))
            return one;
    return NULL;
}

/* Oldest first, whatever order the engine has: each names its parent. */
static json_t *in_order(const json_t *checkpoints)
{
    json_t *row = json_array(), *one = find_root(checkpoints);

    while (one && json_array_size(row) < json_array_size(checkpoints)) {
        json_array_append(row, one);
        one = find_by(checkpoints, "parent_id", ovirt_text(one, "id"));
    }
    return row;
}

/* Open backups, then checkpoints, the oldest first: in that order they can be removed. */
static json_t *get_snapshots(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) backups = get_of(session, vm_id, "backups", cancel, error);
    g_autoptr(json_t) checkpoints = backups ? get_of(session, vm_id, "checkpoints", cancel, error) : NULL;
    g_autoptr(json_t) row = NULL;
    json_t *list, *one;
    size_t i;

    if (!checkpoints)
        return NULL;
    list = json_array();
    row = in_order(json_object_get(checkpoints, "checkpoint"));
    json_array_foreach (json_object_get(backups, "backup"), i, one)
        if (!has_ended(one))
            add_one(list, one);
    json_array_foreach (row, i, one)
        add_one(list, one);
    return json_pack("{s:o, s:i, s:b}", "snapshots", list, "depth", 0, "consolidationNeeded", 0);
}

/* *found NULL: there is none. */
static gboolean get_backup(OvirtSession *session, const char *vm_id, const char *id, json_t **found,
                           GCancellable *cancel, GError **error)
{
    g_autofree char *what = g_strconcat("backups/", id, NULL);
    g_autoptr(GError) failed = NULL;

    *found = get_of(session, vm_id, what, cancel, &failed);
    if (*found || g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static const json_t *find_open(const json_t *backups, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach (json_object_get(backups, "backup"), i, one)
        if (!has_ended(one) && !strcmp(ovirt_text(one, "description"), name))
            return one;
    return NULL;
}

/* ---- making one ---------------------------------------------------------------------------------------- */

/* Every active image of the VM; NULL with an error. */
static json_t *list_images(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) attachments = get_of(session, vm_id, "diskattachments", cancel, error);
    g_autoptr(json_t) images = json_array();
    const json_t *attachment;
    size_t i;

    json_array_foreach (json_object_get(attachments, "disk_attachment"), i, attachment) {
        const char *id = ovirt_text(attachment, "disk.id");
        g_autofree char *path = g_strconcat("disks/", id, NULL);
        g_autoptr(json_t) disk = ovirt_get(session, path, cancel, error);
        const char *type = ovirt_text(disk, "storage_type");

        if (!disk)
            return NULL;
        if (ovirt_bool(attachment, "active") && (!*type || !strcmp(type, "image")))
            json_array_append_new(images, json_pack("{s:s}", "id", id));
    }
    return attachments ? g_steal_pointer(&images) : NULL;
}

static gboolean has_checkpoint(OvirtSession *session, const char *vm_id, const char *id, gboolean *has,
                               GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) checkpoints = get_of(session, vm_id, "checkpoints", cancel, error);
    const json_t *one;
    size_t i;

    *has = FALSE;
    json_array_foreach (json_object_get(checkpoints, "checkpoint"), i, one)
        if (!g_strcmp0(ovirt_text(one, "id"), id) && strcmp(ovirt_text(one, "state"), "invalid"))
            *has = TRUE;
    return checkpoints != NULL;
}

static gboolean wait_until_ready(OvirtSession *session, const char *vm_id, const char *id,
                                 GCancellable *cancel, GError **error)
{
    for (guint try = 0; try < TRIES; try++) {
        g_autoptr(json_t) backup = NULL;

        if (!get_backup(session, vm_id, id, &backup, cancel, error))
            return FALSE;
        if (backup && !strcmp(ovirt_text(backup, "phase"), "ready"))
            return TRUE;
        if (!backup || has_ended(backup)) {
            g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                        "the engine could not begin the backup: its events say why");
            return FALSE;
        }
        if (!clock_wait(backoff_ms(try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel))
            break;
    }
    if (!g_cancellable_set_error_if_cancelled(cancel, error))
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                    "the engine has not begun the backup for ten minutes");
    return FALSE;
}

/* since: a checkpoint, or NULL. */
static char *begin(OvirtSession *session, const char *vm_id, const char *name, const char *since,
                   GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_strdup_printf("vms/%s/backups", vm_id), *id = NULL;
    json_t *images = list_images(session, vm_id, cancel, error);
    g_autoptr(json_t) body =
        images ? json_pack("{s:s, s:{s:o}}", "description", name, "disks", "disk", images) : NULL;
    g_autoptr(json_t) backup = NULL;

    if (!body)
        return NULL;
    if (since)
        json_object_set_new(body, "from_checkpoint_id", json_string(since));
    backup = ovirt_post(session, path, body, cancel, error);
    id = backup ? g_strdup(ovirt_text(backup, "id")) : NULL;
    return id && wait_until_ready(session, vm_id, id, cancel, error) ? g_steal_pointer(&id) : NULL;
}

/* An engine that cannot go on from the checkpoint makes a whole backup. */
static char *begin_any(OvirtSession *session, const char *vm_id, const char *name, const char *since,
                       GCancellable *cancel, GError **error)
{
    g_autoptr(GError) refused = NULL;
    gboolean has = FALSE;
    char *id;

    if (since && !has_checkpoint(session, vm_id, since, &has, cancel, error))
        return NULL;
    id = has ? begin(session, vm_id, name, since, cancel, &refused) : NULL;
    if (id || (refused && !g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_FAULT))) {
        if (refused)
            g_propagate_error(error, g_steal_pointer(&refused));
        return id;
    }
    return begin(session, vm_id, name, NULL, cancel, error);
}

/* The engine asks the guest's agent to hold its file systems still, and goes on where that fails: it does not
 * say. */
static char *create(gpointer session, const char *vm_id, const char *owner, const char *label,
                    const char *since, gboolean *quiesced, GCancellable *cancel, GError **error)
{
    g_autofree char *name = g_strdup_printf(PREFIX "%s:%s", owner, label), *id = NULL;
    g_autoptr(json_t) backups = get_of(session, vm_id, "backups", cancel, error);
    const json_t *found = find_open(backups, name);

    *quiesced = TRUE;
    if (!backups)
        return NULL;
    if (found) {
        id = g_strdup(ovirt_text(found, "id"));
        return wait_until_ready(session, vm_id, id, cancel, error) ? g_steal_pointer(&id) : NULL;
    }
    id = begin_any(session, vm_id, name, since, cancel, error);
    if (!id)
        g_prefix_error(error, "backup of VM '%s': ", vm_id);
    return g_steal_pointer(&id);
}

/* ---- ending one ---------------------------------------------------------------------------------------- */

/* A transfer of a backup of ours is ours. */
static gboolean cancel_transfers(OvirtSession *session, const char *backup, GCancellable *cancel,
                                 GError **error)
{
    g_autoptr(json_t) transfers = ovirt_get(session, "imagetransfers", cancel, error);
    const json_t *transfer;
    size_t i;

    json_array_foreach (json_object_get(transfers, "image_transfer"), i, transfer) {
        g_autofree char *path = g_strdup_printf("imagetransfers/%s/cancel", ovirt_text(transfer, "id"));
        g_autoptr(json_t) answer = NULL;
        if (!strcmp(ovirt_text(transfer, "backup.id"), backup))
            answer = ovirt_post(session, path, NULL, cancel, NULL); /* or it has begun to end by itself */
    }
    return transfers != NULL;
}

static gboolean finalize(OvirtSession *session, const char *vm_id, const char *id, GCancellable *cancel,
                         GError **error)
{
    g_autofree char *path = g_strdup_printf("vms/%s/backups/%s/finalize", vm_id, id);
    g_autoptr(GError) refused = NULL;

    for (guint try = 0; try < TRIES; try++) {
        g_autoptr(json_t) backup = NULL, answer = NULL;

        if (!get_backup(session, vm_id, id, &backup, cancel, error))
            return FALSE;
        if (!backup || has_ended(backup))
            return TRUE;
        g_clear_error(&refused);
        if (!strcmp(ovirt_text(backup, "phase"), "ready")) {
            if (!cancel_transfers(session, id, cancel, error))
                return FALSE;
            answer = ovirt_post(session, path, NULL, cancel, &refused);
        }
        if (!clock_wait(backoff_ms(answer ? 0 : try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel))
            break;
    }
    if (!g_cancellable_set_error_if_cancelled(cancel, error))
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "backup '%s' of VM '%s' does not end: %s", id,
                    vm_id, refused ? refused->message : "the engine says that it is still open");
    return FALSE;
}

/* ids: of checkpoints, in a row; the engine removes the first only. */
static gboolean remove_checkpoint(OvirtSession *session, const char *vm_id, const char *id,
                                  GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_strdup_printf("vms/%s/checkpoints/%s", vm_id, id);
    g_autoptr(GError) refused = NULL;

    for (guint try = 0; try < TRIES; try++) {
        g_autoptr(json_t) checkpoints = get_of(session, vm_id, "checkpoints", cancel, error);
        g_autoptr(json_t) row = in_order(json_object_get(checkpoints, "checkpoint"));

        if (!checkpoints)
            return FALSE;
        if (strcmp(ovirt_text(json_array_get(row, 0), "id"), id))
            return TRUE; /* it is gone, or goes with those before it */
        g_clear_error(&refused);
        if (ovirt_delete(session, path, cancel, &refused))
            continue;
        if (!clock_wait(backoff_ms(try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel))
            break;
    }
    if (!g_cancellable_set_error_if_cancelled(cancel, error))
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                    "checkpoint '%s' of VM '%s' cannot be removed: %s", id, vm_id,
                    refused ? refused->message : "the engine says that it is still there");
    return FALSE;
}

static gboolean remove_one(gpointer session, const char *vm_id, const char *id, GCancellable *cancel,
                           GError **error)
{
    return finalize(session, vm_id, id, cancel, error) &&
           remove_checkpoint(session, vm_id, id, cancel, error);
}

static gboolean release(gpointer session, const char *vm_id, const char *id, GCancellable *cancel,
                        GError **error)
{
    return finalize(session, vm_id, id, cancel, error);
}

gboolean ovirt_end_backups(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) refused = NULL;
    g_autoptr(json_t) backups = get_of(session, vm_id, "backups", cancel, &refused);
    const json_t *one;
    size_t i;

    if (g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_FAULT) ||
        g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        return TRUE; /* an account that may not see backups has made none */
    if (refused)
        g_propagate_error(error, g_steal_pointer(&refused));

    json_array_foreach (json_object_get(backups, "backup"), i, one)
        if (!has_ended(one) && g_str_has_prefix(ovirt_text(one, "description"), PREFIX) &&
            !finalize(session, vm_id, ovirt_text(one, "id"), cancel, error))
            return FALSE;
    return backups != NULL;
}

/* Nothing is to be merged after a backup. */
static gboolean settle(gpointer session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return !g_cancellable_set_error_if_cancelled(cancel, error);
}

/* ---- reading one --------------------------------------------------------------------------------------- */

gboolean ovirt_check_backup(OvirtSession *session, const char *vm_id, const char *id, GCancellable *cancel,
                            GError **error)
{
    g_autoptr(json_t) backup = NULL;

    if (!get_backup(session, vm_id, id, &backup, cancel, error))
        return FALSE;
    if (backup && !strcmp(ovirt_text(backup, "phase"), "ready"))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "backup '%s' of VM '%s' has ended: it is %s", id,
                vm_id, backup ? ovirt_text(backup, "phase") : "not known any more");
    return FALSE;
}

/* A disk whose changes are not tracked is told apart by the backup: a change id that nothing is known since.
 */
static json_t *disks_of(const json_t *backup, const json_t *list)
{
    const char *since = ovirt_text(backup, "from_checkpoint_id"),
               *to = ovirt_text(backup, "to_checkpoint_id");
    g_autofree char *itself = g_strconcat("backup/", ovirt_text(backup, "id"), NULL);
    json_t *disks = json_object(), *disk;
    size_t i;

    json_array_foreach (json_object_get(list, "disk"), i, disk) {
        gboolean knows = *since && !strcmp(ovirt_text(disk, "backup_mode"), "incremental");
        json_object_set_new(disks, ovirt_text(disk, "id"),
                            json_pack("{s:I, s:s, s:s}", "size",
                                      (json_int_t)ovirt_int(disk, "provisioned_size"), "changeId",
                                      *to ? to : itself, "knownSince", knows ? since : ""));
    }
    return disks;
}

static json_t *get_disks(gpointer session, const char *vm_id, const char *id, GCancellable *cancel,
                         GError **error)
{
    g_autofree char *one = g_strconcat("backups/", id, NULL), *all = g_strconcat(one, "/disks", NULL);
    g_autoptr(json_t) backup = NULL, list = NULL;

    if (!ovirt_check_backup(session, vm_id, id, cancel, error) ||
        !(backup = get_of(session, vm_id, one, cancel, error)) ||
        !(list = get_of(session, vm_id, all, cancel, error)))
        return NULL;
    return disks_of(backup, list);
}

/* Before 4.5 a VM that is off cannot be backed up, and disks with and without bitmaps not together. A cluster
 * whose version is not known is believed to be new. */
static gboolean is_old(const json_t *workload)
{
    gint64 major = ovirt_int(workload, "cluster.version.major"),
           minor = ovirt_int(workload, "cluster.version.minor");
    return major && (major < 4 || (major == 4 && minor < 5));
}

static SourceTracking tracking(const json_t *workload, const char *disk_id, const char **why)
{
    const json_t *attachment, *disk = NULL;
    size_t i;

    json_array_foreach (json_object_get(workload, "diskAttachments"), i, attachment)
        if (!strcmp(json_string_at(attachment, "disk.id", ""), disk_id))
            disk = json_object_get(attachment, "disk");
    *why = is_old(workload) ? "the compatibility version of its cluster is older than 4.5"
           : json_bool_at(disk, "shared", FALSE) ? "it is shareable, and left out of backups"
                                                 : NULL;
    if (*why)
        return CHANGES_NOT_FROZEN;
    return strcmp(json_string_at(disk, "backup", ""), "incremental") ? CHANGES_NOT_KEPT : CHANGES_TRACKED;
}

/* Which disks keep bitmaps was decided when they were made: that is not ours to change. */
static gboolean track(gpointer session, const char *vm_id, gboolean *changed, GCancellable *cancel,
                      GError **error)
{
    return TRUE;
}

const SourceWarm ovirt_warm = {.snapshots = get_snapshots,
                               .create = create,
                               .remove = remove_one,
                               .release = release,
                               .settle = settle,
                               .disks = get_disks,
                               .tracking = tracking,
                               .track = track};
