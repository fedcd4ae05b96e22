/* PreHook, PostHook: the user's playbook or image runs once as a Job beside the plan. */
#include "plan/step.h"
#include "target/hook_job.h"
#include <string.h>

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

static gboolean start(VmRun *vm, const Hook *hook, const Object *definition, GCancellable *cancel,
                      GError **error)
{
    KubeClient *kube = vm_run_plan(vm)->kube;
    const json_t *plan_spec = vm_run_plan_spec(vm), *workload = vm_run_workload(vm, cancel, error);
    HookJob job = {.spec = json_object_get(object_json(definition), "spec"),
                   .uid = object_uid(definition),
                   .step = hook->name,
                   .plan_spec = plan_spec,
                   .workload = workload,
                   .service_account = json_string_at(plan_spec, "serviceAccount",
                                                     vm_run_plan(vm)->settings->service_account)};
    g_autoptr(json_t) config = NULL, body = NULL;
    g_autoptr(Object) config_map = NULL, created = NULL;
    g_autoptr(GError) problem = NULL;

    if (!workload)
        return FALSE;
    config_map = first(vm, hook, &KUBE_CONFIG_MAP, cancel, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!config_map) {
        config = target_hook_config(&hook->owner, &job, error);
        config_map =
            config ? kube_create(kube, &KUBE_CONFIG_MAP, hook->owner.ns, config, cancel, error) : NULL;
    }
    if (!config_map)
        return FALSE;
    body = target_hook_job(&hook->owner, &job, object_name(config_map));
    created = kube_create(kube, &KUBE_JOB, hook->owner.ns, body, cancel, error);
    return created != NULL;
}

static StepResult look(VmRun *vm, const Object *job, GError **error)
{
    const json_t *failed = object_condition(job, "Failed");
    gint64 tries = json_int_at(object_json(job), "status.failed", 0);

    if (object_condition(job, "Complete"))
        return STEP_DONE;
    if (!failed && tries <= vm_run_plan(vm)->settings->hook_retry)
        return STEP_WAIT;
    g_set_error(error, GANTRY_ERROR, ERROR_HOOK_FAILED,
                "Job %s/%s failed after %" G_GINT64_FORMAT " tries: %s", object_namespace(job),
                object_name(job), tries, json_string_at(failed, "message", "no message"));
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
        return look(vm, job, error);
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
