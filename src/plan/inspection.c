/* inspection: what is known, else the Pod, else a new Pod. */
#include "plan/inspection.h"
#include "base/clock.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "plan/changes.h"
#include "plan/disk_grant.h"
#include "plan/guest_keys.h"
#include "plan/host_access.h"
#include "plan/pod_result.h"
#include "plan/provider_access.h"
#include "plan/transfer_network.h"
#include "plan/warm.h"
#include "target/inspection_pod.h"
#include <string.h>

#define MINE "forklift.app=" TARGET_INSPECTION_APP

enum {
    HOLDS_FAILED_S = 600, /* that a guest could not be looked at */
    MOST_KEPT = 10000,
};

/* ---- whether ---- */

gboolean inspection_doubts_drivers(VmRun *vm)
{
    const Vm *machine = vm_run_describe(vm, NULL, NULL);

    if (!machine || machine->needs_conversion || json_object_get(vm_run_plan_spec(vm), "skipGuestConversion"))
        return FALSE;
    for (guint i = 0; i < machine->disks->len; i++) {
        const VmDisk *disk = machine->disks->pdata[i];
        if (disk->boot || machine->disks->len == 1)
            return disk->bus == VM_BUS_SATA;
    }
    return FALSE;
}

gboolean inspection_applies(VmRun *vm)
{
    const json_t *status = vm_run_status(vm);

    if (vm_status_step(status, "VirtualMachineCreation"))
        return vm_status_step(status, "PreflightInspection") != NULL;
    return json_bool_at(vm_run_plan_spec(vm), "runPreflightInspection", TRUE) &&
           (vm_run_converts(vm) || inspection_doubts_drivers(vm));
}

/* ---- what is known ---- */

typedef struct {
    json_t *report;
    gint64 until; /* monotonic; 0: for good */
} Finding;

static GMutex lock, starting;
static GHashTable *findings; /* mark → Finding */

static void finding_free(gpointer data)
{
    json_decref(((Finding *)data)->report);
    g_free(data);
}

static void keep(const char *mark, json_t *report, gint64 holds_s)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Finding *finding = g_new(Finding, 1);

    *finding =
        (Finding){json_incref(report), holds_s ? g_get_monotonic_time() + holds_s * G_USEC_PER_SEC : 0};
    if (!findings)
        findings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finding_free);
    if (g_hash_table_size(findings) >= MOST_KEPT)
        g_hash_table_remove_all(findings);
    g_hash_table_replace(findings, g_strdup(mark), finding);
}

static json_t *recall(const char *mark)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    const Finding *finding = findings ? g_hash_table_lookup(findings, mark) : NULL;

    return finding && (!finding->until || finding->until > g_get_monotonic_time())
               ? json_incref(finding->report)
               : NULL;
}

static json_t *not_looked_at(const char *why)
{
    return json_pack("{s:n, s:[{s:s, s:s, s:s}]}", "os", "concerns", "category", "Warning", "label",
                     "Guest not inspected before the copy", "assessment", why ? why : "unknown");
}

/* ---- the disks ---- */

typedef struct {
    Importer *disks;
    guint len;
    ProviderAccess access;
    HostAccess host;
    json_t *trust;
    gboolean noted;
} Disks;

static void disks_clear(Disks *disks)
{
    for (guint i = 0; i < disks->len; i++)
        json_decref((json_t *)disks->disks[i].source);
    g_free(disks->disks);
    json_decref(disks->trust);
    provider_access_clear(&disks->access);
    host_access_clear(&disks->host);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Disks, disks_clear)

/* How the disk is read; NULL without an error: not yet, *why says for what. Before a migration there is no
 * task to note on what is opened, and only sources that open nothing are asked. */
static json_t *grant(VmRun *vm, const VmDisk *disk, Disks *disks, char **why, GCancellable *cancel,
                     GError **error)
{
    const HostAccess *host = &disks->host;
    const SourceHost direct = {.id = host->id, .address = host->address};
    json_t *task = item_task(vm_run_step(vm, "DiskTransfer"), disk->name), *source = NULL;
    g_autofree char *opened = NULL;
    Source *connection;

    if (task) {
        source =
            disk_grant_get(vm, task, disk->id, host->address ? &direct : NULL, &disks->noted, cancel, error);
        if (!source)
            *why = g_strdup(json_string_at(task, "reason", "The source opens the disk"));
    } else if ((connection = vm_run_source(vm, error)))
        source = source_grant(connection, vm_run_workload(vm, cancel, NULL), disk->id, NULL,
                              host->address ? &direct : NULL, &opened, why, cancel, error);
    return source;
}

