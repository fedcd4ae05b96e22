/* queue: a VM's demand from what describes it; Pending conditions. */
#include "plan/queue.h"
#include "base/clock.h"
#include "crd/conditions.h"
#include "plan/mapping.h"
#include "plan/parallel.h"
#include "plan/schedule.h"
#include "plan/vm_progress.h"
#include <string.h>

enum { ASKERS = 8 };

/* A VM may have been moved to another host while it waited for this one. */
#define OLD_US (60 * G_USEC_PER_SEC)

/* One VM about which the inventory is asked, and what it answered. */
typedef struct {
    json_t *vm;
    VmRun *work; /* owns what the demand points to */
    ScheduleDisk *disks;
    Demand demand;
    GError *problem; /* there is no demand */
} Asked;

typedef struct {
    const PlanRun *run;
    GCancellable *cancel;
} Asker;

static void asked_free(gpointer data)
{
    Asked *asked = data;
    vm_run_free(asked->work);
    g_free(asked->disks);
    g_clear_error(&asked->problem);
    g_free(asked);
}

void queue_set_limits(const Settings *settings)
{
    guint limits[SCHEDULE_KINDS] = {[SCHEDULE_HOST] = settings->max_vm_inflight,
                                    [SCHEDULE_NFC] = settings->max_nfc_connections,
                                    [SCHEDULE_DATASTORE] = settings->max_disks_per_datastore,
                                    [SCHEDULE_STORAGE_CLASS] = settings->max_disks_per_storage_class,
                                    [SCHEDULE_NAMESPACE] = settings->max_vms_per_namespace};
    schedule_set_limits(limits);
}

/* ---- what a VM needs ---- */

gboolean queue_reads_nfc(const char *reader)
{
    return !strcmp(reader, "lease") || !strcmp(reader, "nfc") || !strcmp(reader, "vddk");
}

/* As far as it is known before the source is asked; what turns out later connects then. */
static gboolean reads_nfc(const PlanRun *run, const json_t *workload, const VmDisk *disk)
{
    const char *type = json_string_at(object_json(run->provider), "spec.type", "");
    g_autofree char *reader = source_reader(type, workload, disk->id, NULL);

    return reader && queue_reads_nfc(reader);
}

static void list_disks(const PlanRun *run, const json_t *workload, const Vm *machine, Asked *asked)
{
    asked->disks = g_new0(ScheduleDisk, machine->disks->len + 1);
    for (guint i = 0; i < machine->disks->len; i++) {
        const VmDisk *disk = machine->disks->pdata[i];
        TargetStorage storage = {0};
        gboolean mapped =
            run->storage_map && mapping_storage(object_json(run->storage_map), disk, &storage, NULL);
        asked->disks[i] =
            (ScheduleDisk){.name = disk->name,
                           .datastore = disk->storage_id ? disk->storage_id : "",
                           .storage_class = mapped && storage.storage_class ? storage.storage_class : "",
                           .nfc = reads_nfc(run, workload, disk)};
        asked->demand.size += disk->size;
    }
    asked->demand.disks = asked->disks;
    asked->demand.disk_count = machine->disks->len;
}

static void ask_one(gpointer data, gpointer user_data)
{
    const Asker *asker = user_data;
    const PlanRun *run = asker->run;
    Asked *asked = data;
    VmRun *vm = asked->work = vm_run_new(run, asked->vm);
    const json_t *workload = vm_run_workload(vm, asker->cancel, &asked->problem);
    const Vm *machine = workload ? vm_run_describe(vm, asker->cancel, &asked->problem) : NULL;
    gboolean hosts = source_hosts_log_in(json_string_at(object_json(run->provider), "spec.type", ""));

    if (!machine)
        return;
    asked->demand = (Demand){.plan = object_uid(run->plan),
                             .vm = vm_status_id(asked->vm),
                             .provider = object_uid(run->provider),
                             .ns = vm_run_owner(vm)->ns,
                             .host = hosts ? json_string_at(workload, "host.id", "") : "",
                             .whole = !hosts};
    asked->demand.host_name = hosts ? json_string_at(workload, "host.name", asked->demand.host) : "";
    list_disks(run, workload, machine, asked);
}

/* Asks about all at once, and goes on with them in their order. */
static void ask(const PlanRun *run, GPtrArray *vms, void (*use)(const Demand *demand), GCancellable *cancel)
{
    Asker asker = {.run = run, .cancel = cancel};

    if (vms->len)
        parallel_each(vms, ASKERS, ask_one, &asker);
    for (guint i = 0; i < vms->len; i++) {
        const Asked *asked = vms->pdata[i];
        if (!asked->problem)
            use(&asked->demand);
    }
}

static void add(GPtrArray *list, json_t *vm)
{
    Asked *asked = g_new0(Asked, 1);
    asked->vm = vm;
    g_ptr_array_add(list, asked);
}

/* ---- admitting ---- */

/* A VM that ended before it began needs no share. */
static gboolean waits(const json_t *vm)
{
    return !vm_status_started(vm) && !vm_status_completed(vm) && !vm_status_has(vm, "Canceled") &&
           !json_object_get(vm, "error");
}

