/* proxy: listeners per Service and Route, and the bytes between two sockets. */
#include "local/kubelet/proxy.h"
#include "base/log.h"
#include "kube/work_queue.h"
#include "local/kubelet/probe.h"
#include <string.h>

/* One address that is listened on. */
typedef struct {
    Proxy *proxy;       /* not owned */
    char *ns, *service; /* whose Pods get the connections */
    json_t *port;       /* of the Service: {port, targetPort …}, or NULL */
    char *address;
    GSocketService *listener;
} Door;

struct Proxy {
    LocalView *view;
    Network *network;
    char *host; /* NULL: the cluster gives Services their addresses, and there are no Routes */
    guint port;
    GMutex lock;
    GHashTable
        *doors; /* under lock: "namespace/name" of a Service or "route:namespace/name" → GPtrArray of Door */
    guint turn; /* of the loop's thread */
    GCancellable *cancel;
    WorkQueue *queue;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
};

/* --- one connection --- */

/* Two directions; each lasts until its reader sees the end. */
typedef struct {
    GSocketConnection *client, *server;
    gint refs;
} Pipe;

typedef struct {
    Pipe *pipe;
    GSocketConnection *to;
} Direction;

static void pipe_unref(Pipe *pipe)
{
    if (--pipe->refs)
        return;
    g_object_unref(pipe->client);
    g_object_unref(pipe->server);
    g_free(pipe);
}

static void copied(GObject *stream, GAsyncResult *result, gpointer user_data)
{
    Direction *direction = user_data;
    gssize n = g_output_stream_splice_finish(G_OUTPUT_STREAM(stream), result, NULL);

    if (n < 0) { /* one side is broken: so is the other */
        g_socket_shutdown(g_socket_connection_get_socket(direction->pipe->client), TRUE, TRUE, NULL);
        g_socket_shutdown(g_socket_connection_get_socket(direction->pipe->server), TRUE, TRUE, NULL);
    } else {
        g_socket_shutdown(g_socket_connection_get_socket(direction->to), FALSE, TRUE, NULL);
    }
    pipe_unref(direction->pipe);
    g_free(direction);
}

static void copy(Proxy *proxy, Pipe *pipe, GSocketConnection *from, GSocketConnection *to)
{
    Direction *direction = g_new0(Direction, 1);

    *direction = (Direction){pipe, to};
    pipe->refs++;
    g_output_stream_splice_async(g_io_stream_get_output_stream(G_IO_STREAM(to)),
                                 g_io_stream_get_input_stream(G_IO_STREAM(from)), G_OUTPUT_STREAM_SPLICE_NONE,
                                 G_PRIORITY_DEFAULT, proxy->cancel, copied, direction);
}

typedef struct {
    Proxy *proxy;
    GSocketConnection *client;
} Waiting;

static void connected(GObject *connector, GAsyncResult *result, gpointer user_data)
{
    Waiting *waiting = user_data;
    GSocketConnection *server =
        g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(connector), result, NULL);

    if (server) {
        Pipe *pipe = g_new0(Pipe, 1);
        *pipe = (Pipe){g_object_ref(waiting->client), server, 1};
        copy(waiting->proxy, pipe, waiting->client, server);
        copy(waiting->proxy, pipe, server, waiting->client);
        pipe_unref(pipe);
    }
    g_object_unref(waiting->client); /* without a server that closes it */
    g_free(waiting);
}

/* --- whom to connect to --- */

static gboolean is_ready(const Object *pod)
{
    return !object_deleting(pod) && object_condition(pod, "Ready");
}

