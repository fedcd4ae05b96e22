/* acceleration: boots a guest that says one word through QEMU's exit device. */
#include "base/acceleration.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBE_MS = 5000, EXIT_PORT = 0x501, WORD = 0x10, SECTOR = 512 };

/* mov al, WORD; mov dx, EXIT_PORT; out dx, al; hlt. QEMU's isa-debug-exit ends with 2 × WORD + 1. */
static const guint8 boot_code[] = {0xb0, WORD, 0xba, EXIT_PORT & 0xff, EXIT_PORT >> 8, 0xee, 0xf4};

static gboolean write_guest(const char *path, GError **error)
{
    guint8 sector[SECTOR] = {0};

    memcpy(sector, boot_code, sizeof(boot_code));
    sector[SECTOR - 2] = 0x55;
    sector[SECTOR - 1] = 0xaa;
    return g_file_set_contents(path, (const char *)sector, SECTOR, error);
}

/* The exit code of a child that ends in time; -1 after it was killed. */
static int wait_for(pid_t pid)
{
    int status;

    for (int waited = 0; waited < PROBE_MS; waited += 20) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        g_usleep(20000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

static gboolean boots_with_kvm(const char *dir, GError **error)
{
    g_autofree char *guest = g_build_filename(dir, "accel-probe.img", NULL);
    g_autofree char *drive = g_strdup_printf("file=%s,format=raw,if=floppy,readonly=on", guest);
    g_autofree char *device = g_strdup_printf("isa-debug-exit,iobase=0x%x,iosize=0x2", EXIT_PORT);
    const char *argv[] = {"qemu-system-x86_64",
                          "-accel",
                          "kvm",
                          "-machine",
                          "pc",
                          "-m",
                          "16",
                          "-nodefaults",
                          "-display",
                          "none",
                          "-no-reboot",
                          "-drive",
                          drive,
                          "-boot",
                          "a",
                          "-device",
                          device,
                          NULL};
    GPid pid;

    if (access("/dev/kvm", R_OK | W_OK) || !write_guest(guest, error))
        return FALSE;
    if (!g_spawn_async(NULL, (char **)argv, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                           G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, &pid, error))
        return FALSE;
    return wait_for(pid) == 2 * WORD + 1;
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
