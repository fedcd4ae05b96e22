/* pod_calls: pods/log, pods/exec and pods/proxy: what clients want of running Pods, passed on to their
 * backend.
 *
 * exec speaks the WebSocket subprotocols v5.channel.k8s.io and v4.channel.k8s.io: the first byte of a message
 * is its channel: 0 stdin, 1 stdout, 2 stderr, 3 the outcome as a Status, 4 the terminal's size; v5: 255
 * closes the channel named after it.
 */
#include "base/clock.h"
#include "local/apiserver/server.h"
#include "net/http_client.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- the Pod and its container ---- */

static Object *pod_of(Request *request, const char *name, GError **error)
{
    g_autoptr(Record) record = store_get(request->server->store, "pods", request->ns, name);

    if (record)
        return object_new_take(record_json(record));
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "pods \"%s\" not found", name);
    return NULL;
}

static gboolean has_container(const json_t *pod, const char *name, GString *names)
{
    static const char *const lists[] = {"spec.containers", "spec.initContainers"};
    size_t i;
    json_t *container;

    for (guint n = 0; n < G_N_ELEMENTS(lists); n++)
        json_array_foreach(json_at(pod, lists[n]), i, container)
        {
            const char *each = json_string_at(container, "name", "");
            if (name && !strcmp(each, name))
                return TRUE;
            g_string_append_printf(names, "%s%s", names->len ? " " : "", each);
        }
    return FALSE;
}

/* The container that the client names, or the one that is meant when it names none. */
static const char *container_of(Request *request, Object *pod, GError **error)
{
    const json_t *json = object_json(pod);
    const json_t *containers = json_at(json, "spec.containers");
    const char *name = http_exchange_query(request->x, "container");
    g_autoptr(GString) names = g_string_new(NULL);

    if (!name || !*name)
        name = object_annotation(pod, "kubectl.kubernetes.io/default-container", NULL);
    if (!name && json_array_size(containers) == 1)
        name = json_string_at(json_array_get(containers, 0), "name", "");
    if (has_container(json, name, names))
        return name;
    if (name)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "container %s is not valid for pod %s: choose one of: [%s]", name, request->name,
                    names->str);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "a container name must be specified for pod %s, choose one of: [%s]", request->name,
                    names->str);
    return NULL;
}

static gboolean available(gpointer call, GError **error)
{
    if (call)
        return TRUE;
    g_set_error_literal(error, HTTP_STATUS_ERROR, 501, "this server runs no Pods");
    return FALSE;
}

/* ---- log ---- */

typedef struct {
    ApiServer *server;
    Object *pod;
    char *container;
    PodLogOptions options;
    HttpExchange *x; /* while the handler runs: the stream is opened with the first piece */
    HttpStream *stream;
    GCancellable *cancel;
} LogCall;

static void log_call_free(LogCall *call)
{
    object_unref(call->pod);
    g_free(call->container);
    g_clear_pointer(&call->stream, http_stream_unref);
    g_clear_object(&call->cancel);
    g_free(call);
}

static gboolean write_log(GBytes *piece, gpointer data)
{
    LogCall *call = data;

    if (!call->stream)
        call->stream = http_exchange_stream(call->x, 200, "text/plain");
    return http_stream_send_wait(call->stream, piece, call->cancel);
}

static gboolean run_log(LogCall *call, GError **error)
{
    return call->server->pods.log(call->pod, call->container, &call->options, write_log, call, call->cancel,
                                  call->server->pods_data, error);
}

static void cancel_log(gpointer data)
{
    g_cancellable_cancel(data);
    g_object_unref(data);
}

/* A log that is followed may go on for days, so it has a thread of its own. */
static gpointer follow_log(gpointer data)
{
    LogCall *call = data;
    g_autoptr(GError) error = NULL;

    if (!run_log(call, &error) && !g_cancellable_is_cancelled(call->cancel)) {
        g_autofree char *text = g_strdup_printf("%s\n", error->message);
        g_autoptr(GBytes) piece = g_bytes_new(text, strlen(text));
        http_stream_send_wait(call->stream, piece, call->cancel);
    }
    log_call_free(call);
    return NULL;
}

