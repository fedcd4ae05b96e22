/* transfer: a disk is read through an image transfer, which the engine opens on one of its hosts.
 *
 * The grant that the caller keeps for us is "asked" from before a transfer is created until its id is known,
 * then that id. So at any moment of a crash it is known whether a transfer of the disk that the engine shows
 * can be ours. A transfer that nobody uses or extends for a minute is cancelled by the engine itself: the
 * last resort, for a plan that was deleted together with all that knew.
 *
 * Disks of a VM that runs are read in a backup (backup.c): then the transfer is of that.
 *
 * generation. A VM that is down cannot write, and to write it must be started and stopped, which moves
 * stop_time; a snapshot or its removal changes the image. Both are asked of the engine at the moment at which
 * the transfer is there.
 */
#include "source/ovirt/ovirt.h"
#include <string.h>

#define ASKED  "asked"
#define IDLE_S "60" /* the engine's patience with a transfer that nobody uses */

enum { KEEP_EVERY_S = 15, HOST_TIMEOUT_S = 10 };

/* ---- phases -------------------------------------------------------------------------------------------- */

typedef enum { COMING, OPEN, CLOSING, ENDED, STUCK } Phase;

static Phase phase_of(const json_t *transfer)
{
    static const struct {
        const char *name;
        Phase phase;
    } rows[] = {
        {"initializing", COMING},        {"resuming", COMING},
        {"transferring", OPEN},          {"paused_system", STUCK},
        {"paused_user", STUCK},          {"finalizing_success", CLOSING},
        {"finalizing_failure", CLOSING}, {"finalizing_cleanup", CLOSING},
        {"cancelled_system", CLOSING},   {"cancelled_user", CLOSING},
        {"cancelled", CLOSING},          {"finished_success", ENDED},
        {"finished_failure", ENDED},     {"finished_cleanup", ENDED},
    };
    const char *name = ovirt_text(transfer, "phase");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(name, rows[i].name))
            return rows[i].phase;
    return STUCK;
}

static const char *disk_of(const json_t *transfer)
{
    const char *disk = ovirt_text(transfer, "disk.id");
    return *disk ? disk : ovirt_text(transfer, "image.id");
}

/* FALSE: the engine cannot be asked. *found: the transfer of the disk that has not ended; NULL: there is
 * none. */
static gboolean find_transfer(OvirtSession *session, const char *disk_id, json_t **found,
                              GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) answer = ovirt_get(session, "imagetransfers", cancel, error);
    json_t *transfer;
    size_t at;

    *found = NULL;
    json_array_foreach (json_object_get(answer, "image_transfer"), at, transfer)
        if (!*found && !strcmp(disk_of(transfer), disk_id) && phase_of(transfer) != ENDED)
            *found = json_incref(transfer);
    return answer != NULL;
}

/* As find_transfer(), for one that is known. An engine forgets a transfer some time after its end. */
static gboolean get_transfer(OvirtSession *session, const char *id, json_t **transfer, GCancellable *cancel,
                             GError **error)
{
    g_autofree char *path = g_strconcat("imagetransfers/", id, NULL);
    g_autoptr(GError) failed = NULL;

    *transfer = ovirt_get(session, path, cancel, &failed);
    if (*transfer || g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static gboolean act(OvirtSession *session, const char *id, const char *action, GCancellable *cancel,
                    GError **error)
{
    g_autofree char *path = g_strconcat("imagetransfers/", id, "/", action, NULL);
    g_autoptr(json_t) answer = ovirt_post(session, path, NULL, cancel, error);
    return answer != NULL;
}

/* ---- what can be read ---------------------------------------------------------------------------------- */

static const json_t *find_disk(const json_t *workload, const char *disk_id)
{
    const json_t *attachment;
    size_t at;

    json_array_foreach (json_object_get(workload, "diskAttachments"), at, attachment) {
        const json_t *disk = json_object_get(attachment, "disk");
        if (!strcmp(json_string_at(disk, "id", ""), disk_id))
            return disk;
    }
    return NULL;
}

const char *ovirt_reader(const json_t *workload, const char *disk_id, GError **error)
{
    const json_t *disk = find_disk(workload, disk_id);
    const char *name = json_string_at(disk, "name", disk_id), *type = json_string_at(disk, "storageType", "");
    const char *status = json_string_at(disk, "status", "");

    if (!disk)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "VM '%s' (%s) has no disk %s any more",
                    json_string_at(workload, "name", ""), json_string_at(workload, "id", ""), disk_id);
    else if (!strcmp(type, "lun"))
        g_set_error(
            error, GANTRY_ERROR, ERROR_SOURCE_VM,
            "disk '%s' is a direct LUN, which the engine does not hand out: copy it to a disk of a storage "
            "domain, or detach it and attach the LUN to the target",
            name);
    else if (*type && strcmp(type, "image"))
        g_set_error(
            error, GANTRY_ERROR, ERROR_SOURCE_VM,
            "disk '%s' is of storage type '%s'; only images of a storage domain can be read: move it to one",
            name, type);
    else if (!strcmp(status, "illegal"))
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                    "disk '%s' is in status 'illegal': repair or remove its snapshots in the engine", name);
    else
        return "imageio";
    return NULL;
}

