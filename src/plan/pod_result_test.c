/* pod_result: a Pod's states, and that only a report of success is success. */
#include "plan/pod_result.h"
#include <string.h>

static const struct {
    const char *what, *phase, *container;
    PodState state;
    ErrorClass class;
    const char *text; /* part of it */
} cases[] = {
    {"a report of success", "Succeeded",
     "{\"state\":{\"terminated\":{\"exitCode\":0,\"message\":\"{\\\"result\\\":\\\"Completed\\\"}\"}}}",
     POD_COMPLETED, TRANSIENT, NULL},
    {"an end without a report", "Succeeded",
     "{\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}}", POD_FAILED, TRANSIENT,
     "left no report"},
    {"a fatal report", "Failed",
     "{\"state\":{\"terminated\":{\"exitCode\":1,\"message\":\"{\\\"result\\\":\\\"Failed\\\",\\\"class\\\":"
     "\\\"fatal\\\","
     "\\\"message\\\":\\\"no disk\\\",\\\"remedy\\\":\\\"Add one.\\\"}\"}}}",
     POD_FAILED, FATAL, "no disk. Add one."},
    {"a kill", "Failed", "{\"state\":{\"terminated\":{\"exitCode\":137,\"reason\":\"OOMKilled\"}}}",
     POD_FAILED, TRANSIENT, "exit code 137 (OOMKilled)"},
    {"a restart under way", "Running",
     "{\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}},\"lastState\":{\"terminated\":{\"exitCode\":"
     "75,\"finishedAt\":\"t\","
     "\"message\":\"{\\\"class\\\":\\\"stale\\\",\\\"message\\\":\\\"changed\\\"}\"}}}",
     POD_RESTARTED, STALE, "changed"},
    {"an image that is not there", "Pending",
     "{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\",\"message\":\"no such image\"}}}", POD_WAITING,
     TRANSIENT, "ErrImagePull: no such image"},
    {"a run", "Running", "{\"state\":{\"running\":{}}}", POD_RUNNING, TRANSIENT, NULL},
};

static void check(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    g_autofree char *text = g_strdup_printf(
        "{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"%s\",\"containerStatuses\":[%s]}}",
        cases[i].phase, cases[i].container);
    json_t *json = json_loads(text, 0, NULL);
    g_assert_nonnull(json);
    g_autoptr(Object) pod = object_new_take(json);
    g_auto(PodResult) result = {0};

    pod_result_read(pod, &result);
    g_assert_cmpint(result.state, ==, cases[i].state);
    g_assert_cmpint(result.class, ==, cases[i].class);
    if (cases[i].text)
        g_assert_nonnull(strstr(result.text, cases[i].text));
    g_assert_true((result.report != NULL) == (cases[i].state == POD_COMPLETED));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/plan/pod_result/%s is seen for what it is", cases[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), check);
    }
    return g_test_run();
}