static gint64 since_us(const Request *request)
{
    gint64 seconds = request_number(request, "sinceSeconds", -1);
    const char *time = http_exchange_query(request->x, "sinceTime");

    return seconds >= 0 ? g_get_real_time() - seconds * G_USEC_PER_SEC : time ? clock_parse(time) : -1;
}

static LogCall *log_call_new(Request *request, GError **error)
{
    g_autoptr(Object) pod = pod_of(request, request->name, error);
    const char *container = pod ? container_of(request, pod, error) : NULL;
    LogCall *call;

    if (!container || !available(request->server->pods.log, error))
        return NULL;
    call = g_new0(LogCall, 1);
    call->server = request->server;
    call->container = g_strdup(container);
    call->pod = g_steal_pointer(&pod);
    call->options = (PodLogOptions){.follow = request_flag(request, "follow"),
                                    .previous = request_flag(request, "previous"),
                                    .timestamps = request_flag(request, "timestamps"),
                                    .tail_lines = request_number(request, "tailLines", -1),
                                    .limit_bytes = request_number(request, "limitBytes", -1),
                                    .since_us = since_us(request)};
    call->cancel = g_cancellable_new();
    call->x = request->x;
    return call;
}

void serve_pod_log(Request *request)
{
    g_autoptr(GError) error = NULL;
    LogCall *call = log_call_new(request, &error);

    if (!call) {
        answer_error(request, error);
        return;
    }
    if (call->options.follow) {
        call->stream = http_exchange_stream(request->x, 200, "text/plain");
        http_stream_on_closed(call->stream, cancel_log, g_object_ref(call->cancel));
        g_thread_unref(g_thread_new("pod-log", follow_log, call));
        return;
    }
    if (!run_log(call, &error) && !call->stream)
        answer_error(request, error);
    else if (!call->stream)
        answer_text(request, 200, "text/plain", "");
    log_call_free(call);
}

/* ---- exec ---- */

enum { IN = 0, OUT = 1, ERR = 2, OUTCOME = 3, RESIZE = 4, CLOSE = 255 };

typedef struct {
    gint refs;
    ApiServer *server;
    PodExec exec;
    HttpSocket *socket;
    GAsyncQueue *input; /* of GBytes; an empty one closes stdin */
    GCancellable *cancel;
} ExecCall;

static ExecCall *exec_ref(ExecCall *call)
{
    g_atomic_int_inc(&call->refs);
    return call;
}

static void exec_unref(ExecCall *call)
{
    if (!g_atomic_int_dec_and_test(&call->refs))
        return;
    g_async_queue_unref(call->input);
    g_clear_pointer(&call->socket, http_socket_unref);
    g_object_unref(call->cancel);
    g_free(call);
}

/* Waits for a slow client. */
static void send_channel(HttpSocket *socket, guint8 channel, const void *data, gsize size)
{
    g_autoptr(GByteArray) message = g_byte_array_sized_new(size + 1);
    g_autoptr(GBytes) bytes = NULL;

    g_byte_array_append(message, &channel, 1);
    g_byte_array_append(message, data, size);
    bytes = g_byte_array_free_to_bytes(g_steal_pointer(&message));
    http_socket_send_wait(socket, TRUE, bytes, NULL);
}

static void pump(ExecCall *call, int fd, guint8 channel)
{
    guint8 buffer[16384];

    for (gssize size; (size = read(fd, buffer, sizeof buffer)) > 0 || (size < 0 && errno == EINTR);)
        if (size > 0)
            send_channel(call->socket, channel, buffer, size);
    close(fd);
}

static gpointer pump_err(gpointer data)
{
    ExecCall *call = data;
    pump(call, call->exec.err, ERR);
    exec_unref(call);
    return NULL;
}