/* The ready Pods of a Service. */
static GPtrArray *endpoints(Proxy *proxy, const Object *service)
{
    const json_t *selector = json_at(object_json(service), "spec.selector"), *value;
    g_autoptr(GString) text = g_string_new(NULL);
    const char *key;

    json_object_foreach ((json_t *)selector, key, value)
        g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", key, json_string_value(value));
    if (!text->len)
        return g_ptr_array_new();
    GPtrArray *pods = local_view_list(proxy->view, &KUBE_POD, object_namespace(service), text->str);
    for (guint i = pods->len; i > 0; i--)
        if (!is_ready(pods->pdata[i - 1]))
            g_ptr_array_remove_index(pods, i - 1);
    return pods;
}

/* A port of the Pod by number, or by name in any of its containers. */
static guint target_port(const Object *pod, const json_t *service_port)
{
    const json_t *target = json_object_get(service_port, "targetPort"), *container;
    gsize i;

    if (!target || json_is_integer(target))
        return target ? json_integer_value(target) : json_int_at(service_port, "port", 0);
    json_array_foreach (json_at(object_json(pod), "spec.containers"), i, container) {
        guint port = container_port(container, target);
        if (port)
            return port;
    }
    return 0;
}

static gboolean incoming(GSocketService *listener, GSocketConnection *client, GObject *source,
                         gpointer user_data)
{
    Door *door = user_data;
    Proxy *proxy = door->proxy;
    g_autoptr(Object) service = local_view_get(proxy->view, &KUBE_SERVICE, door->ns, door->service);
    g_autoptr(GPtrArray) pods = service ? endpoints(proxy, service) : NULL;

    if (!pods || !pods->len)
        return TRUE; /* nobody is ready: it is closed */
    Object *pod = pods->pdata[proxy->turn++ % pods->len];
    guint port = target_port(pod, door->port);
    const char *ip = json_string_at(object_json(pod), "status.podIP", NULL);
    if (!ip || !port)
        return TRUE;
    g_autoptr(GSocketClient) connector = g_socket_client_new();
    Waiting *waiting = g_new0(Waiting, 1);
    *waiting = (Waiting){proxy, g_object_ref(client)};
    g_socket_client_connect_to_host_async(connector, ip, port, proxy->cancel, connected, waiting);
    return TRUE;
}

/* --- doors --- */

static void door_free(gpointer data)
{
    Door *door = data;
    if (door->listener) {
        g_signal_handlers_disconnect_by_data(door->listener, door);
        g_socket_service_stop(door->listener);
        g_socket_listener_close(G_SOCKET_LISTENER(door->listener));
        g_object_unref(door->listener);
    }
    g_free(door->ns);
    g_free(door->service);
    g_free(door->address);
    json_decref(door->port);
    g_free(door);
}

/* Listeners are made and freed on the loop's thread, where their signals run. */
typedef struct {
    Proxy *proxy;
    char *key;
    GPtrArray *doors; /* of Door, not yet listening; NULL: close */
    GError *error;
    gboolean done;
    GMutex lock;
    GCond cond;
} Change;

static gboolean open_door(Door *door, GError **error)
{
    g_autoptr(GSocketAddress) address = NULL;
    g_auto(GStrv) parts = g_strsplit(door->address, ":", 2);

    address = g_inet_socket_address_new_from_string(parts[0], g_ascii_strtoull(parts[1], NULL, 10));
    door->listener = g_socket_service_new();
    if (!address ||
        !g_socket_listener_add_address(G_SOCKET_LISTENER(door->listener), address, G_SOCKET_TYPE_STREAM,
                                       G_SOCKET_PROTOCOL_TCP, NULL, NULL, error)) {
        g_prefix_error(error, "listening on %s for service '%s': ", door->address, door->service);
        return FALSE;
    }
    g_signal_connect(door->listener, "incoming", G_CALLBACK(incoming), door);
    return TRUE;
}

