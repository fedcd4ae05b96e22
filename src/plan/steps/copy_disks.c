/* CopyDisks, Finalize: an importer Pod per disk, all at once; each is believed only when it reports a whole,
 * read-back copy. In a warm migration each round reads what has changed since the round before, at the
 * round's snapshot.
 *
 * A Pod's container is restarted by the kubelet and goes on from its journal. After importer_retry restarts
 * without progress, or one fatal error, the VM fails; a stale one (the source changed, the ticket is old)
 * gets a new Pod with a new spec.
 */
#include "base/clock.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "kube/find.h"
#include "plan/bandwidth.h"
#include "plan/changes.h"
#include "plan/disk_grant.h"
#include "plan/host_access.h"
#include "plan/pod_result.h"
#include "plan/provider_access.h"
#include "plan/queue.h"
#include "plan/schedule.h"
#include "plan/step.h"
#include "plan/transfer_network.h"
#include "plan/warm.h"
#include "target/importer_pod.h"
#include "target/pod.h"
#include <string.h>

typedef struct {
    VmRun *vm;
    const VmDisk *disk;         /* id, name and size, as its DataVolume says */
    const Object *volume, *pod; /* pod NULL: none yet */
    const char *state_claim;
    json_t *task;
    gboolean *noted; /* set when the status has to be written before the next look */
} Copy;

/* ---- starting ---- */

static gboolean volume_ready(const Object *volume)
{
    const char *phase = json_string_at(object_json(volume), "status.phase", "");
    return !strcmp(phase, "Succeeded") || !strcmp(phase, "PendingPopulation") ||
           !strcmp(phase, "WaitForFirstConsumer");
}

static void say_why_volume_waits(const Copy *copy)
{
    const json_t *bound = NULL;
    g_autofree char *reason = NULL;
    size_t i;
    json_t *condition;

    json_array_foreach (json_at(object_json(copy->volume), "status.conditions"), i, condition)
        if (!strcmp(json_string_at(condition, "type", ""), "Bound"))
            bound = condition;
    reason = g_strdup_printf(
        "%s; %s", json_string_at(bound, "reason", "DataVolume is not ready"),
        json_string_at(bound, "message", json_string_at(object_json(copy->volume), "status.phase", "")));
    item_set_pending(copy->task, reason);
}

/* A host has only so many NFC connections; HTTPS needs none. */
static gboolean waits_for_connection(const Copy *copy, const char *reader)
{
    const TargetOwner *owner = vm_run_owner(copy->vm);

    item_annotate(copy->task, "reader", reader);
    if (!queue_reads_nfc(reader) ||
        schedule_connect(owner->plan_uid, owner->vm_id, json_string_at(copy->task, "name", "")))
        return FALSE;
    item_set_pending(copy->task, "Waits for an NFC connection of its host (controller_max_nfc_connections)");
    return TRUE;
}

/* VMware's library, where the provider has it (an image or a directory of the node), reads what vCenter has
 * as a file. */
static const char *vddk_for(const Copy *copy, const HostAccess *host, const json_t *source)
{
    const Object *provider = vm_run_plan(copy->vm)->provider;
    const char *from = json_string_at(object_json(provider), "spec.settings.vddkInitImage", "");

    return *from && !host->address && !strcmp(json_string_at(source, "type", ""), "https") ? from : NULL;
}

/* The same disk by the library, and where that does not work by the ways that there were. */
static void put_vddk_first(const Copy *copy, json_t **source)
{
    const char *snapshot =
        vm_run_is_warm(copy->vm) ? warm_snapshot(warm_last(vm_run_status(copy->vm))) : NULL;
    g_autofree char *file = g_strdup_printf("[%s] %s", json_string_at(*source, "datastore", ""),
                                            json_string_at(*source, "path", ""));
    json_t *others = json_array(), *before = *source;

    json_array_append(others, before);
    json_array_extend(others, json_object_get(before, "others"));
    *source = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "type", "vddk", "url",
                        json_string_at(before, "url", ""), "vm", vm_run_owner(copy->vm)->vm_id, "file", file,
                        "library", TARGET_VDDK_PATH, "generation", json_string_at(before, "generation", ""),
                        "others", others);
    if (snapshot)
        json_object_set_new(*source, "snapshot", json_string(snapshot));
    json_object_del(before, "others");
    json_decref(before);
}