static gboolean write_all(int fd, const guint8 *data, gsize size)
{
    while (size) {
        gssize done = write(fd, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return FALSE;
        data += done;
        size -= done;
    }
    return TRUE;
}

static gpointer pump_in(gpointer data)
{
    ExecCall *call = data;
    gboolean open = TRUE;

    while (open) {
        g_autoptr(GBytes) piece = g_async_queue_pop(call->input);
        gsize size;
        const guint8 *bytes = g_bytes_get_data(piece, &size);
        open = size && write_all(call->exec.in, bytes, size);
    }
    close(call->exec.in);
    exec_unref(call);
    return NULL;
}

static void send_outcome(ExecCall *call, int code)
{
    g_autofree char *number = g_strdup_printf("%d", code);
    g_autofree char *message = g_strdup_printf("command terminated with exit code %d", code);
    g_autoptr(json_t) status =
        code ? json_pack("{s:{}, s:s, s:s, s:s, s:{s:[{s:s, s:s}]}}", "metadata", "status", "Failure",
                         "reason", "NonZeroExitCode", "message", message, "details", "causes", "reason",
                         "ExitCode", "message", number)
             : json_pack("{s:{}, s:s}", "metadata", "status", "Success");
    g_autofree char *text = json_text(status);

    send_channel(call->socket, OUTCOME, text, strlen(text));
    http_socket_close(call->socket, 1000);
}

static gpointer run_exec(gpointer data)
{
    ExecCall *call = data;
    GThread *err = call->exec.err >= 0 ? g_thread_new("exec-err", pump_err, exec_ref(call)) : NULL;
    int code;

    if (call->exec.in >= 0)
        g_thread_unref(g_thread_new("exec-in", pump_in, exec_ref(call)));
    if (call->exec.out >= 0)
        pump(call, call->exec.out, OUT);
    if (err)
        g_thread_join(err);
    code = call->server->pods.exec_wait(&call->exec, call->cancel, call->server->pods_data);
    g_async_queue_push(call->input, g_bytes_new_static("", 0));
    send_outcome(call, code);
    exec_unref(call);
    return NULL;
}

static void resize(ExecCall *call, const char *text, gsize size)
{
    g_autoptr(json_t) json = json_loadb(text, size, 0, NULL);
    gint64 columns = json_int_at(json, "Width", 0), rows = json_int_at(json, "Height", 0);

    if (call->server->pods.exec_resize && columns > 0 && columns < 65536 && rows > 0 && rows < 65536)
        call->server->pods.exec_resize(&call->exec, columns, rows, call->server->pods_data);
}

static void on_message(HttpSocket *socket, gboolean binary, GBytes *message, gpointer data)
{
    ExecCall *call = data;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(message, &size);

    if (!size)
        return;
    if (*bytes == IN && size > 1)
        g_async_queue_push(call->input, g_bytes_new_from_bytes(message, 1, size - 1));
    else if (*bytes == CLOSE && size == 2 && bytes[1] == IN)
        g_async_queue_push(call->input, g_bytes_new_static("", 0));
    else if (*bytes == RESIZE)
        resize(call, (const char *)bytes + 1, size - 1);
}

/* The client has gone: the command goes too. */
static void on_closed(HttpSocket *socket, gpointer data)
{
    ExecCall *call = data;
    g_cancellable_cancel(call->cancel);
    g_async_queue_push(call->input, g_bytes_new_static("", 0));
    exec_unref(call);
}

static const HttpSocketEvents exec_events = {on_message, on_closed};

static gboolean start_exec(Request *request, ExecCall *call, GError **error)
{
    g_autoptr(Object) pod = pod_of(request, request->name, error);
    const char *container = pod ? container_of(request, pod, error) : NULL;
    g_autoptr(GPtrArray) command = http_exchange_query_all(request->x, "command");
    PodExecOptions options = {.in = request_flag(request, "stdin"),
                              .out = request_flag(request, "stdout"),
                              .err = request_flag(request, "stderr"),
                              .tty = request_flag(request, "tty")};

    if (!container || !available(request->server->pods.exec, error))
        return FALSE;
    if (!command->len) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                            "you must specify at least one command for the container");
        return FALSE;
    }
    g_ptr_array_add(command, NULL);
    options.command = (const char *const *)command->pdata;
    return request->server->pods.exec(pod, container, &options, &call->exec, request->server->pods_data,
                                      error);
}

