/* hook_job: the Job that runs a user's hook for one VM, and the ConfigMap with what the hook reads at
 * /tmp/hook.
 *
 * The contract of the hook-runner image: playbook.yml, plan.yml and workload.yml under /tmp/hook; with a
 * playbook the command is ansible-runner's, without one the image's own entry point runs.
 * Threads: pure functions; results are new references.
 */
#pragma once
#include "target/child.h"

typedef struct {
    const json_t *spec;          /* of the Hook */
    const char *uid;             /* of the Hook */
    const char *step;            /* "PreHook" or "PostHook" */
    const json_t *plan_spec;     /* for plan.yml; JSON is YAML */
    const json_t *workload;      /* for workload.yml */
    const char *service_account; /* the plan's or the settings', for a hook that names none; or NULL */
    guint retries;               /* how often it is run again after it failed */
} HookJob;

/* BAD_INPUT when the playbook is no base64; line breaks and spaces in it are accepted. */
json_t *target_hook_config(const TargetOwner *owner, const HookJob *hook, GError **error);
json_t *target_hook_job(const TargetOwner *owner, const HookJob *hook, const char *config_map);

/* The decoded playbook; NULL with an error set when it is no base64 of UTF-8 text, NULL without one when
 * there is none. */
char *target_hook_playbook(const json_t *spec, GError **error);

#define TARGET_HOOK_REPOSITORY "quay.io/konveyor/hook-runner"
#define TARGET_HOOK_IMAGE      TARGET_HOOK_REPOSITORY ":latest"
