/* hook_job: manifests of one hook's run. */
#include "target/hook_job.h"
#include "target/pod.h"
#include <string.h>

/* Copies base64 without its white space; FALSE at a character that is not base64. */
static gboolean compact(const char *text, GString *out)
{
    for (; *text; text++) {
        if (g_ascii_isspace(*text))
            continue;
        if (!g_ascii_isalnum(*text) && !strchr("+/=", *text))
            return FALSE;
        g_string_append_c(out, *text);
    }
    return out->len % 4 == 0;
}

char *target_hook_playbook(const json_t *spec, GError **error)
{
    const char *text = json_string_at(spec, "playbook", "");
    g_autoptr(GString) base64 = g_string_new(NULL);
    g_autofree guchar *bytes = NULL;
    gsize size = 0;

    if (!*text)
        return NULL;
    if (compact(text, base64))
        bytes = g_base64_decode(base64->str, &size);
    if (!bytes || size == 0 || !g_utf8_validate((char *)bytes, size, NULL)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "spec.playbook is no base64 of a text; encode the playbook with 'base64 -w0 FILE'");
        return NULL;
    }
    return g_strndup((char *)bytes, size);
}

/* "<plan>-<vm id>-<step>-": the step stays whole when the rest has to be cut. */
static json_t *metadata_of(const TargetOwner *owner, const HookJob *hook)
{
    json_t *metadata = target_metadata(owner, ""), *labels = json_object_get(metadata, "labels");
    g_autofree char *step = g_ascii_strdown(hook->step, -1);
    g_autofree char *base = g_strdup(json_string_at(metadata, "generateName", ""));
    g_autofree char *name = NULL;
    size_t most = TARGET_NAME_BASE - strlen(step) - 2, len = strlen(base);

    while (len && (len > most || base[len - 1] == '-'))
        base[--len] = '\0';
    name = g_strdup_printf("%s-%s-", base, step);
    json_object_set_new(metadata, "generateName", json_string(name));
    json_object_set_new(labels, "step", json_string(hook->step));
    json_object_set_new(labels, "hook", json_string(hook->uid));
    return metadata;
}

json_t *target_hook_config(const TargetOwner *owner, const HookJob *hook, GError **error)
{
    g_autoptr(GError) wrong = NULL;
    g_autofree char *playbook = target_hook_playbook(hook->spec, &wrong);
    g_autofree char *plan = json_text(hook->plan_spec), *workload = json_text(hook->workload);
    json_t *metadata;

    if (wrong) {
        g_propagate_error(error, g_steal_pointer(&wrong));
        return NULL;
    }
    metadata = metadata_of(owner, hook);
    json_object_set_new(json_object_get(metadata, "labels"), "resource", json_string("hook-config"));
    return json_pack("{s:s, s:s, s:o, s:{s:s, s:s, s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                     "metadata", metadata, "data", "playbook.yml", playbook ? playbook : "", "plan.yml", plan,
                     "workload.yml", workload);
}

/* Of any tag: it is known to need no privilege. What somebody else's image needs is unknown. */
static gboolean is_known(const char *image)
{
    size_t repository = strcspn(image, ":@");

    return repository == strlen(TARGET_HOOK_REPOSITORY) &&
           !strncmp(image, TARGET_HOOK_REPOSITORY, repository);
}

static void restrict_pod(json_t *pod, json_t *container)
{
    json_object_set_new(pod, "securityContext", pod_security(0));
    json_object_set_new(container, "securityContext", pod_container_security());
}

json_t *target_hook_job(const TargetOwner *owner, const HookJob *hook, const char *config_map)
{
    const char *image = json_string_at(hook->spec, "image", TARGET_HOOK_IMAGE);
    const char *account = json_string_at(hook->spec, "serviceAccount", hook->service_account);
    gint64 deadline = json_int_at(hook->spec, "deadline", 0);
    json_t *container = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}", "name", "hook", "image", image,
                                  "terminationMessagePolicy", "FallbackToLogsOnError", "volumeMounts", "name",
                                  "hook", "mountPath", "/tmp/hook");
    json_t *pod = json_pack("{s:s, s:[o], s:[{s:s, s:{s:s}}]}", "restartPolicy", "Never", "containers",
                            container, "volumes", "name", "hook", "configMap", "name", config_map);
    json_t *metadata = metadata_of(owner, hook);
    json_t *job;

    if (is_known(image))
        restrict_pod(pod, container);
    if (*json_string_at(hook->spec, "playbook", ""))
        json_object_set_new(container, "command",
                            json_pack("[s, s, s, s, s, s]", "/bin/entrypoint", "ansible-runner", "run",
                                      "/tmp/runner", "-p", "/tmp/hook/playbook.yml"));
    if (account && *account)
        json_object_set_new(pod, "serviceAccountName", json_string(account));
    job = json_pack("{s:s, s:s, s:o, s:{s:i, s:{s:{s:O}, s:o}}}", "apiVersion", "batch/v1", "kind", "Job",
                    "metadata", metadata, "spec", "backoffLimit", (int)hook->retries, "template", "metadata",
                    "labels", json_object_get(metadata, "labels"), "spec", pod);
    if (deadline > 0)
        json_set_at_new(job, "spec.activeDeadlineSeconds", json_integer(deadline));
    return job;
}
