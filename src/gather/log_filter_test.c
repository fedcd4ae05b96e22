/* log_filter_test: which lines of a service's log are about a plan. */
#include "gather/log_filter.h"

static void lines_are_kept_by_whole_words_and_time(void)
{
    static const struct {
        const char *line;
        gboolean kept;
    } rows[] = {
        {"2026-11-23T03:21:20Z INFO disk copied plan=openshift-mtv/quick vm=vm-12", TRUE},
        {"    a second line of it", TRUE},
        {"2026-11-23T03:21:20Z INFO disk copied plan=openshift-mtv/quick-2 vm=vm-120", FALSE},
        {"    a second line of that", FALSE},
        {"2026-11-23T03:21:21Z WARN vm=vm-12: \"is retried\"", TRUE},
        {"2026-11-23T03:21:21Z WARN the plan quick.", TRUE},
        {"2026-11-23T02:59:59Z INFO an older plan=openshift-mtv/quick", FALSE},
        {"2026-11-23T03:21:22Z INFO nothing to do with it", FALSE},
        {"2026-11-23T03:21:23Z INFO another namespace plan=elsewhere/quick vm=vm-12", FALSE},
        {"2026-11-23T03:21:23Z INFO a plan named as the VM plan=openshift-mtv/vm-12", FALSE},
        {"2026-11-23T03:21:23Z INFO at its end plan=openshift-mtv/quick", TRUE},
    };
    g_autoptr(LogFilter) filter = log_filter_new("2026-11-23T03:00:00Z");

    log_filter_add_plan(filter, "openshift-mtv/quick");
    log_filter_add(filter, "quick");
    log_filter_add(filter, "vm-12");
    log_filter_add(filter, "");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (log_filter_keeps(filter, rows[i].line) != rows[i].kept)
            g_error("%s: kept must be %d", rows[i].line, rows[i].kept);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/log_filter/lines are kept by whole words and time",
                    lines_are_kept_by_whole_words_and_time);
    return g_test_run();
}