static gboolean apply(gpointer data)
{
    Change *change = data;
    Proxy *proxy = change->proxy;

    g_mutex_lock(&proxy->lock);
    g_hash_table_remove(proxy->doors,
                        change->key); /* the old ones, before the same address is opened again */
    g_mutex_unlock(&proxy->lock);
    for (guint i = 0; change->doors && !change->error && i < change->doors->len; i++)
        open_door(change->doors->pdata[i], &change->error);
    g_mutex_lock(&proxy->lock);
    if (change->doors && !change->error)
        g_hash_table_insert(proxy->doors, g_strdup(change->key), g_ptr_array_ref(change->doors));
    g_mutex_unlock(&proxy->lock);
    g_clear_pointer(&change->doors, g_ptr_array_unref);

    g_mutex_lock(&change->lock);
    change->done = TRUE;
    g_cond_signal(&change->cond);
    g_mutex_unlock(&change->lock);
    return G_SOURCE_REMOVE;
}

/* On the loop's own thread, also when that has only just begun. */
static void on_loop(Proxy *proxy, GSourceFunc function, gpointer data)
{
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, function, data, NULL);
    g_source_attach(source, proxy->context);
}

static gboolean set_doors(Proxy *proxy, const char *key, GPtrArray *doors, GError **error)
{
    Change change = {.proxy = proxy, .key = (char *)key, .doors = doors ? g_ptr_array_ref(doors) : NULL};

    g_mutex_init(&change.lock);
    g_cond_init(&change.cond);
    on_loop(proxy, apply, &change);
    g_mutex_lock(&change.lock);
    while (!change.done)
        g_cond_wait(&change.cond, &change.lock);
    g_mutex_unlock(&change.lock);
    g_cond_clear(&change.cond);
    g_mutex_clear(&change.lock);
    if (change.error)
        g_propagate_error(error, change.error);
    return !change.error;
}

static void add_door(GPtrArray *doors, Proxy *proxy, const char *ns, const char *service, const json_t *port,
                     const char *host, guint listen)
{
    Door *door = g_new0(Door, 1);
    door->proxy = proxy;
    door->ns = g_strdup(ns);
    door->service = g_strdup(service);
    door->port = json_deep_copy(port);
    door->address = g_strdup_printf("%s:%u", host, listen);
    g_ptr_array_add(doors, door);
}

static gboolean same_doors(Proxy *proxy, const char *key, GPtrArray *doors)
{
    g_mutex_lock(&proxy->lock);
    GPtrArray *old = g_hash_table_lookup(proxy->doors, key);
    gboolean same = old && old->len == doors->len;
    for (guint i = 0; same && i < doors->len; i++) {
        Door *a = old->pdata[i], *b = doors->pdata[i];
        same = !strcmp(a->address, b->address) && !strcmp(a->service, b->service) &&
               json_equal(a->port, b->port);
    }
    g_mutex_unlock(&proxy->lock);
    return same;
}

/* --- Services and Routes --- */

static char *hosts_path(Proxy *proxy)
{
    return g_build_filename(network_directory(proxy->network), "hosts", NULL);
}

static void write_hosts(Proxy *proxy, const char *services)
{
    g_autofree char *path = hosts_path(proxy);
    g_autofree char *text = g_strconcat("127.0.0.1 localhost\n", services, NULL);
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
        log_warn("the Pods' hosts file cannot be written", "error", error->message, NULL);
}

/* Until the Services are known. Pods of an earlier run keep the names that they have. */
static void begin_hosts(Proxy *proxy)
{
    g_autofree char *path = hosts_path(proxy);

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        write_hosts(proxy, "");
}

static void name_services(Proxy *proxy)
{
    g_autoptr(GPtrArray) services = local_view_list(proxy->view, &KUBE_SERVICE, NULL, NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < services->len; i++) {
        const Object *service = services->pdata[i];
        const char *ip = json_string_at(object_json(service), "spec.clusterIP", NULL);
        const char *name = object_name(service), *ns = object_namespace(service);
        if (ip && g_hostname_is_ip_address(ip))
            g_string_append_printf(text, "%s %s.%s.svc %s.%s.svc.cluster.local %s.%s %s\n", ip, name, ns,
                                   name, ns, name, ns, name);
    }
    write_hosts(proxy, text->str);
}

