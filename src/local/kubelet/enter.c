/* enter: a command in a running sandbox. */
#include "local/kubelet/enter.h"
#include "kube/client.h"
#include <string.h>
#include <unistd.h>

/* Splits /proc/PID/environ, which has NUL bytes between its entries. */
static char **environment_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/environ", (int)pid);
    g_autofree char *text = NULL;
    GStrvBuilder *builder = g_strv_builder_new();
    gsize size = 0;

    if (g_file_get_contents(path, &text, &size, NULL))
        for (gsize at = 0; at < size; at += strlen(text + at) + 1)
            g_strv_builder_add(builder, text + at);
    char **result = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return result;
}

/* "-all,+chown,+kill": as setpriv wants a bounding set. */
static char *bounding_set(void)
{
    GString *text = g_string_new("-all");
    for (guint i = 0; sandbox_capabilities[i]; i++) {
        g_autofree char *name = g_ascii_strdown(sandbox_capabilities[i] + strlen("CAP_"), -1);
        g_string_append_printf(text, ",+%s", name);
    }
    return g_string_free(text, FALSE);
}

char **enter_argv(const Sandbox *sandbox, const char *const *command, char ***environment, GError **error)
{
    pid_t pid = sandbox_main_process(sandbox);
    g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
    g_autofree char *target = g_strdup_printf("%d", (int)pid), *set = bounding_set();

    if (!pid) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE, "the container is not running");
        return NULL;
    }
    g_strv_builder_add_many(argv, "nsenter", "--target", target, "--mount", "--uts", "--ipc", "--pid",
                            "--root", "--wd", NULL);
    if (geteuid() != 0)
        g_strv_builder_add_many(argv, "--user", "--preserve-credentials", NULL);
    g_strv_builder_add(argv, "--");
    if (geteuid() == 0)
        g_strv_builder_add_many(argv, "setpriv", "--bounding-set", set, "--inh-caps", "-all", "--", NULL);
    for (guint i = 0; command[i]; i++)
        g_strv_builder_add(argv, command[i]);
    *environment = environment_of(pid);
    return g_strv_builder_end(argv);
}
