/* hook: a Hook has an image, and its playbook is base64 of a text. */
#include "controller/controllers.h"
#include "controller/status.h"
#include "target/hook_job.h"

guint hook_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    KubeClient *kube = controllers_kube(data);
    g_autoptr(Object) hook = status_get(kube, &KUBE_HOOK, key, cancel, error);
    g_autoptr(Conditions) conditions = hook ? status_conditions(hook) : NULL;
    g_autoptr(GError) problem = NULL;
    g_autofree char *playbook = NULL;
    const json_t *spec;

    if (!hook)
        return 0;
    spec = json_object_get(object_json(hook), "spec");
    if (!*json_string_at(spec, "image", ""))
        conditions_set(conditions, "InvalidImage", CONDITION_CRITICAL, "NotSet",
                       "spec.image is not set: name the hook-runner image (%s) or your own.",
                       TARGET_HOOK_IMAGE);
    playbook = target_hook_playbook(spec, &problem);
    if (problem)
        conditions_set(conditions, "InvalidPlaybook", CONDITION_CRITICAL, "DataError", "%s.",
                       problem->message);
    if (!conditions_blocked(conditions))
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The hook is ready.");
    status_write(kube, &KUBE_HOOK, hook, status_copy(hook), conditions, "hook", cancel, error);
    return 0;
}