/* ---- limits of the bandwidth ---- */

/* The copy among those that limits are shared by; *host is what it points to. */
static BandwidthCopy reading(const Copy *copy, char **host)
{
    const TargetOwner *owner = vm_run_owner(copy->vm);

    *host = schedule_host(owner->plan_uid, owner->vm_id);
    return (BandwidthCopy){.plan = owner->plan_uid,
                           .vm = owner->vm_id,
                           .disk = json_string_at(copy->task, "name", ""),
                           .host = *host};
}

/* Bytes per second that it may read now; 0: any number. */
static guint64 share_of(const Copy *copy, const char **whose)
{
    g_autofree char *host = NULL;
    BandwidthCopy one = reading(copy, &host);

    if (!bandwidth_read(vm_run_plan(copy->vm)->plan, &one.plan_limit, NULL))
        one.plan_limit = 0; /* a condition of the plan says so */
    return bandwidth_share(&one, g_get_monotonic_time(), whose);
}

static void leave_share(const Copy *copy)
{
    g_autofree char *host = NULL;
    const BandwidthCopy one = reading(copy, &host);
    bandwidth_end(&one);
}

/* A Secret that a killed controller left without its Pod has a spec of unknown age: made anew. */
static gboolean start(Copy *copy, GCancellable *cancel, GError **error)
{
    VmRun *vm = copy->vm;
    const PlanRun *plan = vm_run_plan(vm);
    g_autofree char *label = target_label_value(copy->disk->id);
    g_autofree char *mine =
        g_strdup_printf("forklift.app=" TARGET_IMPORTER_APP "," TARGET_DISK_LABEL "=%s", label);
    g_autofree char *fence = g_uuid_string_random();
    g_auto(ProviderAccess) access = {0};
    g_auto(HostAccess) host = {0};
    g_autofree char *network = transfer_network_find(plan->plan, plan->destination, plan->settings);
    g_autoptr(json_t) source = NULL, trust = NULL, changes = NULL;
    g_autoptr(Object) secret = NULL, pod = NULL;
    g_autoptr(GError) failed = NULL;
    const char *vddk, *whose;
    Importer importer;

    provider_access_read(plan->provider, plan->secret, &access);
    if (!host_access_find(vm, &access, &host, cancel, error) ||
        !vm_run_delete_all(vm, &KUBE_SECRET, TRUE, mine, cancel, error))
        return FALSE;
    source = disk_grant_get(vm, copy->task, copy->disk->id,
                            host.address ? &(SourceHost){.id = host.id, .address = host.address} : NULL,
                            copy->noted, cancel, &failed);
    if (!source) {
        if (failed)
            g_propagate_error(error, g_steal_pointer(&failed));
        return *error == NULL;
    }
    vddk = vddk_for(copy, &host, source);
    if (waits_for_connection(copy, vddk ? "vddk" : json_string_at(source, "type", "")))
        return TRUE;
    if (vm_run_is_warm(vm) && !changes_find(vm, copy->disk, &source, &changes, cancel, error))
        return FALSE;
    if (host.ticket)
        json_object_set(source, "ticket", host.ticket);
    if (vddk)
        put_vddk_first(copy, &source);
    trust = host.trust ? json_incref(host.trust) : provider_access_trust(&access);
    importer = (Importer){
        .disk = copy->disk,
        .source = source,
        .changes = changes,
        .trust = trust,
        .user = host.user ? host.user : access.access.user,
        .password = host.password ? host.password : access.access.password,
        .fence = fence,
        .generation = g_get_real_time(),
        .claim = object_name(copy->volume),
        .block = !strcmp(json_string_at(object_json(copy->volume), "spec.storage.volumeMode", ""), "Block"),
        .state_claim = copy->state_claim,
        .transfer_network = network,
        .service_account = plan->settings->service_account,
        .rate = share_of(copy, &whose),
        .vddk = vddk};
    secret =
        vm_run_create(vm, &KUBE_SECRET, target_importer_secret(vm_run_owner(vm), &importer), cancel, error);
    if (!secret)
        return FALSE;
    pod = vm_run_create(vm, &KUBE_POD, target_importer_pod(vm_run_owner(vm), &importer, object_name(secret)),
                        cancel, error);
    if (pod)
        item_set_pending(copy->task, "The importer Pod is being started");
    return pod != NULL;
}

