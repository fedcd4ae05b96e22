/* sandbox: bubblewrap's arguments, and a process that is really run. */
#include "local/kubelet/sandbox.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char *argv_text(const SandboxSpec *spec)
{
    g_auto(GStrv) argv = sandbox_argv(spec);
    return g_strjoinv(" ", argv);
}

static SandboxSpec *make_spec(const char *script)
{
    SandboxSpec *spec = sandbox_spec_new();
    const char *const command[] = {"sh", "-c", script, NULL};
    const char *const environment[] = {"PATH=/usr/bin:/bin", "TOKEN=hidden", NULL};

    spec->mark = g_strdup_printf("/gantry-test/%d/%u", getpid(), g_random_int());
    spec->hostname = g_strdup("p");
    spec->command = g_strdupv((char **)command);
    spec->environment = g_strdupv((char **)environment);
    return spec;
}

static void arguments(void)
{
    g_autoptr(SandboxSpec) spec = make_spec("true");
    g_autoptr(GBytes) data = g_bytes_new("x", 1);

    sandbox_spec_mount(spec, "/tmp", "/data/deep", FALSE);
    sandbox_spec_mount(spec, "/tmp", "/data", TRUE);
    sandbox_spec_file(spec, "/var/run/secrets/token", data, 0400);
    g_autofree char *text = argv_text(spec);
    const char *shallow = strstr(text, "--ro-bind /tmp /data "),
               *deep = strstr(text, "--bind /tmp /data/deep");
    g_assert_true(shallow && deep && shallow < deep);
    g_assert_nonnull(strstr(text, "--perms 0400 --ro-bind-data 12 /run/secrets/token"));
    g_assert_null(strstr(text, "--die-with-parent"));
    g_assert_null(strstr(text, "hidden"));
    g_assert_true(g_str_has_suffix(text, "--chdir / -- sh -c true"));
    if (geteuid() == 0)
        g_assert_nonnull(strstr(text, "--cap-drop ALL"));
}

static void mount_points_below_usr(void)
{
    g_autoptr(SandboxSpec) spec = make_spec("true");
    sandbox_spec_mount(spec, "/tmp", "/usr/share/not-there/policies", FALSE);
    g_autofree char *text = argv_text(spec);
    g_assert_nonnull(strstr(text, "--ro-bind /usr/share /.machine/usr/share --tmpfs /usr/share"));
    g_assert_nonnull(strstr(text, "--bind /tmp /usr/share/not-there/policies"));
}

typedef struct {
    char *directory, *log, *status;
} Place;

static void place_init(Place *place)
{
    place->directory = g_dir_make_tmp("gantry-sandbox-XXXXXX", NULL);
    place->log = g_build_filename(place->directory, "log", NULL);
    place->status = g_build_filename(place->directory, "status", NULL);
}

static void place_clear(Place *place)
{
    g_remove(place->log);
    g_remove(place->status);
    g_rmdir(place->directory);
    g_free(place->directory);
    g_free(place->log);
    g_free(place->status);
}

static void wait_until_dead(const Sandbox *sandbox)
{
    for (guint i = 0; sandbox_alive(sandbox) && i < 1000; i++)
        g_usleep(10000);
    g_assert_false(sandbox_alive(sandbox));
}

static void runs(void)
{
    g_autoptr(SandboxSpec) spec = make_spec("cat /note /usr/share/not-there/x; echo $TOKEN; id -un; exit 7");
    g_autoptr(GBytes) note = g_bytes_new("note\n", 5);
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;
    Sandbox sandbox;
    Place place;

    place_init(&place);
    sandbox_spec_file(spec, "/note", note, 0400);
    sandbox_spec_file(spec, "/usr/share/not-there/x", note, 0400);
    g_assert_true(sandbox_start(spec, place.log, place.status, &sandbox, &error));
    wait_until_dead(&sandbox);
    g_assert_true(g_file_get_contents(place.log, &log, NULL, NULL));
    g_assert_cmpstr(log, ==, "note\nnote\nhidden\nroot\n");
    g_assert_cmpint(sandbox_exit_code(place.status), ==, 7);
    place_clear(&place);
}

static gboolean keep_none(const char *mark, gpointer user_data)
{
    return FALSE;
}

static void ends(void)
{
    static const int signals[] = {SIGTERM, SIGKILL, 0};

    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_autoptr(SandboxSpec) spec = make_spec("exec sleep 1000");
        Sandbox sandbox;
        Place place;
        place_init(&place);
        g_assert_true(sandbox_start(spec, place.log, place.status, &sandbox, NULL));
        g_assert_false(sandbox_signal(&sandbox, SIGTERM)); /* nobody is known yet who could be asked */
        for (guint n = 0; !sandbox_main_process(&sandbox) && n < 500; n++) {
            sandbox_refresh(&sandbox, place.status, spec->mark);
            g_usleep(10000);
        }
        g_assert_cmpint(sandbox_main_process(&sandbox), >, 0);
        if (signals[i])
            g_assert_true(sandbox_signal(&sandbox, signals[i]));
        else
            g_assert_cmpuint(sandbox_end_strangers(spec->mark, keep_none, NULL), >, 0);
        wait_until_dead(&sandbox);
        if (signals[i])
            g_assert_cmpint(sandbox_exit_code(place.status), ==, 128 + signals[i]);
        place_clear(&place);
    }
}

static void a_recycled_pid_is_left_alone(void)
{
    Sandbox sandbox = {.outer = getpid(), .inner = getpid(), .outer_start = 1, .inner_start = 1};
    g_assert_false(sandbox_alive(&sandbox));
    g_assert_false(sandbox_signal(&sandbox, SIGKILL)); /* would end this test */
    g_assert_false(sandbox_signal(&sandbox, SIGTERM));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kubelet/sandbox/mounts are ordered by depth, secrets are in no argument", arguments);
    g_test_add_func("/kubelet/sandbox/a mount point may lie below the read-only usr", mount_points_below_usr);
    g_test_add_func("/kubelet/sandbox/a command runs and its exit code is kept", runs);
    g_test_add_func("/kubelet/sandbox/it ends by signals, and as a stranger", ends);
    g_test_add_func("/kubelet/sandbox/a recycled process id is left alone", a_recycled_pid_is_left_alone);
    return g_test_run();
}
