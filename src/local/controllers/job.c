/* job: runs a Job's Pod until it has succeeded, or failed too often or too long. */
#include "base/clock.h"
#include "local/controllers/parts.h"
#include "local/controllers/template.h"
#include <string.h>

enum { FIRST_BACKOFF_S = 10, MOST_BACKOFF_S = 360 };

typedef struct {
    LocalView *view;
    Object *job;
    GPtrArray *pods;
    guint active, ready, succeeded, failed;
    gint64 last_failure; /* microseconds since 1970; 0: none */
    GCancellable *cancel;
} Run;

static gint64 time_at(const Object *object, const char *path)
{
    return clock_parse(json_string_at(object_json(object), path, ""));
}

static gint64 end_of(const Object *pod)
{
    const json_t *statuses = json_at(object_json(pod), "status.containerStatuses"), *status;
    gint64 end = time_at(pod, "metadata.creationTimestamp");
    gsize i;

    json_array_foreach (statuses, i, status)
        end = MAX(end, clock_parse(json_string_at(status, "state.terminated.finishedAt", "")));
    return end;
}

static guint restarts(const Object *pod)
{
    const json_t *status;
    guint count = 0;
    gsize i;

    json_array_foreach (json_at(object_json(pod), "status.containerStatuses"), i, status)
        count += json_int_at(status, "restartCount", 0);
    return count;
}

static void count_pods(Run *run)
{
    for (guint i = 0; i < run->pods->len; i++) {
        const Object *pod = run->pods->pdata[i];
        const char *phase = json_string_at(object_json(pod), "status.phase", "");
        if (!strcmp(phase, "Succeeded")) {
            run->succeeded++;
        } else if (!strcmp(phase, "Failed")) {
            run->failed++;
            run->last_failure = MAX(run->last_failure, end_of(pod));
        } else if (!object_deleting(pod)) {
            run->active++;
            run->ready += object_condition(pod, "Ready") != NULL;
        }
    }
    /* Pods that were deleted count on. */
    run->succeeded = MAX((gint64)run->succeeded, json_int_at(object_json(run->job), "status.succeeded", 0));
    run->failed = MAX((gint64)run->failed, json_int_at(object_json(run->job), "status.failed", 0));
}

static gboolean write_state(Run *run, const char *end, const char *reason, const char *message,
                            GError **error)
{
    const json_t *before = json_object_get(object_json(run->job), "status");
    g_autofree char *now = clock_now();
    g_autoptr(json_t) status = json_pack("{s:i,s:i,s:i,s:i,s:s}", "active", run->active, "ready", run->ready,
                                         "succeeded", run->succeeded, "failed", run->failed, "startTime",
                                         json_string_at(before, "startTime", now));
    if (end) {
        json_t *conditions = json_array();
        set_condition(conditions, strcmp(end, "Complete") ? "FailureTarget" : "SuccessCriteriaMet", TRUE,
                      reason, message);
        set_condition(conditions, end, TRUE, reason, message);
        json_object_set_new(status, "conditions", conditions);
        if (!strcmp(end, "Complete"))
            json_object_set_new(status, "completionTime", json_string(now));
    }
    return write_status(run->view, &KUBE_JOB, run->job, status, run->cancel, error);
}

static gboolean end_active(Run *run, GError **error)
{
    for (guint i = 0; i < run->pods->len; i++) {
        const Object *pod = run->pods->pdata[i];
        if (!pod_is_over(pod) && !object_deleting(pod) &&
            !delete_child(run->view, &KUBE_POD, pod, run->cancel, error))
            return FALSE;
    }
    return TRUE;
}

static guint fail(Run *run, const char *reason, const char *message, GError **error)
{
    if (end_active(run, error)) {
        run->active = run->ready = 0;
        write_state(run, "Failed", reason, message, error);
    }
    return 0;
}

