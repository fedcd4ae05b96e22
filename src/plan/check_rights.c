/* check_rights: asks the source once for all VMs, then judges each. */
#include "plan/check_rights.h"
#include "plan/host_access.h"
#include <string.h>

/* How long an answer holds: one that nothing is missing, and one that the user may be working on. */
enum { HOLDS_S = 120, HOLDS_MISSING_S = 10 };

/* ---- the answer ---- */

typedef struct {
    json_t *missing; /* as source_missing_rights() gives it */
    gint64 until;    /* monotonic */
} Answer;

static GMutex lock;
static GHashTable *answers; /* subject → Answer */

static void answer_free(gpointer data)
{
    Answer *answer = data;
    json_decref(answer->missing);
    g_free(answer);
}

static json_t *workloads_of(GPtrArray *vms)
{
    json_t *workloads = json_array();

    for (guint i = 0; i < vms->len; i++)
        json_array_append(workloads, ((const CheckedVm *)vms->pdata[i])->workload);
    return workloads;
}

/* Names everything that an answer depends on: the account, and the VMs with their datastores. A plan that is
 * new or was edited asks anew. */
static char *subject_of(const PlanCheck *check, GPtrArray *vms)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *account =
        g_strdup_printf("%s/%" G_GINT64_FORMAT "/%s", object_uid(check->provider),
                        object_generation(check->provider), object_resource_version(check->secret));

    for (guint i = 0; i < vms->len; i++) {
        const CheckedVm *vm = vms->pdata[i];
        g_checksum_update(sum, (const guchar *)vm->vm->id, strlen(vm->vm->id) + 1);
        for (guint d = 0; d < vm->vm->disks->len; d++) {
            const char *storage = ((const VmDisk *)vm->vm->disks->pdata[d])->storage_id;
            if (storage)
                g_checksum_update(sum, (const guchar *)storage, strlen(storage) + 1);
        }
    }
    return g_strdup_printf("%s/%s/%" G_GINT64_FORMAT "/%s", account, object_uid(check->plan),
                           object_generation(check->plan), g_checksum_get_string(sum));
}

static json_t *recall(const char *subject)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Answer *answer = answers ? g_hash_table_lookup(answers, subject) : NULL;

    return answer && answer->until > g_get_monotonic_time() ? json_incref(answer->missing) : NULL;
}

static gboolean is_outdated(gpointer subject, gpointer answer, gpointer unused)
{
    return ((Answer *)answer)->until <= g_get_monotonic_time();
}

static void remember(const char *subject, json_t *missing)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Answer *answer = g_new(Answer, 1);
    gboolean any = FALSE;
    const char *id;
    json_t *one;

    json_object_foreach (missing, id, one)
        any = any || json_object_size(one);
    *answer = (Answer){.missing = json_incref(missing),
                       .until = g_get_monotonic_time() + (any ? HOLDS_MISSING_S : HOLDS_S) * G_USEC_PER_SEC};
    if (!answers)
        answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, answer_free);
    g_hash_table_foreach_remove(answers, is_outdated, NULL);
    g_hash_table_replace(answers, g_strdup(subject), answer);
}

static json_t *ask(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autofree char *subject = subject_of(check, vms);
    g_autoptr(json_t) workloads = NULL;
    json_t *missing = recall(subject);
    Source *source;

    if (missing)
        return missing;
    source = provider_source(check->provider, check->secret, error);
    workloads = workloads_of(vms);
    missing = source ? source_missing_rights(source, workloads, cancel, error) : NULL;
    if (missing)
        remember(subject, missing);
    return missing;
}

/* ---- judging one VM ---- */

static char *join(const json_t *privileges)
{
    GString *text = g_string_new("");
    size_t i;
    json_t *one;

    json_array_foreach (privileges, i, one)
        g_string_append_printf(text, "%s%s", i ? ", " : "", json_string_value(one));
    return g_string_free(text, FALSE);
}

static void say(PlanCheck *check, const CheckedVm *vm, const json_t *privileges, const char *purpose)
{
    g_autofree char *list = join(privileges), *item = g_strdup_printf("%s: %s %s", vm->text, list, purpose);

    conditions_add_item(check->conditions, "InsufficientPrivileges", CONDITION_CRITICAL,
                        "PrivilegesNotGranted",
                        "The provider's account lacks privileges: add them to its role.", item);
}

static void need(PlanCheck *check, const CheckedVm *vm, const json_t *missing, const char *task,
                 const char *purpose)
{
    const json_t *privileges = json_object_get(missing, task);

    if (json_array_size(privileges))
        say(check, vm, privileges, purpose);
}

/* Which ways the account's role leaves open: the guide's own (table 2.4) leaves VDDK. */
static char *https_purpose(const json_t *missing)
{
    gboolean lease = !json_array_size(json_object_get(missing, "lease")),
             vddk = !json_array_size(json_object_get(missing, "vddk"));
    GString *text = g_string_new("to read its disks over HTTPS");

    if (lease || vddk)
        g_string_append_printf(text, " (the role allows to read them %s%s%s)",
                               vddk ? "by VDDK, with vddkInitImage" : "", lease && vddk ? ", or " : "",
                               lease ? "by export lease" : "");
    g_string_append(text, "; a Host with a Secret needs none of them");
    return g_string_free(text, FALSE);
}

/* Whether the VM's ESXi host is read with its own user and password; FALSE with an error set: not known. */
static gboolean has_host_password(PlanCheck *check, const CheckedVm *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(Object) host = host_access_host(check->kube, check->provider, vm->workload, cancel, error);
    return host && *json_string_at(object_json(host), "spec.secret.name", "");
}

static gboolean judge_reading(PlanCheck *check, const CheckedVm *vm, const json_t *missing,
                              GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *purpose = https_purpose(missing);

    if (check_vms_reads_by(check, vm, "lease"))
        need(check, vm, missing, "lease", "to read its disks by export lease");
    if (check_vms_reads_by(check, vm, "vddk"))
        need(check, vm, missing, "vddk", "to read its disks by VDDK");
    if (check_vms_reads_by(check, vm, "imageio"))
        need(check, vm, missing, "imageio", "to open image transfers of its disks");
    if (!json_array_size(json_object_get(missing, "https")) || !check_vms_reads_by(check, vm, "https") ||
        has_host_password(check, vm, cancel, &problem))
        return TRUE;
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    need(check, vm, missing, "https", purpose);
    return TRUE;
}

static gboolean judge(PlanCheck *check, const CheckedVm *vm, const json_t *missing, GCancellable *cancel,
                      GError **error)
{
    if (vm->vm->powered_on) {
        need(check, vm, missing, "powerOff", "to shut it down");
        need(check, vm, missing, "powerOn", "to start it again if the migration fails");
    }
    if (json_bool_at(object_json(check->plan), "spec.warm", FALSE)) {
        need(check, vm, missing, "snapshots", "to read it at snapshots");
        need(check, vm, missing, "changes", "to see what changes");
    }
    return judge_reading(check, vm, missing, cancel, error);
}

gboolean check_rights(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) missing = vms->len ? ask(check, vms, cancel, &problem) : NULL;

    if (problem)
        conditions_set(check->conditions, "SourceCheckFailed", CONDITION_CRITICAL, error_reason(problem),
                       "%s. %s", problem->message, error_remedy(problem));
    for (guint i = 0; missing && i < vms->len; i++) {
        const CheckedVm *vm = vms->pdata[i];
        if (!judge(check, vm, json_object_get(missing, vm->vm->id), cancel, error))
            return FALSE;
    }
    return TRUE;
}
