/* control: who is answered, and with what. */
#include "base/control.h"
#include "base/log.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void report(GString *answer, gpointer user_data)
{
    g_string_append_printf(answer, "queue %s: 2 ready\n", (const char *)user_data);
}

/* A folder of this test's own, in which sockets are looked for. */
static char *new_folder(void)
{
    char *folder = g_dir_make_tmp("control-XXXXXX", NULL);

    g_setenv("GANTRY_CONTROL", folder, TRUE);
    return folder;
}

static char *socket_in(const char *folder)
{
    return g_strdup_printf("%s/controller-%d.sock", folder, getpid());
}

static void test_each_question_has_its_answer(void)
{
    static const struct {
        const char *question, *answer; /* a part of it; NULL: refused */
    } cases[] = {
        {"queues", "queue plan: 2 ready\nqueue host: 2 ready\n"},
        {"informers", "no informers\n"},
        {"memory", "VmRSS: "},
        {"level 3", "level 3\n"},
        {"level", "level 3\n"},
        {"level 4", NULL},
        {"level -1", NULL},
        {"level 10", NULL},
        {"", NULL},
        {"passwords", NULL},
    };

    control_add("queues", report, "plan");
    control_add("queues", report, "host");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *answer = control_answer(cases[i].question, &error);
        if (cases[i].answer)
            g_assert_nonnull(strstr(answer, cases[i].answer));
        else
            g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
    control_remove(report, "plan");
    control_remove(report, "host");
    control_remove(report, "host"); /* once is enough */
    g_autofree char *none = control_answer("queues", NULL);
    g_assert_cmpstr(none, ==, "no queues\n");
    log_set_level(2);
}

/* Settings are read anew whenever any of them changes, and when a watch lists again. */
static void test_a_level_set_by_hand_lasts_until_the_settings_say_another(void)
{
    g_autofree char *answer = NULL;

    log_configure_level(2);
    answer = control_answer("level 3", NULL);
    log_configure_level(2);
    g_assert_cmpint(log_level(), ==, 3);
    log_configure_level(1);
    g_assert_cmpint(log_level(), ==, 1);
    log_configure_level(2);
    g_assert_cmpint(log_level(), ==, 2);
}

static void test_a_process_is_asked_through_its_socket(void)
{
    g_autofree char *folder = new_folder(), *path = socket_in(folder);
    g_autoptr(GError) error = NULL;
    g_autoptr(Control) control = control_start("controller", &error);
    g_autofree char *answer = NULL, *wrong = NULL, *gone = NULL;
    gboolean refused;
    GStatBuf found;

    g_assert_no_error(error);
    g_assert_cmpint(g_stat(path, &found), ==, 0);
    g_assert_cmpuint(found.st_mode & 0777, ==, 0600);
    control_add("queues", report, "plan");
    answer = control_ask(path, "queues", &refused, &error);
    g_assert_cmpstr(answer, ==, "queue plan: 2 ready\n");
    wrong = control_ask(path, "passwords", &refused, &error);
    g_assert_nonnull(strstr(wrong, "is no question"));
    control_remove(report, "plan");

    g_clear_pointer(&control, control_stop);
    g_assert_cmpint(g_stat(path, &found), ==, -1);
    gone = control_ask(path, "queues", &refused, &error);
    g_assert_null(gone);
    g_assert_true(refused);
    g_rmdir(folder);
}

/* Questions without an end, or longer than any, are left; the next is answered. */
static void test_a_bad_client_holds_up_nobody_for_long(void)
{
    g_autofree char *folder = new_folder(), *path = socket_in(folder), *answer = NULL;
    g_autoptr(Control) control = control_start("controller", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char flood[200];
    gboolean refused;

    memset(flood, 'x', sizeof flood);
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
        g_assert_cmpint(send(fd, flood, i * 60, MSG_NOSIGNAL), ==, i * 60);
        close(fd);
    }
    answer = control_ask(path, "level", &refused, NULL);
    g_assert_cmpstr(answer, ==, "level 2\n");
    g_clear_pointer(&control, control_stop);
    g_rmdir(folder);
}

static void test_what_a_killed_process_left_is_taken_away(void)
{
    g_autofree char *folder = new_folder(), *stale = g_build_filename(folder, "controller-1.sock", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autoptr(Control) control = NULL;

    g_strlcpy(address.sun_path, stale, sizeof address.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    close(fd);
    control = control_start("controller", NULL);
    g_assert_nonnull(control);
    g_assert_false(g_file_test(stale, G_FILE_TEST_EXISTS));
    g_clear_pointer(&control, control_stop);
    g_rmdir(folder);
}

static void test_a_folder_that_others_may_write_to_is_not_used(void)
{
    g_autofree char *folder = new_folder();
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_chmod(folder, 0777), ==, 0);
    g_assert_null(control_start("controller", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_IO);
    g_assert_nonnull(strstr(error->message, "nobody else may write to"));
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/control/each question has its answer", test_each_question_has_its_answer);
    g_test_add_func("/base/control/a level set by hand lasts until the settings say another",
                    test_a_level_set_by_hand_lasts_until_the_settings_say_another);
    g_test_add_func("/base/control/a process is asked through its socket",
                    test_a_process_is_asked_through_its_socket);
    g_test_add_func("/base/control/a bad client holds up nobody for long",
                    test_a_bad_client_holds_up_nobody_for_long);
    g_test_add_func("/base/control/what a killed process left is taken away",
                    test_what_a_killed_process_left_is_taken_away);
    g_test_add_func("/base/control/a folder that others may write to is not used",
                    test_a_folder_that_others_may_write_to_is_not_used);
    return g_test_run();
}
