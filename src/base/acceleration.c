/* acceleration: boots the machine's own kernel, with no root disk, to see it panic. */
#include "base/acceleration.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBE_MS = 10000 };

#define KERNELS "/boot"

/* What a kernel says that came all the way up and found no root disk. */
#define LAST_WORDS "Kernel panic - not syncing"

/* The path of any kernel of this machine; NULL when there is none. */
static char *find_kernel(void)
{
    g_autoptr(GDir) dir = g_dir_open(KERNELS, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, "vmlinuz-"))
            return g_build_filename(KERNELS, name, NULL);
    return NULL;
}

/* Waits for the child's end, in the worst case by ending it. */
static void wait_for(pid_t pid)
{
    for (int waited = 0; waited < PROBE_MS; waited += 20) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return;
        g_usleep(20000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* The CPU is the one that migrated VMs get. */
static gboolean boots_with_kvm(const char *dir, GError **error)
{
    g_autofree char *kernel = find_kernel();
    g_autofree char *console = g_build_filename(dir, "acceleration-probe.log", NULL);
    g_autofree char *serial = g_strconcat("file:", console, NULL), *said = NULL;
    const char *argv[] = {"qemu-system-x86_64",
                          "-accel",
                          "kvm",
                          "-cpu",
                          "host",
                          "-machine",
                          "pc",
                          "-m",
                          "256",
                          "-nodefaults",
                          "-display",
                          "none",
                          "-no-reboot",
                          "-serial",
                          serial,
                          "-kernel",
                          kernel,
                          "-append",
                          "console=ttyS0 quiet panic=-1",
                          NULL};
    GPid pid;

    if (!kernel || access("/dev/kvm", R_OK | W_OK))
        return FALSE;
    if (!g_spawn_async(NULL, (char **)argv, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                           G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, &pid, error))
        return FALSE;
    wait_for(pid);
    gboolean booted = g_file_get_contents(console, &said, NULL, NULL) && strstr(said, LAST_WORDS);
    g_unlink(console);
    return booted;
}

gboolean acceleration_find(const char *dir, Acceleration *acceleration, GError **error)
{
    const char *wanted = g_getenv("GANTRY_ACCEL");
    g_autofree char *path = g_build_filename(dir, "acceleration", NULL), *known = NULL, *boot = NULL,
                    *answer = NULL;
    GError *why = NULL;

    if (wanted && *wanted && strcmp(wanted, "auto")) {
        *acceleration = !strcmp(wanted, "kvm") ? ACCELERATION_KVM : ACCELERATION_TCG;
        if (!strcmp(wanted, "kvm") || !strcmp(wanted, "tcg"))
            return TRUE;
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "GANTRY_ACCEL=%s: must be auto, kvm or tcg",
                    wanted);
        return FALSE;
    }
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, error))
        return FALSE;
    g_strstrip(boot);
    if (g_file_get_contents(path, &known, NULL, NULL) && g_str_has_prefix(known, boot)) {
        *acceleration = strstr(known, "kvm") ? ACCELERATION_KVM : ACCELERATION_TCG;
        return TRUE;
    }
    *acceleration = boots_with_kvm(dir, &why) ? ACCELERATION_KVM : ACCELERATION_TCG;
    if (why) {
        g_propagate_error(error, why);
        return FALSE;
    }
    answer = g_strdup_printf("%s %s\n", boot, *acceleration == ACCELERATION_KVM ? "kvm" : "tcg");
    return g_file_set_contents(path, answer, -1, error);
}
