/* PreHook, PostHook: the user's playbook or image runs once as a Job beside the plan. */
#include "plan/step.h"
#include "target/hook_job.h"
#include <string.h>

#define IMAGE_MISSED "hook-image-missed"
enum { IMAGE_PATIENCE_S = 120 };

/* What the two steps differ in. */
typedef struct {
    const char *name;
    char *selector;
    TargetOwner owner; /* its ns is the plan's */
} Hook;

static void hook_clear(Hook *hook)
{
    g_free(hook->selector);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hook, hook_clear)

static Hook hook_of(VmRun *vm, const char *name)
{
    g_autofree char *step = g_strdup_printf("step=%s", name);
    Hook hook = {.name = name, .owner = *vm_run_owner(vm)};

    hook.owner.ns = hook.owner.plan_namespace;
    hook.selector = target_selector(&hook.owner, FALSE, step);
    return hook;
}

static Object *first(VmRun *vm, const Hook *hook, const KubeResource *resource, GCancellable *cancel,
                     GError **error)
{
    g_autoptr(GPtrArray) list =
        kube_list(vm_run_plan(vm)->kube, resource, hook->owner.ns, hook->selector, NULL, NULL, cancel, error);
    return list && list->len ? object_ref(list->pdata[0]) : NULL;
}