/* ---- looking ---- */

static void annotate_number(json_t *task, const char *key, const json_t *report, const char *member)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, json_int_at(report, member, 0));
    item_annotate(task, key, text);
}

/* Says so when minutes pass without a byte. */
static void watch_for_stall(json_t *task, gint64 landed, gint stalled_after_s)
{
    const char *before = item_annotation(task, "landed"), *since = item_annotation(task, "landedAt");
    g_autofree char *now = clock_now(), *text = g_strdup_printf("%" G_GINT64_FORMAT, landed), *reason = NULL;
    gint64 quiet_s = since ? (g_get_real_time() - clock_parse(since)) / G_USEC_PER_SEC : 0;

    if (!since || g_strcmp0(before, text)) {
        item_annotate(task, "landed", text);
        item_annotate(task, "landedAt", now);
        return;
    }
    if (quiet_s < stalled_after_s)
        return;
    item_annotate(task, "bytesPerSecond", "0");
    item_annotate(task, "secondsLeft", NULL);
    reason = quiet_s < 120
                 ? g_strdup_printf("Stalled: no byte for %" G_GINT64_FORMAT " seconds", quiet_s)
                 : g_strdup_printf("Stalled: no byte for %" G_GINT64_FORMAT " minutes", quiet_s / 60);
    item_set_reason(task, reason);
}

/* While it is verified, what is left to be read back. */
static void show_time_left(json_t *task, gint64 left, gint64 rate)
{
    g_autofree char *text = rate > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, (left + rate - 1) / rate) : NULL;
    item_annotate(task, "secondsLeft", text);
}

static void show_numbers(json_t *task, const json_t *progress)
{
    gboolean verifying = !strcmp(json_string_at(progress, "phase", ""), "Verifying");
    gint64 total = json_int_at(progress, "bytesTotal", 0), done = json_int_at(progress, "bytesDone", 0);
    gint64 through = verifying ? json_int_at(progress, "bytesVerified", 0) : done;

    item_set_reason(task, verifying ? "Verifying" : NULL);
    item_set_progress(task, done >> 20);
    annotate_number(task, "bytesTotal", progress, "bytesTotal");
    annotate_number(task, "bytes", progress, "bytesDone");
    annotate_number(task, "bytesVerified", progress, "bytesVerified");
    annotate_number(task, "bytesPerSecond", progress, "bytesPerSecond");
    show_time_left(task, MAX(total - through, 0), json_int_at(progress, "bytesPerSecond", 0));
}

/* Tells the copier of its share where that has changed, and the user what holds it back. */
static void limit(const Copy *copy, json_t **progress, GCancellable *cancel)
{
    const char *whose;
    guint64 share = share_of(copy, &whose);
    g_autoptr(json_t) limits = json_pack("{s:I}", "bytesPerSecond", (json_int_t)share);
    g_autoptr(GError) problem = NULL;
    g_autofree char *reason = NULL;
    json_t *limited;

    if ((guint64)json_int_at(*progress, "bytesPerSecondLimit", 0) != share) {
        limited = kube_pod_proxy_put(vm_run_plan(copy->vm)->target, object_namespace(copy->pod),
                                     object_name(copy->pod), TARGET_PROGRESS_PORT, "/limits", limits, cancel,
                                     &problem);
        if (limited) {
            json_decref(*progress);
            *progress = limited;
        }
    }
    if (!share)
        return;
    reason = problem ? g_strdup_printf("Cannot be limited to %.1f MB/s (%s): %s", share / 1e6, whose,
                                       problem->message)
                     : g_strdup_printf("Limited to %.1f MB/s by %s", share / 1e6, whose);
    item_set_reason(copy->task, reason);
}

