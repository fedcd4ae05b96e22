/* log: a line is one line, whatever is in its values. */
#include "base/log.h"

static void values_cannot_end_the_line_nor_steer_a_terminal(void)
{
    static const char expected[] =
        "* INFO said plain=a/b-c.d utf8=\303\244 blanks=\"a b\" empty=\"\" "
        "forged=\"x\\n2026 ERROR y\" escape=\"\\033[2J\" rubout=\"\\177\" equals=\"a=b\"\n*";

    if (g_test_subprocess()) {
        log_set_level(2);
        log_info("said", "plain", "a/b-c.d", "utf8", "\303\244", "left out", NULL, "blanks", "a b", "empty",
                 "", "forged", "x\n2026 ERROR y", "escape", "\033[2J", "rubout", "\177", "equals", "a=b",
                 NULL);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr(expected);
}

static void a_process_for_one_vm_names_it_in_every_line(void)
{
    if (g_test_subprocess()) {
        g_setenv("LOG_PLAN", "openshift-mtv/web", TRUE);
        g_setenv("LOG_VM", "vm-12", TRUE);
        log_set_level(2);
        log_info("one", "disk", "3", NULL);
        log_info("two", "vm", "another", NULL);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("* INFO one disk=3 plan=openshift-mtv/web vm=vm-12\n"
                              "* INFO two vm=another plan=openshift-mtv/web\n*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/log/values cannot end the line nor steer a terminal",
                    values_cannot_end_the_line_nor_steer_a_terminal);
    g_test_add_func("/base/log/a process for one VM names it in every line",
                    a_process_for_one_vm_names_it_in_every_line);
    return g_test_run();
}