void serve_pod_exec(Request *request)
{
    const char *protocol =
        http_exchange_offers_protocol(request->x, "v5.channel.k8s.io")   ? "v5.channel.k8s.io"
        : http_exchange_offers_protocol(request->x, "v4.channel.k8s.io") ? "v4.channel.k8s.io"
                                                                         : NULL;
    g_autoptr(GError) error = NULL;
    ExecCall *call;

    if (!http_exchange_wants_websocket(request->x) || !protocol) {
        g_set_error_literal(
            &error, GANTRY_ERROR, ERROR_BAD_INPUT,
            "exec needs a WebSocket with the subprotocol v5.channel.k8s.io or v4.channel.k8s.io");
        answer_error(request, error);
        return;
    }
    call = g_new0(ExecCall, 1);
    call->refs = 1;
    call->server = request->server;
    call->exec = (PodExec){.in = -1, .out = -1, .err = -1};
    call->input = g_async_queue_new_full((GDestroyNotify)g_bytes_unref);
    call->cancel = g_cancellable_new();
    if (!start_exec(request, call, &error)) {
        answer_error(request, error);
        exec_unref(call);
        return;
    }
    call->socket = http_exchange_websocket(request->x, protocol, &exec_events, exec_ref(call));
    g_thread_unref(g_thread_new("exec", run_exec, call));
}

/* ---- proxy ---- */

enum { proxy_limit = 16 << 20, proxy_timeout = 30 };

/* "[SCHEME:]NAME[:PORT]" as the path names the Pod. */
static void split_target(const char *text, char **scheme, char **name, char **port)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 3);
    guint count = g_strv_length(parts);

    *scheme = g_strdup(count == 3 && *parts[0] ? parts[0] : "http");
    *name = g_strdup(parts[count == 3 ? 1 : 0]);
    *port = g_strdup(count == 3 ? parts[2] : count == 2 ? parts[1] : "");
}

static char *proxy_url(Request *request, GError **error)
{
    g_autofree char *scheme = NULL, *name = NULL, *port = NULL;
    const char *query = strchr(http_exchange_target(request->x), '?');
    g_autoptr(Object) pod = NULL;
    const char *address;

    split_target(request->name, &scheme, &name, &port);
    if (!(pod = pod_of(request, name, error)))
        return NULL;
    address = json_string_at(object_json(pod), "status.podIP", "");
    if (!*port) {
        gint64 first = json_int_at(
            json_array_get(json_at(json_array_get(json_at(object_json(pod), "spec.containers"), 0), "ports"),
                           0),
            "containerPort", 80);
        g_free(port);
        port = g_strdup_printf("%d", (int)first);
    }
    if (!*address) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE, "pod %s has no address yet", name);
        return NULL;
    }
    return g_strdup_printf("%s://%s:%s/%s%s", scheme, address, port, request->rest, query ? query : "");
}

void serve_pod_proxy(Request *request)
{
    HttpTrust trust = {
        .insecure = TRUE}; /* a Pod on this machine, by its address: its certificate cannot name that */
    g_autoptr(GError) error = NULL;
    g_autofree char *url = proxy_url(request, &error);
    gboolean plain = url && g_str_has_prefix(url, "http://");
    g_autoptr(HttpClient) client = url ? http_client_new(plain ? NULL : &trust, proxy_timeout, &error) : NULL;
    const char *accept = http_exchange_header(request->x, "Accept");
    const char *headers[] = {"Accept", accept ? accept : "*/*", NULL};
    GBytes *body = http_exchange_body(request->x);
    g_autoptr(HttpReply) reply = NULL;

    if (client)
        reply = http_client_send(client, http_exchange_method(request->x), url, headers,
                                 http_exchange_header(request->x, "Content-Type"),
                                 g_bytes_get_size(body) ? body : NULL, proxy_limit,
                                 http_exchange_cancellable(request->x), &error);
    if (client && !reply) {
        g_prefix_error(&error, "error trying to reach the Pod: ");
        error->domain = HTTP_STATUS_ERROR;
        error->code = 503;
    }
    if (reply)
        http_exchange_reply(request->x, reply->status, g_hash_table_lookup(reply->headers, "content-type"),
                            reply->body);
    else
        answer_error(request, error);
}
