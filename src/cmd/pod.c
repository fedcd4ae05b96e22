/* pod: one thread that waits for signals and, between them, prints how far things are. */
#include "cmd/pod.h"
#include "base/log.h"
#include "net/http_server.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TERMINATION_LOG   "/dev/termination-log"
#define TERMINATION_LIMIT 4096
#define BODY_LIMIT        1024

struct Pod {
    const PodProgram *program;
    GCancellable *cancel;
    HttpServer *server;
    GThread *reporter;
    gint ended; /* atomic */
};

gboolean pod_parse_options(int *argc, char ***argv, const char *summary, const GOptionEntry *options)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, options, NULL);
    if (g_option_context_parse(context, argc, argv, &error) && *argc == 1)
        return TRUE;
    g_printerr("%s: %s%s\n", g_get_prgname(), error ? error->message : "unexpected argument ",
               error ? "" : (*argv)[1]);
    return FALSE;
}

static void print_line(const json_t *json)
{
    g_autofree char *text = json_text(json);
    printf("%s\n", text);
    fflush(stdout);
}

/* Prints when something has changed, at most once a second. */
static void print_progress(const PodProgram *program, char **last)
{
    g_autoptr(json_t) progress = program->progress(program->user_data);
    g_autofree char *text = json_text(progress);

    if (!g_strcmp0(text, *last))
        return;
    print_line(progress);
    g_free(*last);
    *last = g_steal_pointer(&text);
}

static gpointer report(gpointer user_data)
{
    Pod *pod = user_data;
    const struct timespec second = {1, 0};
    g_autofree char *last = NULL;
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1); /* pod_end()'s */
    while (!g_atomic_int_get(&pod->ended)) {
        int signal = sigtimedwait(&signals, NULL, &second);
        if (signal == SIGTERM || signal == SIGINT) {
            log_info("asked to stop", "signal", strsignal(signal), NULL);
            g_cancellable_cancel(pod->cancel);
        } else if (signal < 0) {
            print_progress(pod->program, &last);
        }
    }
    return NULL;
}

static void answer_progress(HttpExchange *exchange, const PodProgram *program)
{
    g_autoptr(json_t) progress = program->progress(program->user_data);
    g_autofree char *text = json_text(progress);
    http_exchange_reply_text(exchange, 200, "application/json", text);
}

/* The progress, with the limits that are in force now. */
static void take_limits(HttpExchange *exchange, const PodProgram *program)
{
    g_autoptr(GError) error = NULL;
    gsize size;
    const char *text = g_bytes_get_data(http_exchange_body(exchange), &size);
    g_autoptr(json_t) limits = json_parse(text ? text : "", size, BODY_LIMIT, "limits", &error);

    if (strcmp(http_exchange_method(exchange), "PUT"))
        http_exchange_reply_text(exchange, 405, "text/plain", "PUT limits\n");
    else if (limits && program->set_limits(limits, program->user_data, &error))
        answer_progress(exchange, program);
    else
        http_exchange_reply_text(exchange, 400, "text/plain", error->message);
}

static void answer(HttpExchange *exchange, gpointer user_data)
{
    const PodProgram *program = user_data;
    const char *path = http_exchange_path(exchange);

    if (!strcmp(path, "/progress")) {
        answer_progress(exchange, program);
    } else if (!strcmp(path, "/limits") && program->set_limits) {
        take_limits(exchange, program);
    } else if (!strcmp(path, "/metrics") && program->metrics) {
        g_autofree char *text = program->metrics(program->user_data);
        http_exchange_reply_text(exchange, 200, "text/plain; version=0.0.4", text);
    } else {
        http_exchange_reply_text(exchange, 404, "text/plain", "not found\n");
    }
}

Pod *pod_begin(const PodProgram *program, GError **error)
{
    HttpServerOptions options = {.listen = program->listen,
                                 .body_limit = BODY_LIMIT,
                                 .workers = 1,
                                 .handler = answer,
                                 .user_data = (gpointer)program};
    Pod *pod = g_new0(Pod, 1);
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    pod->program = program;
    if (program->listen && !(pod->server = http_server_start(&options, error))) {
        g_free(pod);
        return NULL;
    }
    pod->cancel = g_cancellable_new();
    pod->reporter = g_thread_new("report", report, pod);
    return pod;
}

GCancellable *pod_cancellable(Pod *pod)
{
    return pod->cancel;
}

static void write_termination_message(const json_t *result)
{
    g_autofree char *text = json_text(result);
    int fd = open(TERMINATION_LOG, O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd < 0) /* not in a Pod */
        return;
    if (write(fd, text, MIN(strlen(text), TERMINATION_LIMIT)) < 0)
        log_warn("cannot write the termination message", "error", g_strerror(errno), NULL);
    close(fd);
}

int pod_end(Pod *pod, const json_t *result, const GError *error)
{
    if (pod) {
        g_atomic_int_set(&pod->ended, TRUE);
        kill(getpid(), SIGUSR1);
        g_thread_join(pod->reporter);
        g_clear_pointer(&pod->server, http_server_stop);
        g_object_unref(pod->cancel);
        g_free(pod);
    }
    print_line(result);
    write_termination_message(result);
    if (!error)
        return 0;
    log_error("failed", "class", error_class_name(error_class(error)), "reason", error_reason(error), "error",
              error->message, "remedy", error_remedy(error), NULL);
    return error_exit_code(error);
}
