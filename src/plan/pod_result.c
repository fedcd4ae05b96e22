/* pod_result: container states and termination messages. */
#include "plan/pod_result.h"
#include <string.h>

enum { MESSAGE_LIMIT = 16384 };

void pod_result_clear(PodResult *result)
{
    g_clear_pointer(&result->text, g_free);
    g_clear_pointer(&result->end, g_free);
    g_clear_pointer(&result->report, json_decref);
}

static ErrorClass class_named(const char *name)
{
    for (ErrorClass class = TRANSIENT; class <= FATAL; class ++)
        if (!g_strcmp0(error_class_name(class), name))
            return class;
    return TRANSIENT;
}

/* Without a report, its class or a known exit code a container's end may have been anybody's doing: try
 * again. */
static void read_bad_end(const json_t *terminated, const json_t *report, const char *pod, PodResult *out)
{
    const char *message = json_string_at(report, "message", json_string_at(terminated, "message", ""));
    const char *remedy = json_string_at(report, "remedy", "");

    out->class = class_named(json_string_at(report, "class", NULL));
    if (*message)
        out->text = *remedy ? g_strdup_printf("%s. %s (Pod %s)", message, remedy, pod)
                            : g_strdup_printf("%s (Pod %s)", message, pod);
    else
        out->text = g_strdup_printf(
            "Pod %s ended with exit code %" G_GINT64_FORMAT " (%s) and left no report", pod,
            json_int_at(terminated, "exitCode", -1), json_string_at(terminated, "reason", "no reason"));
}

static json_t *report_of(const json_t *terminated)
{
    const char *message = json_string_at(terminated, "message", "");
    return json_parse(message, strlen(message), MESSAGE_LIMIT, "report", NULL);
}

static const json_t *main_container(const json_t *pod)
{
    return json_array_get(json_at(pod, "status.containerStatuses"), 0);
}

static void read_waiting(const json_t *pod, const json_t *container, PodResult *out)
{
    const char *reason = json_string_at(container, "state.waiting.reason", "");
    const char *message = json_string_at(container, "state.waiting.message", "");
    size_t i;
    json_t *condition;

    out->state = POD_WAITING;
    if (*reason) {
        out->text = *message ? g_strdup_printf("%s: %s", reason, message) : g_strdup(reason);
        return;
    }
    json_array_foreach (json_at(pod, "status.conditions"), i, condition)
        if (!strcmp(json_string_at(condition, "status", ""), "False") &&
            *json_string_at(condition, "message", "")) {
            out->text = g_strdup_printf("%s: %s", json_string_at(condition, "reason", "Pending"),
                                        json_string_at(condition, "message", ""));
            return;
        }
}

void pod_result_read(const Object *object, PodResult *out)
{
    const json_t *pod = object_json(object), *container = main_container(pod);
    const char *phase = json_string_at(pod, "status.phase", "Pending");
    const json_t *terminated = json_at(container, "state.terminated");
    g_autoptr(json_t) report = NULL;

    *out = (PodResult){.class = TRANSIENT};
    if (!terminated)
        terminated = json_at(container, "lastState.terminated");
    report = report_of(terminated);
    if (!strcmp(phase, "Succeeded")) {
        gboolean good = !strcmp(json_string_at(report, "result", ""), "Completed");
        out->state = good ? POD_COMPLETED : POD_FAILED;
        if (good)
            out->report = g_steal_pointer(&report);
        else
            read_bad_end(terminated, report, object_name(object), out);
        return;
    }
    if (!strcmp(phase, "Failed")) {
        out->state = POD_FAILED;
        read_bad_end(terminated, report, object_name(object), out);
        if (!terminated && *json_string_at(pod, "status.message", "")) {
            g_free(out->text);
            out->text =
                g_strdup_printf("Pod %s: %s", object_name(object), json_string_at(pod, "status.message", ""));
        }
        return;
    }
    if (terminated && json_int_at(terminated, "exitCode", 0) != 0) {
        read_bad_end(terminated, report, object_name(object), out);
        out->end = g_strdup_printf("%" G_GINT64_FORMAT "/%s", json_int_at(terminated, "exitCode", 0),
                                   json_string_at(terminated, "finishedAt", ""));
    }
    if (json_at(container, "state.running"))
        out->state = POD_RUNNING;
    else if (out->end)
        out->state = POD_RESTARTED;
    else
        read_waiting(pod, container, out);
}