/* A Job whose account is not there would wait for ever. */
static gboolean check_account(VmRun *vm, const Hook *hook, const HookJob *job, GCancellable *cancel,
                              GError **error)
{
    const char *name = json_string_at(job->spec, "serviceAccount", job->service_account);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) account = NULL;

    if (!name || !*name)
        return TRUE;
    account = kube_get(vm_run_plan(vm)->kube, &KUBE_SERVICE_ACCOUNT, hook->owner.ns, name, cancel, &problem);
    if (account)
        return TRUE;
    if (g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_set_error(error, GANTRY_ERROR, ERROR_HOOK_FAILED,
                    "the hook's service account '%s' does not exist in namespace '%s'", name, hook->owner.ns);
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static Object *create(VmRun *vm, const Hook *hook, const KubeResource *resource, json_t *take_body,
                      GCancellable *cancel, GError **error)
{
    KubeClient *kube = vm_run_plan(vm)->kube;
    g_autoptr(json_t) body = take_body;
    json_t *owners = body ? plan_run_owners(vm_run_plan(vm), kube) : NULL;

    if (owners)
        json_set_at_new(body, "metadata.ownerReferences", owners);
    return body ? kube_create(kube, resource, hook->owner.ns, body, cancel, error) : NULL;
}

static gboolean start(VmRun *vm, const Hook *hook, const Object *definition, GCancellable *cancel,
                      GError **error)
{
    const json_t *plan_spec = vm_run_plan_spec(vm), *workload = vm_run_workload(vm, cancel, error);
    HookJob job = {.spec = json_object_get(object_json(definition), "spec"),
                   .uid = object_uid(definition),
                   .step = hook->name,
                   .plan_spec = plan_spec,
                   .workload = workload,
                   .retries = vm_run_plan(vm)->settings->hook_retry,
                   .service_account = json_string_at(plan_spec, "serviceAccount",
                                                     vm_run_plan(vm)->settings->service_account)};
    g_autoptr(Object) config_map = NULL, created = NULL;
    g_autoptr(GError) problem = NULL;

    if (!workload || !check_account(vm, hook, &job, cancel, error))
        return FALSE;
    config_map = first(vm, hook, &KUBE_CONFIG_MAP, cancel, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!config_map)
        config_map =
            create(vm, hook, &KUBE_CONFIG_MAP, target_hook_config(&hook->owner, &job, error), cancel, error);
    if (!config_map)
        return FALSE;
    created = create(vm, hook, &KUBE_JOB, target_hook_job(&hook->owner, &job, object_name(config_map)),
                     cancel, error);
    return created != NULL;
}

/* ---- looking ---- */

/* What a playbook's output says of its failure: Ansible's own lines for it, else the last line. */
static char *last_words(const char *output)
{
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
    g_autoptr(GString) words = g_string_new(NULL);
    const char *last = "";

    for (guint i = 0; lines[i]; i++) {
        g_strstrip(lines[i]);
        if (g_str_has_prefix(lines[i], "fatal:") || g_str_has_prefix(lines[i], "ERROR"))
            g_string_append_printf(words, "%s%s", words->len ? "; " : "", lines[i]);
        if (*lines[i])
            last = lines[i];
    }
    return g_strdup(words->len ? words->str : last);
}

static const json_t *container_of(const Object *pod)
{
    return json_array_get(json_at(object_json(pod), "status.containerStatuses"), 0);
}

/* Why it failed, from the newest of the Job's Pods that ended badly. */
static char *why_failed(GPtrArray *pods, const json_t *condition)
{
    const json_t *end = NULL;

    for (guint i = 0; i < pods->len; i++) {
        const json_t *terminated = json_at(container_of(pods->pdata[i]), "state.terminated");
        if (json_int_at(terminated, "exitCode", 0) != 0 &&
            strcmp(json_string_at(terminated, "finishedAt", ""), json_string_at(end, "finishedAt", "")) >= 0)
            end = terminated;
    }
    if (*json_string_at(end, "message", ""))
        return last_words(json_string_at(end, "message", ""));
    return g_strdup(json_string_at(condition, "message", "no message"));
}

/* An image may be away for a moment; a name that is none, or that is never pulled, stays so. */
static gboolean image_is_lost(VmRun *vm, const char *reason)
{
    if (!strcmp(reason, "ErrImageNeverPull") || !strcmp(reason, "InvalidImageName"))
        return TRUE;
    if (strcmp(reason, "ErrImagePull") && strcmp(reason, "ImagePullBackOff")) {
        vm_run_forget(vm, IMAGE_MISSED);
        return FALSE;
    }
    vm_run_once(vm, IMAGE_MISSED);
    return vm_run_past(vm, IMAGE_MISSED, IMAGE_PATIENCE_S);
}

static StepResult wait_for(VmRun *vm, const Hook *hook, GPtrArray *pods, GError **error)
{
    for (guint i = 0; i < pods->len; i++) {
        const json_t *container = container_of(pods->pdata[i]);
        const char *reason = json_string_at(container, "state.waiting.reason", "");
        const char *message = json_string_at(container, "state.waiting.message", "");
        g_autofree char *text = *message ? g_strdup_printf("%s: %s", reason, message) : NULL;
        item_set_reason(vm_run_step(vm, hook->name), text);
        if (image_is_lost(vm, reason)) {
            g_set_error(error, GANTRY_ERROR, ERROR_HOOK_FAILED, "the hook's Pod %s/%s cannot start: %s: %s",
                        object_namespace(pods->pdata[i]), object_name(pods->pdata[i]), reason, message);
            return STEP_FAILED;
        }
    }
    return STEP_WAIT;
}

static StepResult look(VmRun *vm, const Hook *hook, const Object *job, GCancellable *cancel, GError **error)
{
    const json_t *failed = object_condition(job, "Failed");
    g_autoptr(GPtrArray) pods = NULL;
    g_autofree char *why = NULL;

    if (object_condition(job, "Complete"))
        return STEP_DONE;
    pods = kube_list(vm_run_plan(vm)->kube, &KUBE_POD, hook->owner.ns, hook->selector, NULL, NULL, cancel,
                     error);
    if (!pods)
        return STEP_FAILED;
    if (!failed)
        return wait_for(vm, hook, pods, error);
    why = why_failed(pods, failed);
    g_set_error(error, GANTRY_ERROR, ERROR_HOOK_FAILED,
                "Job %s/%s failed (%s, tries: %" G_GINT64_FORMAT "): %s", object_namespace(job),
                object_name(job), json_string_at(failed, "reason", "Failed"),
                json_int_at(object_json(job), "status.failed", 0), why);
    return STEP_FAILED;
}

static StepResult run(VmRun *vm, const char *name, GCancellable *cancel, GError **error)
{
    const json_t *reference = vm_run_hook(vm, name);
    g_auto(Hook) hook = hook_of(vm, name);
    const char *ns = json_string_at(reference, "namespace", hook.owner.plan_namespace);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) job = first(vm, &hook, &KUBE_JOB, cancel, &problem), definition = NULL;

    if (job)
        return look(vm, &hook, job, cancel, error);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return STEP_FAILED;
    }
    definition =
        kube_get(vm_run_plan(vm)->kube, &KUBE_HOOK, ns, json_string_at(reference, "name", ""), cancel, error);
    return definition && start(vm, &hook, definition, cancel, error) ? STEP_WAIT : STEP_FAILED;
}

static StepResult run_pre(VmRun *vm, GCancellable *cancel, GError **error)
{
    return run(vm, "PreHook", cancel, error);
}
static StepResult run_post(VmRun *vm, GCancellable *cancel, GError **error)
{
    return run(vm, "PostHook", cancel, error);
}
static gboolean has_pre(VmRun *vm)
{
    return vm_run_hook(vm, "PreHook") != NULL;
}
static gboolean has_post(VmRun *vm)
{
    return vm_run_hook(vm, "PostHook") != NULL;
}

const Step step_pre_hook = {.phase = "PreHook", .pipeline = "PreHook", .run = run_pre, .applies = has_pre};
const Step step_post_hook = {
    .phase = "PostHook", .pipeline = "PostHook", .run = run_post, .applies = has_post};