/* ---- hosts --------------------------------------------------------------------------------------------- */

/* That somebody answers with TLS. The certificate is that of the host's name, which the engine gives with
 * each transfer; the copier verifies it. */
gboolean ovirt_check_host(gpointer session, const SourceHost *host, GCancellable *cancel, GError **error)
{
    gboolean bare = strchr(host->address, ':') && *host->address != '[';
    g_autofree char *url = bare ? g_strdup_printf("https://[%s]:%d", host->address, OVIRT_IMAGEIO_PORT)
                                : g_strdup_printf("https://%s:%d", host->address, OVIRT_IMAGEIO_PORT);
    g_autoptr(HttpCertificate) seen = http_peer_certificate(url, HOST_TIMEOUT_S, cancel, error);
    return seen != NULL;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static void set_text(char **text, char *take)
{
    g_free(*text);
    *text = take;
}

/* Both NULL: it may be asked for. FALSE: the engine cannot be asked. */
static gboolean find_obstacle(OvirtSession *session, const char *disk_id, const char *backup, char **why,
                              GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_strconcat("disks/", disk_id, NULL);
    g_autoptr(json_t) other = NULL, disk = NULL;

    if (!find_transfer(session, disk_id, &other, cancel, error) ||
        !(disk = ovirt_get(session, path, cancel, error)))
        return FALSE;
    if (other)
        set_text(why, g_strdup_printf("Another transfer of the disk is %s in the engine (%s)",
                                      ovirt_text(other, "phase"), ovirt_text(other, "id")));
    else if (!backup && strcmp(ovirt_text(disk, "status"), "ok"))
        set_text(why, g_strdup_printf("The disk is %s in the engine", ovirt_text(disk, "status")));
    return TRUE;
}

/* The engine's refusal is a lock of the disk or of its VM that came up since, or a host that is away: things
 * that pass. */
static json_t *create(OvirtSession *session, const char *disk_id, const char *backup, const SourceHost *host,
                      char **grant, char **why, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) body =
        json_pack("{s:{s:s}, s:s, s:s, s:s, s:s}", "disk", "id", disk_id, "direction", "download", "format",
                  "raw", "inactivity_timeout", IDLE_S, "timeout_policy", "cancel");
    g_autoptr(GError) refused = NULL;
    json_t *transfer;

    if (backup)
        json_object_set_new(body, "backup", json_pack("{s:s}", "id", backup));
    else if (host) /* a backup is read on the host that it is on */
        json_object_set_new(body, "host", json_pack("{s:s}", "id", host->id));
    transfer = ovirt_post(session, "imagetransfers", body, cancel, &refused);
    if (transfer)
        return transfer;
    if (g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_FAULT)) {
        set_text(grant, NULL);
        set_text(why, g_strdup(refused->message));
    } else
        g_propagate_error(error, g_steal_pointer(&refused));
    return NULL;
}

/* The transfer that belongs to the grant, created when there is none yet. NULL without an error: see why. */
static json_t *transfer_of(OvirtSession *session, const char *disk_id, const char *backup,
                           const SourceHost *host, char **grant, char **why, GCancellable *cancel,
                           GError **error)
{
    json_t *transfer = NULL;

    if (strcmp(*grant, ASKED)) {
        if (get_transfer(session, *grant, &transfer, cancel, error) && !transfer) {
            set_text(grant, NULL);
            set_text(why, g_strdup("The transfer has ended; another one is asked for"));
        }
        return transfer;
    }
    if (!find_transfer(session, disk_id, &transfer, cancel, error))
        return NULL;
    if (!transfer)
        transfer = create(session, disk_id, backup, host, grant, why, cancel, error);
    if (transfer)
        set_text(grant, g_strdup(ovirt_text(transfer, "id")));
    return transfer;
}

/* ---- what the copier is told --------------------------------------------------------------------------- */

static char *generation(OvirtSession *session, const json_t *workload, const char *disk_id,
                        GCancellable *cancel, GError **error)
{
    const char *vm_id = json_string_at(workload, "id", "");
    g_autofree char *vm_path = g_strconcat("vms/", vm_id, NULL),
                    *disk_path = g_strconcat("disks/", disk_id, NULL);
    g_autoptr(json_t) vm = ovirt_get(session, vm_path, cancel, error);
    g_autoptr(json_t) disk = vm ? ovirt_get(session, disk_path, cancel, error) : NULL;
    const char *status = ovirt_text(vm, "status");

    if (!disk)
        return NULL;
    if (strcmp(status, "down") && strcmp(status, "image_locked")) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_RUNNING,
                    "source VM %s is %s while its disk is to be read", ovirt_text(vm, "name"), status);
        return NULL;
    }
    return g_strdup_printf("down/%s/%s", ovirt_text(vm, "stop_time"), ovirt_text(disk, "image_id"));
}

