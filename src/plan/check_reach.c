/* check_reach: asks the source for all VMs at once, and remembers the answer for a while. */
#include "plan/check_reach.h"
#include "plan/provider_access.h"
#include <string.h>

/* How long an answer holds: a good one, and one that the user may be working on. */
enum { HOLDS_S = 300, HOLDS_BAD_S = 10 };

typedef struct {
    json_t *unreachable;
    gint64 until; /* monotonic */
} Answer;

static GMutex lock;
static GHashTable *answers; /* subject → Answer */

static void answer_free(gpointer data)
{
    json_decref(((Answer *)data)->unreachable);
    g_free(data);
}

static gboolean is_outdated(gpointer subject, gpointer answer, gpointer now)
{
    return ((Answer *)answer)->until <= *(const gint64 *)now;
}

static json_t *recall(const char *subject)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    gint64 now = g_get_monotonic_time();
    const Answer *answer;

    if (!answers)
        answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, answer_free);
    g_hash_table_foreach_remove(answers, is_outdated, &now);
    answer = g_hash_table_lookup(answers, subject);
    return answer ? json_incref(answer->unreachable) : NULL;
}

static void remember(const char *subject, json_t *unreachable)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    gint64 holds_s = json_object_size(unreachable) ? HOLDS_BAD_S : HOLDS_S;
    Answer *answer = g_new(Answer, 1);

    *answer = (Answer){json_incref(unreachable), g_get_monotonic_time() + holds_s * G_USEC_PER_SEC};
    g_hash_table_replace(answers, g_strdup(subject), answer);
}

static char *subject_of(const PlanCheck *check)
{
    return g_strdup_printf("%s/%" G_GINT64_FORMAT "/%s/%s/%" G_GINT64_FORMAT, object_uid(check->provider),
                           object_generation(check->provider), object_resource_version(check->secret),
                           object_uid(check->plan), object_generation(check->plan));
}

static json_t *ask(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autofree char *subject = subject_of(check);
    g_autoptr(json_t) workloads = json_array();
    json_t *unreachable = recall(subject);
    Source *source;

    if (unreachable)
        return unreachable;
    for (guint i = 0; i < vms->len; i++)
        json_array_append(workloads, ((const CheckedVm *)vms->pdata[i])->workload);
    source = provider_source(check->provider, check->secret, error);
    unreachable = source ? source_unreachable(source, workloads, cancel, error) : NULL;
    if (unreachable)
        remember(subject, unreachable);
    return unreachable;
}

/* A Host resource says another address; its own conditions say whether that answers. */
static gboolean has_host(PlanCheck *check, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) hosts = kube_list(check->kube, &KUBE_HOST, object_namespace(check->provider), NULL,
                                           NULL, NULL, cancel, error);

    for (guint i = 0; hosts && i < hosts->len; i++)
        if (object_condition(hosts->pdata[i], "Ready") &&
            !strcmp(json_string_at(object_json(hosts->pdata[i]), "spec.provider.name", ""),
                    object_name(check->provider)))
            return TRUE;
    return FALSE;
}

static void say(PlanCheck *check, const CheckedVm *vm, const json_t *problems)
{
    const json_t *problem;
    size_t i;

    json_array_foreach (problems, i, problem) {
        g_autofree char *item = g_strdup_printf("%s: %s", vm->text, json_string_value(problem));
        conditions_add_item(
            check->conditions, "SourceHostsNotReachable", CONDITION_CRITICAL, "NotReachable",
            "No host that could hand out a VM's disks answers as it should: check the network and, where "
            "a certificate is refused, that the provider's Secret has the CA of the hosts too.",
            item);
    }
}

gboolean check_reach(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) unreachable = vms->len ? ask(check, vms, cancel, &problem) : NULL;

    if (problem)
        conditions_set(check->conditions, "SourceCheckFailed", CONDITION_CRITICAL, error_reason(problem),
                       "%s. %s", problem->message, error_remedy(problem));
    if (!json_object_size(unreachable))
        return TRUE;
    if (has_host(check, cancel, &problem))
        return TRUE;
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    for (guint i = 0; i < vms->len; i++) {
        const CheckedVm *vm = vms->pdata[i];
        say(check, vm, json_object_get(unreachable, vm->vm->id));
    }
    return TRUE;
}