static void show_progress(const Copy *copy, GCancellable *cancel)
{
    const Object *pod = copy->pod;
    g_autoptr(json_t) progress =
        kube_pod_proxy_get(vm_run_plan(copy->vm)->target, object_namespace(pod), object_name(pod),
                           TARGET_PROGRESS_PORT, "/progress", cancel, NULL);
    const char *landed = item_annotation(copy->task, "landed");
    gint64 before = landed ? g_ascii_strtoll(landed, NULL, 10) : 0;

    item_begin(copy->task);
    json_object_set_new(copy->task, "phase", json_string(STEP_RUNNING));
    if (progress) /* else it has only just started, is just ending, or hangs */
        show_numbers(copy->task, progress);
    if (progress && strcmp(json_string_at(progress, "phase", ""), "Copying"))
        leave_share(copy);
    else if (progress)
        limit(copy, &progress, cancel);
    watch_for_stall(
        copy->task,
        progress ? json_int_at(progress, "bytesDone", 0) + json_int_at(progress, "bytesVerified", 0) : before,
        vm_run_plan(copy->vm)->settings->stalled_after_s);
}

/* Only a report of every byte, read back and equal, counts. */
static gboolean accept(const Copy *copy, const json_t *report, GError **error)
{
    const char *read_back = json_string_at(report, "readBack", "missing");

    if ((guint64)json_int_at(report, "size", -1) != copy->disk->size || strcmp(read_back, "equal")) {
        g_set_error(error, GANTRY_ERROR, ERROR_COPY_FAILED,
                    "disk %s: Pod %s reports %" G_GINT64_FORMAT " of %" G_GUINT64_FORMAT
                    " bytes, read back: %s",
                    copy->disk->name, object_name(copy->pod), json_int_at(report, "size", -1),
                    copy->disk->size, read_back);
        return FALSE;
    }
    annotate_number(copy->task, "bytesTotal", report, "size");
    annotate_number(copy->task, "bytes", report, "size");
    annotate_number(copy->task, "bytesRead", report, "bytesReadInAll"); /* restarts of the copier included */
    annotate_number(copy->task, "bytesReadTwice", report, "bytesReadTwice");
    annotate_number(copy->task, "resumedFrom", report, "resumedFrom");
    item_annotate(copy->task, "hash", json_string_at(report, "hash", ""));
    item_annotate(copy->task, "readBack", read_back);
    item_annotate(copy->task, "readBy", json_string_at(report, "reader", NULL));
    for (const char *const *gone = (const char *const[]){"bytesPerSecond", "secondsLeft", "landed",
                                                         "landedAt", "bytesVerified", NULL};
         *gone; gone++)
        item_annotate(copy->task, *gone, NULL);
    return TRUE;
}

/* The task ends when the source has its disk back. */
static gboolean complete(const Copy *copy, const json_t *report, GCancellable *cancel, GError **error)
{
    StepResult given_back;

    if (!accept(copy, report, error))
        return FALSE;
    given_back = disk_grant_give_back(copy->vm, copy->task, TRUE, cancel, error);
    if (given_back == STEP_DONE)
        item_end(copy->task);
    return given_back != STEP_FAILED;
}

static gboolean is_counted(const json_t *task, const char *end)
{
    return !g_strcmp0(item_annotation(task, "restartEnd"), end);
}