/* The Service's own address; on one machine given to it when it has none of this block. The view may not show
 * yet that it was given one a moment ago, which is kept: clients know it by now. */
static char *cluster_ip(Proxy *proxy, Object *service, GCancellable *cancel, GError **error)
{
    const char *ip = json_string_at(object_json(service), "spec.clusterIP", "");

    if (!strcmp(ip, "None"))
        return g_strdup("");
    if (!proxy->host || network_keep(proxy->network, ip))
        return g_strdup(ip);
    g_autofree char *fresh = network_take_service(proxy->network);
    g_autoptr(json_t) patch =
        json_pack("{s:{s:s},s:{s:s,s:[s]}}", "metadata", "resourceVersion", object_resource_version(service),
                  "spec", "clusterIP", fresh, "clusterIPs", fresh);
    g_autoptr(Object) patched =
        kube_patch(local_view_client(proxy->view), &KUBE_SERVICE, object_namespace(service),
                   object_name(service), KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    if (!patched) {
        network_release(proxy->network, fresh);
        return NULL;
    }
    return g_steal_pointer(&fresh);
}

static gboolean sync_service(Proxy *proxy, const char *key, const char *ns, const char *name,
                             GCancellable *cancel, GError **error)
{
    g_autoptr(Object) service = local_view_get(proxy->view, &KUBE_SERVICE, ns, name);
    g_autoptr(GPtrArray) doors = g_ptr_array_new_with_free_func(door_free);
    const json_t *port;
    gsize i;

    name_services(proxy);
    if (!service)
        return set_doors(proxy, key, NULL, error);
    g_autofree char *ip = cluster_ip(proxy, service, cancel, error);
    if (!ip)
        return FALSE;
    json_array_foreach (json_at(object_json(service), "spec.ports"), i, port)
        if (*ip && !strcmp(json_string_at(port, "protocol", "TCP"), "TCP"))
            add_door(doors, proxy, ns, name, port, ip, json_int_at(port, "port", 0));
    return same_doors(proxy, key, doors) || set_doors(proxy, key, doors, error);
}

/* The Service port that a Route names by port or targetPort, else the first. */
static const json_t *route_port(const Object *route, const Object *service)
{
    const json_t *wanted = json_at(object_json(route), "spec.port.targetPort"), *port;
    const json_t *ports = json_at(object_json(service), "spec.ports");
    gsize i;

    json_array_foreach (ports, i, port) {
        const json_t *name = json_object_get(port, "name"), *target = json_object_get(port, "targetPort");
        if ((name && json_equal(wanted, name)) || (target && json_equal(wanted, target)))
            return port;
    }
    return json_array_get(ports, 0);
}

/* Shows under which address it is reached, as `oc get route` prints it. */
static gboolean show_host(Proxy *proxy, Object *route, const char *host, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:s}}", "spec", "host", host);

    if (!strcmp(json_string_at(object_json(route), "spec.host", ""), host))
        return TRUE;
    g_autoptr(Object) patched =
        kube_patch(local_view_client(proxy->view), &KUBE_ROUTE, object_namespace(route), object_name(route),
                   KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return patched != NULL;
}

static gboolean sync_route(Proxy *proxy, const char *key, const char *ns, const char *name,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(Object) route = local_view_get(proxy->view, &KUBE_ROUTE, ns, name);
    const char *offset = route ? object_annotation(route, ROUTE_PORT_OFFSET, NULL) : NULL;
    const char *to = route ? json_string_at(object_json(route), "spec.to.name", "") : "";
    g_autoptr(Object) service = local_view_get(proxy->view, &KUBE_SERVICE, ns, to);
    g_autoptr(GPtrArray) doors = g_ptr_array_new_with_free_func(door_free);
    guint64 number;

    if (!route || !offset || !service || !g_ascii_string_to_unsigned(offset, 10, 1, 99, &number, NULL))
        return set_doors(proxy, key, NULL, error);
    add_door(doors, proxy, ns, to, route_port(route, service), proxy->host, proxy->port + number);
    if (!same_doors(proxy, key, doors) && !set_doors(proxy, key, doors, error))
        return FALSE;
    return show_host(proxy, route, ((Door *)doors->pdata[0])->address, cancel, error);
}

