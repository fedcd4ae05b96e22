/* control: a list of reports, and a thread that hands them out on a unix socket. */
#include "base/control.h"
#include "base/log.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_QUESTION = 64, MOST_ANSWER = 16 << 20, PATIENCE_S = 5, BACKLOG = 8, AGAIN_US = 100000 };

/* ---- what is said ---- */

typedef struct {
    const char *topic;
    ControlReport report;
    gpointer user_data;
} Reporter;

static GMutex lock;
static GArray *reporters; /* of Reporter; NULL while there are none, so that nothing is left at the end */

void control_add(const char *topic, ControlReport report, gpointer user_data)
{
    const Reporter one = {topic, report, user_data};
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    if (!reporters)
        reporters = g_array_new(FALSE, FALSE, sizeof(Reporter));
    g_array_append_val(reporters, one);
}

void control_remove(ControlReport report, gpointer user_data)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    for (guint i = 0; reporters && i < reporters->len; i++) {
        const Reporter *one = &g_array_index(reporters, Reporter, i);
        if (one->report != report || one->user_data != user_data)
            continue;
        g_array_remove_index(reporters, i);
        if (!reporters->len)
            g_clear_pointer(&reporters, g_array_unref);
        return;
    }
}

static void report_topic(const char *topic, GString *answer)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    for (guint i = 0; reporters && i < reporters->len; i++) {
        const Reporter *one = &g_array_index(reporters, Reporter, i);
        if (!strcmp(one->topic, topic))
            one->report(answer, one->user_data);
    }
    if (!answer->len)
        g_string_append_printf(answer, "no %s\n", topic);
}

static void report_memory(GString *answer)
{
    static const char *const wanted[] = {"VmRSS:", "VmHWM:", "VmSize:", "Threads:", "FDSize:"};
    const struct mallinfo2 heap = mallinfo2();
    g_autofree char *status = NULL;

    g_string_append_printf(answer, "heap in use: %zu kB\nheap free: %zu kB\n", heap.uordblks / 1024,
                           heap.fordblks / 1024);
    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(status, "\n", -1);
    for (char **line = lines; *line; line++)
        for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
            if (g_str_has_prefix(*line, wanted[i]))
                g_string_append_printf(answer, "%.*s %s\n", (int)strlen(wanted[i]), *line,
                                       g_strstrip(*line + strlen(wanted[i])));
}

gboolean control_check_level(const char *number, GError **error)
{
    if (strlen(number) == 1 && *number >= '0' && *number <= '3')
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "level %s: it must be 0 (errors), 1 (warnings), 2 (information) or 3 (debug)", number);
    return FALSE;
}

/* "level" or "level N". */
static gboolean report_level(const char *number, GString *answer, GError **error)
{
    if (*number && !control_check_level(number, error))
        return FALSE;
    if (*number)
        log_set_level(*number - '0');
    g_string_append_printf(answer, "level %d\n", log_level());
    return TRUE;
}

char *control_answer(const char *question, GError **error)
{
    g_autoptr(GString) answer = g_string_new(NULL);

    if (!strcmp(question, "queues") || !strcmp(question, "informers") || !strcmp(question, "sessions")) {
        report_topic(question, answer);
    } else if (!strcmp(question, "memory")) {
        report_memory(answer);
    } else if (!strcmp(question, "level") || g_str_has_prefix(question, "level ")) {
        if (!report_level(question[5] ? question + 6 : "", answer, error))
            return NULL;
    } else {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "'%s' is no question: it must be queues, informers, sessions, memory or level", question);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&answer), FALSE);
}

/* ---- the folder ---- */

static gboolean fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s %s: %s", what, path, g_strerror(errno));
    return FALSE;
}

char *control_folder(GError **error)
{
    const char *chosen = g_getenv("GANTRY_CONTROL"), *runtime = g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *folder = chosen && *chosen     ? g_strdup(chosen)
                              : runtime && *runtime ? g_build_filename(runtime, "gantry", NULL)
                                                    : g_strdup_printf("/tmp/gantry-%u", geteuid());
    struct stat found;

    if (g_mkdir(folder, 0700) && errno != EEXIST) {
        fail(error, "make", folder);
        return NULL;
    }
    if (lstat(folder, &found)) {
        fail(error, "look at", folder);
        return NULL;
    }
    if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() || found.st_mode & 0022) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO,
                    "%s: it must be a directory of this user that nobody else may write to", folder);
        return NULL;
    }
    return g_steal_pointer(&folder);
}

static gboolean address_of(const char *path, struct sockaddr_un *address, GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: a socket's path has at most %zu bytes", path,
                sizeof address->sun_path - 1);
    return FALSE;
}