/* A copier that ended badly may read a snapshot that somebody has removed: no restart brings that back. */
static gboolean check_snapshot(const Copy *copy, const char *end, GCancellable *cancel, GError **error)
{
    const char *snapshot = warm_snapshot(warm_last(vm_run_status(copy->vm)));
    g_autoptr(GError) problem = NULL;

    if (!vm_run_is_warm(copy->vm) || is_counted(copy->task, end) ||
        vm_run_snapshot_disks(copy->vm, snapshot, cancel, &problem) ||
        !g_error_matches(problem, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&problem), "somebody has removed what is copied: ");
    return FALSE;
}

/* The number of this restart among those without progress in between. */
static gint count_restart(json_t *task, const char *end)
{
    const char *before = item_annotation(task, "restartAt"), *count = item_annotation(task, "restarts");
    gint number = count ? atoi(count) : 0;
    g_autofree char *at = NULL, *text = NULL;

    if (is_counted(task, end))
        return number;
    at = g_strdup_printf("%" G_GINT64_FORMAT, json_int_at(task, "progress.completed", 0));
    number = !g_strcmp0(before, at) ? number + 1 : 1;
    text = g_strdup_printf("%d", number);
    item_annotate(task, "restartAt", at);
    item_annotate(task, "restartEnd", end);
    item_annotate(task, "restarts", text);
    return number;
}

static gboolean give_up(const Copy *copy, const PodResult *result, GError **error)
{
    /* the copier's own report names the disk */
    if (g_str_has_prefix(result->text, "disk "))
        g_set_error_literal(error, GANTRY_ERROR, ERROR_COPY_FAILED, result->text);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_COPY_FAILED, "disk %s: %s", copy->disk->name, result->text);
    return FALSE;
}

/* A bad end that is not the last word: counted, and after too many the last word after all. */
static gboolean bear(const Copy *copy, const PodResult *result, GCancellable *cancel, GError **error)
{
    const char *end = result->end ? result->end : object_uid(copy->pod);
    gint most = vm_run_plan(copy->vm)->settings->importer_retry, number;
    g_autofree char *reason = NULL;

    if (!check_snapshot(copy, end, cancel, error))
        return FALSE;
    number = count_restart(copy->task, end);
    reason = g_strdup_printf("Retrying %d of %d: %s", number, most, result->text);
    if (result->class == FATAL || number > most)
        return give_up(copy, result, error);
    if (result->state != POD_RUNNING)
        item_set_pending(copy->task, reason);
    if (result->class == STALE &&
        disk_grant_give_back(copy->vm, copy->task, FALSE, cancel, error) == STEP_FAILED)
        return FALSE;
    if (result->class == STALE || result->state == POD_FAILED)
        return vm_run_delete(copy->vm, &KUBE_POD, copy->pod, cancel, error);
    return TRUE;
}

static gboolean look(Copy *copy, GCancellable *cancel, GError **error)
{
    g_auto(PodResult) result = {0};

    pod_result_read(copy->pod, &result);
    if (result.state == POD_WAITING || result.state == POD_RUNNING)
        disk_grant_keep(copy->vm, copy->task, cancel);
    switch (result.state) {
    case POD_COMPLETED:
        leave_share(copy);
        return complete(copy, result.report, cancel, error);
    case POD_WAITING:
        item_set_pending(copy->task, result.text ? result.text : "The importer Pod is being started");
        return TRUE;
    case POD_RUNNING:
        if (result.end && !check_snapshot(copy, result.end, cancel, error))
            return FALSE;
        if (result.end)
            count_restart(copy->task, result.end);
        show_progress(copy, cancel);
        return TRUE;
    default:
        return bear(copy, &result, cancel, error);
    }
}

/* FALSE: the disk cannot be copied. */
static gboolean go_on(Copy *copy, GCancellable *cancel, GError **error)
{
    if (item_ended(copy->task))
        return TRUE;
    if (copy->pod)
        return look(copy, cancel, error);
    if (!volume_ready(copy->volume)) {
        say_why_volume_waits(copy);
        return TRUE;
    }
    return start(copy, cancel, error);
}

/* ---- all disks ---- */

