/* probe: readiness, asked once. */
#include "local/kubelet/probe.h"
#include "local/kubelet/enter.h"
#include "net/http_client.h"
#include <string.h>

enum { REPLY_LIMIT = 64 << 10 };

guint container_port(const json_t *container, const json_t *port)
{
    const json_t *item;
    gsize i;

    if (json_is_integer(port))
        return json_integer_value(port);
    json_array_foreach(json_object_get(container, "ports"), i,
                       item) if (!g_strcmp0(json_string_at(item, "name", NULL),
                                            json_string_value(port))) return json_int_at(item,
                                                                                         "containerPort", 0);
    return json_is_string(port) ? (guint)g_ascii_strtoull(json_string_value(port), NULL, 10) : 0;
}

static gboolean ask_http(const json_t *container, const json_t *get, const char *ip, guint timeout_s)
{
    const HttpTrust unverified = {.insecure = TRUE};
    g_autofree char *scheme = g_ascii_strdown(json_string_at(get, "scheme", "HTTP"), -1);
    g_autoptr(HttpClient) client =
        http_client_new(strcmp(scheme, "https") ? NULL : &unverified, timeout_s, NULL);
    g_autofree char *url = g_strdup_printf("%s://%s:%u%s", scheme, json_string_at(get, "host", ip),
                                           container_port(container, json_object_get(get, "port")),
                                           json_string_at(get, "path", "/"));
    g_autoptr(HttpReply) reply =
        http_client_send(client, "GET", url, NULL, NULL, NULL, REPLY_LIMIT, NULL, NULL);

    return reply && reply->status >= 200 && reply->status < 400;
}

static gboolean ask_tcp(const json_t *container, const json_t *tcp, const char *ip, guint timeout_s)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    guint port = container_port(container, json_object_get(tcp, "port"));

    g_socket_client_set_timeout(client, timeout_s);
    g_autoptr(GSocketConnection) connection =
        port ? g_socket_client_connect_to_host(client, json_string_at(tcp, "host", ip), port, NULL, NULL)
             : NULL;
    return connection != NULL;
}

static gboolean give_up(gpointer process)
{
    g_subprocess_force_exit(process);
    return G_SOURCE_REMOVE;
}

static void ended(GObject *process, GAsyncResult *result, gpointer loop)
{
    g_main_loop_quit(loop);
}

static gboolean ask_exec(const json_t *exec, const Sandbox *sandbox, guint timeout_s)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    const json_t *command = json_object_get(exec, "command"), *word;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_auto(GStrv) environment = NULL;
    gsize i;

    json_array_foreach(command, i, word) g_ptr_array_add(words, (char *)json_string_value(word));
    g_ptr_array_add(words, NULL);
    g_auto(GStrv) argv = enter_argv(sandbox, (const char *const *)words->pdata, &environment, NULL);
    if (!argv)
        return FALSE;
    g_subprocess_launcher_set_environ(launcher, environment);
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, NULL);
    if (!process)
        return FALSE;

    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GMainLoop) loop = g_main_loop_new(context, FALSE);
    g_autoptr(GSource) timer = g_timeout_source_new_seconds(timeout_s);
    g_main_context_push_thread_default(context);
    g_source_set_callback(timer, give_up, process, NULL);
    g_source_attach(timer, context);
    g_subprocess_wait_async(process, NULL, ended, loop);
    g_main_loop_run(loop);
    g_source_destroy(timer);
    g_main_context_pop_thread_default(context);
    return g_subprocess_get_successful(process);
}

gboolean probe_ask(const json_t *pod, const json_t *container, const json_t *probe, const char *ip,
                   const Sandbox *sandbox)
{
    guint timeout_s = CLAMP(json_int_at(probe, "timeoutSeconds", 1), 1, 30);
    const json_t *how;

    if ((how = json_object_get(probe, "httpGet")))
        return ask_http(container, how, ip, timeout_s);
    if ((how = json_object_get(probe, "tcpSocket")))
        return ask_tcp(container, how, ip, timeout_s);
    if ((how = json_object_get(probe, "exec")))
        return ask_exec(how, sandbox, timeout_s);
    return TRUE;
}
