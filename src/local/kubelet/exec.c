/* exec: pipes, terminals and one child. */
#include "local/kubelet/exec.h"
#include "local/kubelet/enter.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct {
    GSubprocess *process;
    int terminal; /* the controlling side, for its size; -1: none */
} Running;

static void in_terminal(gpointer user_data)
{
    setsid();
    ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

static void in_session(gpointer user_data)
{
    setsid();
}

static gboolean fail(GError **error, const char *what)
{
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", what, g_strerror(errno));
    return FALSE;
}

/* One terminal for all three streams. */
static gboolean give_terminal(GSubprocessLauncher *launcher, const PodExecOptions *options, PodExec *exec,
                              Running *running, GError **error)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];

    if (master < 0)
        return fail(error, "opening a terminal");
    if (grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof name)) {
        close(master);
        return fail(error, "opening a terminal");
    }
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        close(master);
        return fail(error, name);
    }
    g_subprocess_launcher_take_stdin_fd(launcher, slave);
    g_subprocess_launcher_take_stdout_fd(launcher, dup(slave));
    g_subprocess_launcher_take_stderr_fd(launcher, dup(slave));
    g_subprocess_launcher_set_child_setup(launcher, in_terminal, NULL, NULL);
    running->terminal = master;
    exec->in = options->in ? fcntl(master, F_DUPFD_CLOEXEC, 3) : -1;
    exec->out = fcntl(master, F_DUPFD_CLOEXEC, 3);
    exec->err = -1;
    return TRUE;
}

/* A pipe for one stream; the child's end goes to the launcher. child_reads: the stream is its input. */
static gboolean give_pipe(gboolean wanted, gboolean child_reads, int *ours, int *childs, GError **error)
{
    int ends[2];

    *ours = -1;
    if (!wanted) {
        *childs = open("/dev/null", O_RDWR | O_CLOEXEC);
        return *childs >= 0 || fail(error, "/dev/null");
    }
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail(error, "making a pipe");
    *ours = ends[child_reads ? 1 : 0];
    *childs = ends[child_reads ? 0 : 1];
    return TRUE;
}

static gboolean give_pipes(GSubprocessLauncher *launcher, const PodExecOptions *options, PodExec *exec,
                           GError **error)
{
    int in, out, err;

    if (!give_pipe(options->in, TRUE, &exec->in, &in, error))
        return FALSE;
    g_subprocess_launcher_take_stdin_fd(launcher, in);
    if (!give_pipe(options->out, FALSE, &exec->out, &out, error))
        return FALSE;
    g_subprocess_launcher_take_stdout_fd(launcher, out);
    if (!give_pipe(options->err, FALSE, &exec->err, &err, error))
        return FALSE;
    g_subprocess_launcher_take_stderr_fd(launcher, err);
    g_subprocess_launcher_set_child_setup(launcher, in_session, NULL, NULL);
    return TRUE;
}

static void close_all(PodExec *exec, Running *running)
{
    int *const fds[] = {&exec->in, &exec->out, &exec->err, &running->terminal};
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

gboolean exec_start(const Sandbox *sandbox, const PodExecOptions *options, PodExec *exec, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_auto(GStrv) environment = NULL;
    g_auto(GStrv) argv = enter_argv(sandbox, options->command, &environment, error);
    Running running = {.terminal = -1};

    exec->in = exec->out = exec->err = -1;
    if (!argv)
        return FALSE;
    gboolean given = options->tty ? give_terminal(launcher, options, exec, &running, error)
                                  : give_pipes(launcher, options, exec, error);
    if (given && options->tty)
        environment = g_environ_setenv(environment, "TERM", "xterm", FALSE);
    g_subprocess_launcher_set_environ(launcher, environment);
    if (given)
        running.process = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, error);
    g_subprocess_launcher_close(launcher); /* the child's ends, so that we see its end */
    if (!running.process) {
        close_all(exec, &running);
        return FALSE;
    }
    exec->process = g_memdup2(&running, sizeof running);
    return TRUE;
}

int exec_wait(PodExec *exec, GCancellable *cancel)
{
    Running *running = exec->process;
    int code = 137;

    if (!g_subprocess_wait(running->process, cancel, NULL)) {
        const char *pid = g_subprocess_get_identifier(running->process);
        if (pid)
            kill(-atoi(pid), SIGKILL); /* nsenter and its child, which is in our session */
        g_subprocess_wait(running->process, NULL, NULL);
    }
    if (g_subprocess_get_if_exited(running->process))
        code = g_subprocess_get_exit_status(running->process);
    else if (g_subprocess_get_if_signaled(running->process))
        code = 128 + g_subprocess_get_term_sig(running->process);
    if (running->terminal >= 0)
        close(running->terminal);
    g_object_unref(running->process);
    g_free(running);
    exec->process = NULL;
    return code;
}

void exec_resize(PodExec *exec, guint16 columns, guint16 rows)
{
    Running *running = exec->process;
    struct winsize size = {.ws_col = columns, .ws_row = rows};

    if (running && running->terminal >= 0)
        ioctl(running->terminal, TIOCSWINSZ, &size);
}