/* FALSE with no error: it is gone. */
static gboolean has_its_secret(VmRun *vm, const Object *pod, GCancellable *cancel, GError **error)
{
    const char *name = target_importer_secret_name(object_json(pod));
    g_autoptr(Object) secret = NULL;

    if (!*name)
        return TRUE; /* it waits for none */
    return kube_find(vm_run_plan(vm)->target, &KUBE_SECRET, object_namespace(pod), name, &secret, cancel,
                     error) &&
           secret;
}

/* A Pod that a killed controller asked for may come after the next one has looked for it and made its own,
 * and with that another Secret. It can never start: it goes, from the list too. */
static gboolean drop_stranded(VmRun *vm, GPtrArray *pods, GCancellable *cancel, GError **error)
{
    for (guint i = pods->len; i-- > 0;) {
        const Object *pod = pods->pdata[i];
        g_auto(PodResult) result = {0};
        g_autoptr(GError) problem = NULL;

        pod_result_read(pod, &result);
        if (object_deleting(pod) || result.state != POD_WAITING || has_its_secret(vm, pod, cancel, &problem))
            continue;
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        if (!vm_run_delete(vm, &KUBE_POD, pod, cancel, error))
            return FALSE;
        g_ptr_array_remove_index(pods, i);
    }
    return TRUE;
}

static const Object *pod_of(GPtrArray *pods, const Object *volume)
{
    for (guint i = 0; i < pods->len; i++)
        if (!object_deleting(pods->pdata[i]) && !strcmp(object_label(pods->pdata[i], TARGET_DISK_LABEL, ""),
                                                        object_label(volume, TARGET_DISK_LABEL, "")))
            return pods->pdata[i];
    return NULL;
}

/* The DataVolume of a task's disk; with it the copy needs no inventory but to start, so that a vCenter or an
 * inventory that is away for a while does not hide what the Pods do. */
static const Object *volume_of(GPtrArray *volumes, const json_t *task)
{
    for (guint i = 0; i < volumes->len; i++)
        if (!object_deleting(volumes->pdata[i]) &&
            !strcmp(object_annotation(volumes->pdata[i], TARGET_DISK_SOURCE, ""),
                    json_string_at(task, "name", "")))
            return volumes->pdata[i];
    return NULL;
}

static gboolean copy_one(VmRun *vm, json_t *task, GPtrArray *volumes, GPtrArray *pods,
                         const char *state_claim, gboolean *noted, GCancellable *cancel, GError **error)
{
    const Object *volume = volume_of(volumes, task);
    VmDisk disk = {0};
    Copy copy = {
        .vm = vm, .disk = &disk, .volume = volume, .state_claim = state_claim, .task = task, .noted = noted};

    if (!volume) {
        g_set_error(error, GANTRY_ERROR, ERROR_COPY_FAILED, "the DataVolume of disk %s has been deleted",
                    json_string_at(task, "name", ""));
        return FALSE;
    }
    disk = (VmDisk){.id = (char *)object_annotation(volume, TARGET_DISK_ID, ""),
                    .name = (char *)object_annotation(volume, TARGET_DISK_SOURCE, ""),
                    .size = g_ascii_strtoull(object_annotation(volume, TARGET_DISK_SIZE, "0"), NULL, 10)};
    copy.pod = pod_of(pods, volume);
    return go_on(&copy, cancel, error);
}

static void sum_numbers(json_t *step, const char *key)
{
    gint64 sum = 0;
    gboolean any = FALSE;
    g_autofree char *text = NULL;
    size_t i;
    json_t *task;

    json_array_foreach (json_object_get(step, "tasks"), i, task) {
        const char *one = item_annotation(task, key);
        any = any || one;
        sum += one ? g_ascii_strtoll(one, NULL, 10) : 0;
    }
    text = g_strdup_printf("%" G_GINT64_FORMAT, sum);
    item_annotate(step, key, any ? text : NULL);
}