static void say_pending(json_t *vm, const char *text)
{
    vm_status_set_condition(vm, "Pending", CONDITION_ADVISORY, "Queued", text, FALSE);
}

static void start(json_t *vm)
{
    g_autofree char *now = clock_now();

    vm_status_remove_condition(vm, "Pending");
    json_object_set_new(vm, "started", json_string(now));
}

static void say_place(const PlanRun *run, json_t *vm)
{
    g_autofree char *why = NULL, *text = NULL;
    guint place = schedule_place(object_uid(run->plan), vm_status_id(vm), &why);

    if (!place)
        return;
    text = g_strdup_printf("Place %u in the queue of its host. %s.", place, why);
    say_pending(vm, text);
}

/* TRUE when the VM is gone from the source: its migration is over before it began. */
static gboolean is_gone(const PlanRun *run, const Asked *asked)
{
    g_autoptr(VmRun) vm = NULL;

    if (!g_error_matches(asked->problem, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND))
        return FALSE;
    vm = vm_run_new(run, asked->vm);
    vm_progress_cancel(vm, "NotFound");
    schedule_release(object_uid(run->plan), vm_status_id(asked->vm));
    return TRUE;
}

/* FALSE: something could not be asked. */
static gboolean settle_asked(const PlanRun *run, GPtrArray *list)
{
    gboolean all = TRUE;

    for (guint i = 0; i < list->len; i++) {
        Asked *asked = list->pdata[i];
        if (!asked->problem || is_gone(run, asked))
            continue;
        all = FALSE;
        say_pending(asked->vm, asked->problem->message);
    }
    return all;
}

static gboolean want_unknown(const PlanRun *run, json_t *vms, GCancellable *cancel)
{
    g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(asked_free);
    size_t i;
    json_t *vm;

    json_array_foreach (vms, i, vm)
        if (waits(vm) && !schedule_knows(object_uid(run->plan), vm_status_id(vm)))
            add(unknown, vm);
    ask(run, unknown, schedule_want, cancel);
    return settle_asked(run, unknown);
}

/* Those that waited long may need something else by now. */
static gboolean confirm_old(const PlanRun *run, json_t *vms, GCancellable *cancel)
{
    const char *plan = object_uid(run->plan);
    g_autoptr(GPtrArray) old = g_ptr_array_new_with_free_func(asked_free);
    size_t i;
    json_t *vm;

    json_array_foreach (vms, i, vm)
        if (waits(vm) && schedule_holds(plan, vm_status_id(vm)) &&
            schedule_age_us(plan, vm_status_id(vm)) > OLD_US)
            add(old, vm);
    ask(run, old, schedule_confirm, cancel);
    return settle_asked(run, old);
}

gboolean queue_admit(const PlanRun *run, json_t *vms, GCancellable *cancel)
{
    const char *plan = object_uid(run->plan);
    gboolean known = want_unknown(run, vms, cancel);
    size_t i;
    json_t *vm;

    schedule_dispatch();
    known = confirm_old(run, vms, cancel) && known;
    json_array_foreach (vms, i, vm) {
        if (!waits(vm))
            continue;
        if (schedule_holds(plan, vm_status_id(vm)) && schedule_age_us(plan, vm_status_id(vm)) <= OLD_US)
            start(vm);
        else
            say_place(run, vm);
    }
    return known;
}

/* ---- giving back ---- */

/* Phases in which a VM reads nothing of its source any more. */
static gboolean reads_no_more(const json_t *vm)
{
    static const char *const phases[] = {"CreateGuestConversionPod", "ConvertGuest", "CreateVM", "PostHook",
                                         PHASE_COMPLETED};

    for (guint i = 0; i < G_N_ELEMENTS(phases); i++)
        if (!strcmp(vm_status_phase(vm), phases[i]))
            return TRUE;
    return vm_status_completed(vm);
}

static void give_back_disks(const char *plan, const json_t *vm)
{
    size_t i;
    json_t *task;

    json_array_foreach (json_object_get(vm_status_step(vm, "DiskTransfer"), "tasks"), i, task)
        if (item_ended(task))
            schedule_disk_done(plan, vm_status_id(vm), json_string_at(task, "name", ""));
}

void queue_give_back(const PlanRun *run, const json_t *vms)
{
    const char *plan = object_uid(run->plan);
    size_t i;
    json_t *vm;

    json_array_foreach (vms, i, vm) {
        if (reads_no_more(vm))
            schedule_release(plan, vm_status_id(vm));
        else if (!waits(vm) && !vm_status_started(vm))
            schedule_release(plan, vm_status_id(vm));
        else
            give_back_disks(plan, vm);
    }
    schedule_dispatch();
}

void queue_hold(const PlanRun *run, const json_t *vms, GCancellable *cancel)
{
    g_autoptr(GPtrArray) running = g_ptr_array_new_with_free_func(asked_free);
    size_t i;
    json_t *vm;

    json_array_foreach (vms, i, vm)
        if (vm_status_started(vm) && !reads_no_more(vm))
            add(running, vm);
    ask(run, running, schedule_hold, cancel);
    queue_give_back(run, vms);
}