static void sweep(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct sockaddr_un address;
        int fd;

        if (*name == '.' || !g_str_has_suffix(name, ".sock") || !address_of(path, &address, NULL))
            continue;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) && errno == ECONNREFUSED)
            g_unlink(path);
        if (fd >= 0)
            close(fd);
    }
}

/* ---- the server ---- */

struct Control {
    char *path;
    int listener, wake; /* wake: an eventfd that ends the thread */
    GThread *thread;
};

static gboolean is_allowed(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && (peer.uid == geteuid() || !peer.uid);
}

static void set_patience(int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* With its patience set, a socket's call is broken off when the process was stopped and goes on (signal(7)).
 */
static gssize receive(int fd, void *block, gsize size)
{
    gssize got;

    do
        got = recv(fd, block, size, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

/* A line, without its end; FALSE: it is too long, late, or not whole. */
static gboolean read_question(int fd, char question[MOST_QUESTION])
{
    gsize size = 0;

    while (size < MOST_QUESTION) {
        gssize got = receive(fd, question + size, 1);
        if (got != 1)
            return FALSE;
        if (question[size] == '\n') {
            question[size] = '\0';
            return TRUE;
        }
        size++;
    }
    return FALSE;
}

static void write_all(int fd, const char *text)
{
    gsize left = strlen(text);

    while (left) {
        gssize sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return;
        text += sent;
        left -= sent;
    }
}

static void serve_one(int fd)
{
    char question[MOST_QUESTION];
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;

    set_patience(fd);
    if (!is_allowed(fd) || !read_question(fd, question))
        return;
    answer = control_answer(question, &error);
    write_all(fd, answer ? answer : error->message);
}

static gpointer serve(gpointer user_data)
{
    Control *control = user_data;
    struct pollfd fds[] = {{control->listener, POLLIN, 0}, {control->wake, POLLIN, 0}};

    for (;;) {
        int fd;
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        fd = fds[0].revents ? accept4(control->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0) {
            g_usleep(AGAIN_US); /* poll() does not wait for a file descriptor to be had */
            continue;
        }
        serve_one(fd);
        close(fd);
    }
}

/* A socket gets its name when it is listened to: until then it would look as if its process were dead. */
static gboolean listen_at(Control *control, const char *folder, const char *name, GError **error)
{
    g_autofree char *unready = g_strdup_printf("%s/.%s-%d", folder, name, getpid());
    struct sockaddr_un address;

    if (!address_of(unready, &address, error))
        return FALSE;
    g_unlink(unready);
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listener < 0 || fchmod(control->listener, 0600) ||
        bind(control->listener, (struct sockaddr *)&address, sizeof address) || g_chmod(unready, 0600) ||
        listen(control->listener, BACKLOG) || g_rename(unready, control->path))
        return fail(error, "listen at", control->path);
    return TRUE;
}

Control *control_start(const char *name, GError **error)
{
    g_autofree char *folder = control_folder(error);
    g_autoptr(Control) control = NULL;
    sigset_t all, before;

    if (!folder)
        return NULL;
    sweep(folder);
    control = g_new(Control, 1);
    *control = (Control){
        .path = g_strdup_printf("%s/%s-%d.sock", folder, name, getpid()), .listener = -1, .wake = -1};
    if (!listen_at(control, folder, name, error))
        return NULL;
    control->wake = eventfd(0, EFD_CLOEXEC);
    /* Signals are for the threads that wait for them, whichever those are later on. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    control->thread = g_thread_new("control", serve, control);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return g_steal_pointer(&control);
}

void control_stop(Control *control)
{
    const guint64 one = 1;

    if (!control)
        return;
    if (control->thread) {
        if (write(control->wake, &one, sizeof one) < 0)
            g_warning("a socket's thread cannot be woken: %s", g_strerror(errno));
        g_thread_join(control->thread);
        g_unlink(control->path);
        close(control->wake);
    }
    if (control->listener >= 0)
        close(control->listener);
    g_free(control->path);
    g_free(control);
}

/* ---- the client ---- */

char *control_ask(const char *path, const char *question, gboolean *refused, GError **error)
{
    g_autofree char *line = g_strconcat(question, "\n", NULL);
    g_autoptr(GString) answer = g_string_new(NULL);
    struct sockaddr_un address;
    char block[4096];
    gssize got;
    int fd;

    *refused = FALSE;
    if (!address_of(path, &address, error))
        return NULL;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
        *refused = errno == ECONNREFUSED || errno == ENOENT;
        fail(error, "connect to", path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    set_patience(fd);
    write_all(fd, line);
    while ((got = receive(fd, block, sizeof block)) > 0 && answer->len < MOST_ANSWER)
        g_string_append_len(answer, block, got);
    if (got < 0)
        fail(error, "read from", path);
    close(fd);
    return got < 0 ? NULL : g_string_free(g_steal_pointer(&answer), FALSE);
}