static gboolean open_disk(VmRun *vm, const VmDisk *disk, Disks *disks, char **why, GCancellable *cancel,
                          GError **error)
{
    const HostAccess *host = &disks->host;
    const SourceAccess *access = &disks->access.access;
    g_autoptr(json_t) source = grant(vm, disk, disks, why, cancel, error), changes = NULL;

    if (!source || (vm_run_is_warm(vm) && warm_last(vm_run_status(vm)) &&
                    !changes_find(vm, disk, &source, &changes, cancel, error)))
        return FALSE;
    if (host->ticket)
        json_object_set(source, "ticket", host->ticket);
    disks->disks[disks->len++] = (Importer){.disk = disk,
                                            .source = g_steal_pointer(&source),
                                            .trust = host->trust ? host->trust : disks->trust,
                                            .user = host->user ? host->user : access->user,
                                            .password = host->password ? host->password : access->password,
                                            .fence = "inspection"};
    return TRUE;
}

/* FALSE without an error: not yet. */
static gboolean open_disks(VmRun *vm, const Vm *machine, Disks *disks, char **why, GCancellable *cancel,
                           GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);

    provider_access_read(plan->provider, plan->secret, &disks->access);
    disks->trust = provider_access_trust(&disks->access);
    disks->disks = g_new0(Importer, machine->disks->len);
    if (!host_access_find(vm, &disks->access, &disks->host, cancel, error))
        return FALSE;
    for (guint i = 0; i < machine->disks->len; i++)
        if (!open_disk(vm, machine->disks->pdata[i], disks, why, cancel, error))
            return FALSE;
    return TRUE;
}

/* What is asked of which state of the disks. */
static char *mark_of(VmRun *vm, const Disks *disks, const Object *keys)
{
    g_autoptr(GString) subject = g_string_new(NULL);
    const json_t *status = vm_run_status(vm);
    char *mark;

    g_string_printf(subject, "%s\n%s\n%s\n%s\n%d", object_uid(vm_run_plan(vm)->provider),
                    vm_status_id(status), json_string_at(status, "rootDisk", ""),
                    keys ? object_resource_version(keys) : "", guest_keys_by_clevis(vm));
    for (guint i = 0; i < disks->len; i++)
        g_string_append_printf(subject, "\n%s", json_string_at(disks->disks[i].source, "generation", ""));
    mark = g_compute_checksum_for_string(G_CHECKSUM_SHA256, subject->str, -1);
    mark[32] = '\0'; /* a label's value has at most 63 characters */
    return mark;
}

/* ---- a new Pod ---- */

static gboolean delete_secrets(VmRun *vm, GCancellable *cancel, GError **error)
{
    return vm_run_delete_all(vm, &KUBE_SECRET, FALSE, MINE, cancel, error);
}

/* Those of all plans that have not ended. */
static gboolean is_room(VmRun *vm, gboolean *room, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    g_autoptr(GPtrArray) pods = kube_list(plan->target, &KUBE_POD, NULL, MINE, NULL, NULL, cancel, error);
    gint running = 0;

    for (guint i = 0; pods && i < pods->len; i++) {
        const char *phase = json_string_at(object_json(pods->pdata[i]), "status.phase", "");
        running += strcmp(phase, "Succeeded") && strcmp(phase, "Failed");
    }
    *room = running < plan->settings->max_inspections;
    return pods != NULL;
}

static gboolean create(VmRun *vm, Inspection *inspection, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    TargetOwner owner = *vm_run_owner(vm);
    g_autofree char *keys = NULL;
    g_autoptr(Object) secret = NULL, pod = NULL;

    if (plan->settings->conversion_image)
        owner.image = plan->settings->conversion_image;
    if (!delete_secrets(vm, cancel, error) ||
        !guest_keys_copy(vm, TARGET_INSPECTION_APP, &keys, cancel, error))
        return FALSE;
    inspection->keys_secret = keys;
    secret = vm_run_create(vm, &KUBE_SECRET, target_inspection_secret(&owner, inspection), cancel, error);
    if (secret)
        pod = vm_run_create(vm, &KUBE_POD, target_inspection_pod(&owner, inspection, object_name(secret)),
                            cancel, error);
    return pod != NULL;
}

static StepResult start(VmRun *vm, Inspection *inspection, char **why, GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&starting); /* so that the limit holds */
    gboolean room;

    if (!is_room(vm, &room, cancel, error))
        return STEP_FAILED;
    *why = g_strdup(room ? "The inspection Pod is being started"
                         : "Waits for the inspection of another VM to end (controller_max_inspections)");
    return !room || create(vm, inspection, cancel, error) ? STEP_WAIT : STEP_FAILED;
}

/* What is asked of which disks; NULL without an error: not yet. */
static char *ask(VmRun *vm, const Vm *machine, Disks *disks, char **why, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) keys = guest_keys_find(plan->kube, plan->plan, vm_run_status(vm), cancel, &problem);

    if (!problem && open_disks(vm, machine, disks, why, cancel, &problem))
        return mark_of(vm, disks, keys);
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

