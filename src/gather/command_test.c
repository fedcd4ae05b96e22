/* command_test: what clients ask the must-gather API to run. */
#include "gather/command.h"

static void a_command_is_a_filter(void)
{
    static const struct {
        const char *text, *ns, *plan, *vm, *error;
    } rows[] = {
        {NULL, NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL},
        {"/usr/bin/gather", NULL, NULL, NULL, NULL},
        {"PLAN=p /usr/bin/targeted", NULL, "p", NULL, NULL},
        {"NS=n  VM=vm-1 /usr/bin/targeted", "n", NULL, "vm-1", NULL},
        {"PLAN=p", NULL, "p", NULL, NULL},
        {"/usr/bin/targeted", NULL, NULL, NULL,
         "command: /usr/bin/targeted needs NS=…, PLAN=… or VM=… before it"},
        {"rm -rf /", NULL, NULL, NULL,
         "command: 'rm' is not known; it must be [NS=…] [PLAN=…] [VM=…] /usr/bin/targeted, or "
         "/usr/bin/gather"},
        {"/usr/bin/gather PLAN=p", NULL, NULL, NULL,
         "command: 'PLAN=p' is not known; it must be [NS=…] [PLAN=…] [VM=…] /usr/bin/targeted, or "
         "/usr/bin/gather"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GatherCommand) command = {0};
        g_autoptr(GError) error = NULL;
        g_assert_true(gather_command_parse(rows[i].text, &command, &error) == !rows[i].error);
        g_assert_cmpstr(error ? error->message : NULL, ==, rows[i].error);
        if (error)
            continue;
        g_assert_cmpstr(command.ns, ==, rows[i].ns);
        g_assert_cmpstr(command.plan, ==, rows[i].plan);
        g_assert_cmpstr(command.vm, ==, rows[i].vm);
    }
}

static void a_timeout_is_a_duration(void)
{
    static const struct {
        const char *text;
        int seconds; /* -1: refused */
    } rows[] = {{NULL, 0},  {"", 0},        {"20m", 1200}, {"1h30m", 5400}, {"45s", 45},
                {"90", 90}, {"24h", 86400}, {"25h", -1},   {"m", -1},       {"99999999999999999h", -1},
                {"-1", -1}, {"5x", -1}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint seconds;
        gboolean taken = gather_timeout_parse(rows[i].text, &seconds, NULL);
        g_assert_cmpint(taken ? (int)seconds : -1, ==, rows[i].seconds);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/command/a command is a filter", a_command_is_a_filter);
    g_test_add_func("/gather/command/a timeout is a duration", a_timeout_is_a_duration);
    return g_test_run();
}