static gboolean is_at(const json_t *transfer, const SourceHost *host)
{
    const char *id = ovirt_text(transfer, "host.id");
    return host && host->address && (!*id || !g_strcmp0(id, host->id));
}

/* What a backup holds does not change: its id says what is read. */
static json_t *source_member(OvirtSession *session, const json_t *workload, const char *disk_id,
                             const char *backup, const json_t *transfer, const SourceHost *host,
                             GCancellable *cancel, GError **error)
{
    const char *url = ovirt_text(transfer, "transfer_url"), *proxy = ovirt_text(transfer, "proxy_url");
    g_autofree char *text = backup ? g_strdup(backup) : generation(session, workload, disk_id, cancel, error);
    json_t *member;

    if (!text)
        return NULL;
    if (!*url && !*proxy) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                    "the engine gives no address for the transfer of disk %s", disk_id);
        return NULL;
    }
    member = json_pack("{s:s, s:s, s:s}", "type", "imageio", "url", *url ? url : proxy, "generation", text);
    if (*url && is_at(transfer, host))
        json_object_set_new(member, "address", json_string(host->address));
    else if (*url && *proxy) /* the migration network was chosen so that nothing goes another way */
        json_object_set_new(member, "proxyUrl", json_string(proxy));
    return member;
}

json_t *ovirt_grant(gpointer session, const json_t *workload, const char *disk_id, const char *snapshot,
                    const SourceHost *host, char **grant, char **why, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) transfer = NULL;

    if (!ovirt_reader(workload, disk_id, error) ||
        (snapshot &&
         !ovirt_check_backup(session, json_string_at(workload, "id", ""), snapshot, cancel, error)))
        return NULL;
    if (!*grant) {
        if (!find_obstacle(session, disk_id, snapshot, why, cancel, error) || *why)
            return NULL;
        *grant = g_strdup(ASKED);
        *why = g_strdup("A transfer is asked for");
        return NULL;
    }
    transfer = transfer_of(session, disk_id, snapshot, host, grant, why, cancel, error);
    if (transfer && phase_of(transfer) == COMING) {
        g_autoptr(json_t) first = g_steal_pointer(&transfer);
        if (!get_transfer(session, *grant, &transfer, cancel, error))
            return NULL;
    }
    if (!transfer)
        return NULL;
    switch (phase_of(transfer)) {
    case OPEN:
        return source_member(session, workload, disk_id, snapshot, transfer, host, cancel, error);
    case STUCK:
        if (act(session, *grant, "cancel", cancel, error))
            *why = g_strdup_printf("The transfer was %s and is cancelled", ovirt_text(transfer, "phase"));
        return NULL;
    case ENDED:
        set_text(grant, NULL);
        G_GNUC_FALLTHROUGH;
    default:
        *why = g_strdup_printf("The transfer is %s", ovirt_text(transfer, "phase"));
        return NULL;
    }
}

/* ---- keeping and closing ------------------------------------------------------------------------------- */

static GMutex kept_lock;
static GHashTable *kept; /* transfer id → when it was extended last, in seconds; those long ago are dropped */

static gboolean is_long_ago(gpointer id, gpointer when, gpointer now)
{
    return GPOINTER_TO_UINT(now) - GPOINTER_TO_UINT(when) >= KEEP_EVERY_S;
}

/* TRUE: it is time to extend it again. */
static gboolean take_turn(const char *id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&kept_lock);
    guint now = g_get_monotonic_time() / G_USEC_PER_SEC;

    if (!kept)
        kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_foreach_remove(kept, is_long_ago, GUINT_TO_POINTER(now));
    return !g_hash_table_contains(kept, id) && g_hash_table_insert(kept, g_strdup(id), GUINT_TO_POINTER(now));
}

/* One that has ended is no error here: the copier finds out at its next read. */
gboolean ovirt_keep(gpointer session, const char *grant, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (!strcmp(grant, ASKED) || !take_turn(grant) || act(session, grant, "extend", cancel, &failed) ||
        g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND) ||
        g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_FAULT))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static gboolean close_transfer(OvirtSession *session, const json_t *transfer, gboolean whole,
                               GCancellable *cancel, GError **error)
{
    Phase phase = phase_of(transfer);
    g_autoptr(GError) refused = NULL;

    if (phase == CLOSING)
        return TRUE;
    if (act(session, ovirt_text(transfer, "id"), whole && phase == OPEN ? "finalize" : "cancel", cancel,
            &refused) ||
        g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND) ||
        g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_FAULT)) /* it has begun to end by itself */
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&refused));
    return FALSE;
}

gboolean ovirt_revoke(gpointer session, const char *disk_id, gboolean whole, char **grant,
                      GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) transfer = NULL;
    gboolean asked = !g_strcmp0(*grant, ASKED);

    if (!*grant)
        return TRUE;
    if (asked ? !find_transfer(session, disk_id, &transfer, cancel, error)
              : !get_transfer(session, *grant, &transfer, cancel, error))
        return FALSE;
    if (!transfer || phase_of(transfer) == ENDED) {
        set_text(grant, NULL);
        return TRUE;
    }
    return close_transfer(session, transfer, whole, cancel, error);
}
