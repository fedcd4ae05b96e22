/* tool: fork, exec, and two pipes. */
#include "convert/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_LIMIT (4 << 20)
#define LINE_LIMIT   4096
#define PATIENCE_US  (10 * G_USEC_PER_SEC)

typedef struct {
    const ToolOptions *options;
    pid_t pid;
    int out, err;  /* our ends; -1: closed */
    GString *line; /* what has come of the present one */
    char *trouble; /* the last line with an error in it */
    gint64 asked_to_end;
} Tool;

/* Between fork() and exec(): only what is safe there. */
static void become(char *const *argv, char *const *environment, int out, int err, int failed)
{
    sigset_t none;
    int code, null = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null, 0);
    dup2(out, 1);
    dup2(err, 2);
    execvpe(argv[0], argv, environment);
    code = errno;
    if (write(failed, &code, sizeof code) < 0)
        _exit(126);
    _exit(127);
}

static gboolean start(Tool *tool, const char *const *argv, GError **error)
{
    g_auto(GStrv) environment =
        tool->options->environment ? g_strdupv(tool->options->environment) : g_get_environ();
    int out[2], err[2], failed[2], code = 0;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(failed, O_CLOEXEC) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "pipe: %s", g_strerror(errno));
        return FALSE;
    }
    tool->pid = fork();
    if (tool->pid == 0)
        become((char *const *)argv, environment, tool->options->output ? out[1] : err[1], err[1], failed[1]);
    close(out[1]);
    close(err[1]);
    close(failed[1]);
    tool->out = out[0];
    tool->err = err[0];
    if (tool->pid < 0)
        code = errno;
    else if (read(failed[0], &code, sizeof code) == sizeof code)
        waitpid(tool->pid, NULL, 0);
    close(failed[0]);
    if (!code)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_CONVERSION_TOOL, "%s cannot be run: %s", argv[0],
                g_strerror(code));
    return FALSE;
}

static void end_line(Tool *tool)
{
    char *line = tool->line->str;

    if (!*line)
        return;
    if (strstr(line, "error: ")) {
        g_free(tool->trouble);
        tool->trouble = g_strdup(strstr(line, "error: ") + 7);
    }
    fprintf(stderr, "%s\n", line);
    if (tool->options->log)
        dprintf(tool->options->log, "%s\n", line);
    if (tool->options->line)
        tool->options->line(line, tool->options->user_data);
    g_string_truncate(tool->line, 0);
}

static void take_log(Tool *tool, const char *data, gsize size)
{
    for (gsize i = 0; i < size; i++) {
        if (data[i] == '\n' || data[i] == '\r' || tool->line->len >= LINE_LIMIT)
            end_line(tool);
        else if (data[i])
            g_string_append_c(tool->line, data[i]);
    }
}

/* FALSE: the other end has been closed. */
static gboolean take(Tool *tool, int fd)
{
    GString *output = tool->options->output;
    char data[8192];
    ssize_t got = read(fd, data, sizeof data);

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        return FALSE;
    if (fd == tool->err)
        take_log(tool, data, got);
    else
        g_string_append_len(output, data, MIN((gsize)got, OUTPUT_LIMIT - MIN(output->len, OUTPUT_LIMIT)));
    return TRUE;
}

static void drain(Tool *tool, int *fd, short events)
{
    if (!events || take(tool, *fd))
        return;
    close(*fd);
    *fd = -1;
}

static void look_at_cancel(Tool *tool, GCancellable *cancel)
{
    gint64 now = g_get_monotonic_time();

    if (!g_cancellable_is_cancelled(cancel))
        return;
    if (!tool->asked_to_end) {
        tool->asked_to_end = now;
        kill(-tool->pid, SIGTERM);
    } else if (now - tool->asked_to_end > PATIENCE_US) {
        kill(-tool->pid, SIGKILL);
    }
}

/* Until the program has ended: a process that it leaves behind may keep the pipes open. */
static int follow(Tool *tool, GCancellable *cancel)
{
    int status;

    for (gboolean ended = FALSE;;) {
        struct pollfd ends[] = {{tool->out, POLLIN, 0}, {tool->err, POLLIN, 0}};
        int ready = poll(ends, 2, ended ? 0 : 100);

        if (ready > 0) {
            drain(tool, &tool->out, ends[0].revents);
            drain(tool, &tool->err, ends[1].revents);
            if (tool->out >= 0 || tool->err >= 0)
                continue;
        } else if (ended) {
            return status;
        }
        look_at_cancel(tool, cancel);
        ended = ended || waitpid(tool->pid, &status, WNOHANG) == tool->pid;
    }
}

static gboolean judge(const Tool *tool, const char *name, int status, GCancellable *cancel, GError **error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return FALSE;
    if (WIFSIGNALED(status))
        g_set_error(error, GANTRY_ERROR, ERROR_CONVERSION_STOPPED, "%s was ended by signal %d", name,
                    WTERMSIG(status));
    else
        g_set_error(error, GANTRY_ERROR, ERROR_CONVERSION_FAILED, "%s: %s (exit code %d)", name,
                    tool->trouble ? tool->trouble : "it failed without a word", WEXITSTATUS(status));
    return FALSE;
}

gboolean tool_run(const char *const *argv, const ToolOptions *options, GCancellable *cancel, GError **error)
{
    Tool tool = {.options = options, .out = -1, .err = -1};
    gboolean good;

    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return FALSE;
    tool.line = g_string_new(NULL);
    good = start(&tool, argv, error);
    if (good) {
        int status = follow(&tool, cancel);
        end_line(&tool);
        good = judge(&tool, argv[0], status, cancel, error);
    }
    if (tool.out >= 0)
        close(tool.out);
    if (tool.err >= 0)
        close(tool.err);
    g_string_free(tool.line, TRUE);
    g_free(tool.trouble);
    return good;
}