/* When a Job that is over is to be deleted; gives the wait. */
static guint expire(Run *run, GError **error)
{
    const json_t *ttl = json_at(object_json(run->job), "spec.ttlSecondsAfterFinished");
    const json_t *end = object_condition(run->job, "Complete");

    if (!ttl)
        return 0;
    if (!end)
        end = object_condition(run->job, "Failed");
    gint64 due =
        clock_parse(json_string_at(end, "lastTransitionTime", "")) + json_integer_value(ttl) * G_USEC_PER_SEC;
    gint64 left = due - g_get_real_time();
    if (left > 0)
        return left / 1000 + 1;
    kube_delete(local_view_client(run->view), &KUBE_JOB, object_namespace(run->job), object_name(run->job),
                "Background", run->cancel, error);
    return 0;
}

/* The wait before the next try, in milliseconds; 0: now. */
static guint backoff_left(const Run *run)
{
    gint64 seconds = FIRST_BACKOFF_S;

    if (!run->last_failure)
        return 0;
    for (guint i = 1; i < run->failed && seconds < MOST_BACKOFF_S; i++)
        seconds *= 2;
    gint64 left = run->last_failure + MIN(seconds, MOST_BACKOFF_S) * G_USEC_PER_SEC - g_get_real_time();
    return left > 0 ? left / 1000 + 1 : 0;
}

static guint go_on(Run *run, GError **error)
{
    const json_t *spec = json_object_get(object_json(run->job), "spec");
    guint wanted = json_int_at(spec, "completions", 1), at_once = json_int_at(spec, "parallelism", 1);
    gint64 limit = json_int_at(spec, "backoffLimit", 6),
           deadline_s = json_int_at(spec, "activeDeadlineSeconds", 0);
    gint64 started = time_at(run->job, "status.startTime"), left = 0;
    guint restarted = 0;

    for (guint i = 0; i < run->pods->len; i++)
        if (!pod_is_over(run->pods->pdata[i]))
            restarted += restarts(run->pods->pdata[i]);
    if (run->succeeded >= wanted)
        return write_state(run, "Complete", "CompletionsReached", "Reached expected number of succeeded pods",
                           error),
               0;
    if (deadline_s && started > 0) {
        left = started + deadline_s * G_USEC_PER_SEC - g_get_real_time();
        if (left <= 0)
            return fail(run, "DeadlineExceeded", "Job was active longer than specified deadline", error);
    }
    if ((gint64)(run->failed + restarted) > limit)
        return fail(run, "BackoffLimitExceeded", "Job has reached the specified backoff limit", error);
    guint wait = backoff_left(run);
    gboolean room =
        run->active < MIN(at_once, wanted - run->succeeded) && !json_bool_at(spec, "suspend", FALSE);
    if (room && !wait) {
        if (!template_make_pod(run->view, json_object_get(spec, "template"), run->job, &KUBE_JOB, run->cancel,
                               error))
            return 0;
        run->active++;
    }
    if (!write_state(run, NULL, NULL, NULL, error))
        return 0;
    guint next = left > 0 ? left / 1000 + 1 : deadline_s * 1000;
    return room && wait ? (next ? MIN(next, wait) : wait) : next;
}

static guint look_at_job(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = user_data;
    g_autofree char *ns = NULL, *name = NULL;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) job = local_view_get(view, &KUBE_JOB, ns, name);
    if (!job || object_deleting(job))
        return 0;
    g_autoptr(GPtrArray) pods = controlled_now(view, &KUBE_POD, job, cancel, error);
    if (!pods)
        return 0;
    Run run = {.view = view, .job = job, .pods = pods, .cancel = cancel};
    count_pods(&run);
    if (object_condition(job, "Complete") || object_condition(job, "Failed"))
        return expire(&run, error);
    return go_on(&run, error);
}

static guint sync_job(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    return local_end_of_work(user_data, key, look_at_job(key, user_data, cancel, error), error);
}

static void on_pod(Object *before, Object *after, gpointer queue)
{
    add_controller_key(queue, after ? after : before, "Job");
}

WorkQueue *jobs_new(LocalView *view)
{
    WorkQueue *queue = work_queue_new("jobs", 1, sync_job, view);
    local_view_subscribe(view, &KUBE_JOB, queue_object, queue);
    local_view_subscribe(view, &KUBE_POD, on_pod, queue);
    return queue;
}