static StepResult begin(VmRun *vm, json_t **report, char **why, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    const Vm *machine = vm_run_describe(vm, cancel, error);
    const char *root = json_string_at(vm_run_status(vm), "rootDisk", "");
    g_autoptr(GError) problem = NULL;
    g_autofree char *network = transfer_network_find(plan->plan, plan->destination, plan->settings),
                    *mark = NULL;
    g_auto(Disks) disks = {0};
    Inspection inspection;
    StepResult started;

    if (!machine)
        return STEP_FAILED;
    if (!machine->disks->len) {
        *report = not_looked_at("the VM has no disk");
        return STEP_DONE;
    }
    mark = ask(vm, machine, &disks, why, cancel, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return STEP_FAILED;
    }
    if (!mark)
        return disks.noted ? STEP_AGAIN : STEP_WAIT;
    if ((*report = recall(mark)))
        return STEP_DONE;
    inspection = (Inspection){.vm = machine,
                              .disks = disks.disks,
                              .mark = mark,
                              .root = *root ? root : NULL,
                              .clevis = guest_keys_by_clevis(vm),
                              .request_kvm = plan->settings->request_kvm,
                              .transfer_network = network,
                              .service_account = plan->settings->service_account};
    started = start(vm, &inspection, why, cancel, error);
    return started == STEP_WAIT && disks.noted ? STEP_AGAIN : started;
}

gboolean inspection_known(VmRun *vm, json_t **report, GCancellable *cancel)
{
    const Vm *machine = vm_run_describe(vm, cancel, NULL);
    g_autofree char *why = NULL, *mark = NULL;
    g_auto(Disks) disks = {0};

    if (machine)
        mark = ask(vm, machine, &disks, &why, cancel, NULL);
    *report = mark ? recall(mark) : NULL;
    return *report != NULL;
}

/* ---- the Pod that is there ---- */

static void keep_open(VmRun *vm, GCancellable *cancel)
{
    size_t i;
    json_t *task;

    json_array_foreach (json_object_get(vm_run_step(vm, "DiskTransfer"), "tasks"), i, task)
        disk_grant_keep(vm, task, cancel);
}

/* The Pod goes, its log before it: what matters is in the report. */
static StepResult end(VmRun *vm, const Object *pod, const PodResult *result, json_t **report,
                      GCancellable *cancel, GError **error)
{
    gboolean good = result->state == POD_COMPLETED;
    g_autoptr(json_t) found = good ? json_incref(result->report) : not_looked_at(result->text);
    g_autofree char *key = plan_key(vm_run_plan(vm)->plan);

    keep(object_label(pod, TARGET_INSPECTION_MARK, ""), found, good ? 0 : HOLDS_FAILED_S);
    if (!good)
        log_warn("a guest could not be inspected", "plan", key, "vm", vm_run_owner(vm)->vm_id, "error",
                 result->text, NULL);
    if (!vm_run_delete(vm, &KUBE_POD, pod, cancel, error) || !delete_secrets(vm, cancel, error))
        return STEP_FAILED;
    *report = g_steal_pointer(&found);
    return STEP_DONE;
}

static StepResult look(VmRun *vm, const Object *pod, json_t **report, char **why, GCancellable *cancel,
                       GError **error)
{
    g_auto(PodResult) result = {0};

    pod_result_read(pod, &result);
    if (result.state != POD_WAITING && result.state != POD_RUNNING)
        return end(vm, pod, &result, report, cancel, error);
    keep_open(vm, cancel);
    *why = g_strdup(result.state == POD_RUNNING ? "The guest is inspected in the source"
                    : result.text               ? result.text
                                                : "The inspection Pod is being started");
    return STEP_WAIT;
}

StepResult inspection_go_on(VmRun *vm, json_t **report, char **why, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) pods = vm_run_list(vm, &KUBE_POD, FALSE, MINE, cancel, error);

    *report = NULL;
    *why = NULL;
    if (!pods)
        return STEP_FAILED;
    for (guint i = 0; i < pods->len; i++)
        if (!object_deleting(pods->pdata[i]))
            return look(vm, pods->pdata[i], report, why, cancel, error);
    return begin(vm, report, why, cancel, error);
}

/* ---- the report ---- */

char *inspection_concerns(const json_t *report, const char *category)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;
    json_t *concern;

    json_array_foreach (json_object_get(report, "concerns"), i, concern)
        if (!strcmp(json_string_at(concern, "category", ""), category))
            g_string_append_printf(text, "%s%s: %s", text->len ? "; " : "",
                                   json_string_at(concern, "label", ""),
                                   json_string_at(concern, "assessment", ""));
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