static guint sync_key(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    Proxy *proxy = user_data;
    gboolean is_route = g_str_has_prefix(key, "route:");
    const char *object = is_route ? key + strlen("route:") : key;
    g_autofree char *ns = NULL, *name = NULL;

    local_key_split(object, &ns, &name);
    if (is_route)
        sync_route(proxy, key, ns, name, cancel, error);
    else
        sync_service(proxy, key, ns, name, cancel, error);
    return local_end_of_work(proxy->view, object, 0, error);
}

static void on_service(Object *before, Object *after, gpointer user_data)
{
    Proxy *proxy = user_data;
    g_autofree char *key = local_key(after ? after : before);
    g_autoptr(GPtrArray) routes = NULL;

    work_queue_add(proxy->queue, key);
    if ((before && after) || !proxy->host)
        return;
    routes = local_view_list(proxy->view, &KUBE_ROUTE, object_namespace(after ? after : before), NULL);
    for (guint i = 0; i < routes->len; i++) {
        g_autofree char *own = local_key(routes->pdata[i]), *route = g_strconcat("route:", own, NULL);
        work_queue_add(proxy->queue, route);
    }
}

static void on_route(Object *before, Object *after, gpointer user_data)
{
    Proxy *proxy = user_data;
    g_autofree char *own = local_key(after ? after : before), *key = g_strconcat("route:", own, NULL);
    work_queue_add(proxy->queue, key);
}

static gpointer run_loop(gpointer user_data)
{
    Proxy *proxy = user_data;
    g_main_context_push_thread_default(proxy->context);
    g_main_loop_run(proxy->loop);
    g_main_context_pop_thread_default(proxy->context);
    return NULL;
}

Proxy *proxy_new(LocalView *view, Network *network, const char *host, guint port)
{
    Proxy *proxy = g_new0(Proxy, 1);

    proxy->view = view;
    proxy->network = network;
    proxy->host = g_strdup(host);
    proxy->port = port;
    g_mutex_init(&proxy->lock);
    proxy->doors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    proxy->cancel = g_cancellable_new();
    proxy->context = g_main_context_new();
    proxy->loop = g_main_loop_new(proxy->context, FALSE);
    begin_hosts(proxy);
    proxy->thread = g_thread_new("proxy", run_loop, proxy);
    proxy->queue = work_queue_new("proxy", 1, sync_key, proxy);
    local_view_subscribe(view, &KUBE_SERVICE, on_service, proxy);
    if (host)
        local_view_subscribe(view, &KUBE_ROUTE, on_route, proxy);
    local_view_subscribe(view, &KUBE_POD, NULL, NULL);
    return proxy;
}

static gboolean close_everything(gpointer user_data)
{
    Proxy *proxy = user_data;
    g_hash_table_remove_all(proxy->doors);
    g_cancellable_cancel(proxy->cancel);
    g_main_loop_quit(proxy->loop);
    return G_SOURCE_REMOVE;
}

void proxy_free(Proxy *proxy)
{
    work_queue_free(proxy->queue);
    on_loop(proxy, close_everything, proxy);
    g_thread_join(proxy->thread);
    while (g_main_context_iteration(proxy->context, FALSE)) /* the cancelled copies end */
        ;
    g_main_loop_unref(proxy->loop);
    g_main_context_unref(proxy->context);
    g_object_unref(proxy->cancel);
    g_hash_table_unref(proxy->doors);
    g_mutex_clear(&proxy->lock);
    g_free(proxy->host);
    g_free(proxy);
}