/* The step says of all disks what each says of itself; the slowest says when all will have landed. */
static void show_sum(json_t *step)
{
    const char *reason = NULL, *longest = NULL;
    size_t i;
    json_t *task;

    item_sum_tasks(step);
    for (const char *const *key = (const char *const[]){"bytesTotal", "bytes", "bytesPerSecond", NULL}; *key;
         key++)
        sum_numbers(step, *key);
    json_array_foreach (json_object_get(step, "tasks"), i, task) {
        const char *left = item_annotation(task, "secondsLeft");
        if (left && (!longest || atoll(left) > atoll(longest)))
            longest = left;
        if (!reason && !item_ended(task))
            reason = json_string_at(task, "reason", NULL);
    }
    item_annotate(step, "secondsLeft", longest);
    item_set_reason(step, reason);
}

static StepResult copy_all(VmRun *vm, const char *pipeline, GCancellable *cancel, GError **error)
{
    json_t *step = vm_run_step(vm, pipeline), *tasks = json_object_get(step, "tasks"), *task;
    g_autoptr(GPtrArray) volumes = vm_run_volumes(vm, cancel, error);
    g_autoptr(GPtrArray) pods =
        volumes ? vm_run_list(vm, &KUBE_POD, FALSE, "forklift.app=" TARGET_IMPORTER_APP, cancel, error)
                : NULL;
    g_autoptr(GPtrArray) claims =
        pods ? vm_run_list(vm, &KUBE_PERSISTENT_VOLUME_CLAIM, TRUE, "resource=state", cancel, error) : NULL;
    gboolean all = TRUE, noted = FALSE;
    size_t i;

    if (!claims || !drop_stranded(vm, pods, cancel, error))
        return STEP_FAILED;
    if (json_array_size(tasks) && !claims->len) {
        g_set_error(error, GANTRY_ERROR, ERROR_COPY_FAILED,
                    "the claim with the copy's journals has been deleted");
        return STEP_FAILED;
    }
    json_array_foreach (tasks, i, task) {
        if (!copy_one(vm, task, volumes, pods, object_name(claims->pdata[0]), &noted, cancel, error))
            return STEP_FAILED;
        all = all && item_ended(task);
    }
    show_sum(step);
    return all ? STEP_DONE : noted ? STEP_AGAIN : STEP_WAIT;
}

static StepResult copy_once(VmRun *vm, GCancellable *cancel, GError **error)
{
    return copy_all(vm, "DiskTransfer", cancel, error);
}

/* A precopy that cannot be ended is not the VM's end: the next one starts from where the last good one was, a
 * few times. */
static StepResult precopy(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *status = vm_run_status(vm);
    g_autofree char *key = NULL;
    g_autoptr(GError) problem = NULL;
    StepResult result = copy_all(vm, "DiskTransfer", cancel, &problem);

    if (result != STEP_FAILED)
        return result;
    if ((!g_error_matches(problem, GANTRY_ERROR, ERROR_COPY_FAILED) &&
         !g_error_matches(problem, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND)) ||
        json_int_at(status, "warm.consecutiveFailures", 0) >= vm_run_plan(vm)->settings->importer_retry) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return STEP_FAILED;
    }
    key = plan_key(vm_run_plan(vm)->plan);
    log_warn("precopy failed", "plan", key, "vm", vm_status_id(status), "error", problem->message, NULL);
    warm_fail(status, problem);
    return STEP_DONE;
}

static StepResult finalize(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    StepResult result = copy_all(vm, "Cutover", cancel, &problem);

    if (result == STEP_FAILED)
        return warm_take_again(vm, &problem, error);
    if (result == STEP_DONE && warm_is_open(warm_last(vm_run_status(vm))))
        warm_succeed(vm_run_status(vm), vm_run_step(vm, "Cutover"));
    return result;
}

const Step step_copy_disks = {.phase = "CopyDisks", .pipeline = "DiskTransfer", .run = copy_once};
const Step step_precopy_disks = {.phase = "CopyDisks", .pipeline = "DiskTransfer", .run = precopy};
const Step step_finalize = {
    .phase = "Finalize", .pipeline = "Cutover", .run = finalize, .then = warm_after_final};
