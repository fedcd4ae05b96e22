/* kubelet: the Pods of this machine, their Node, and what the API server asks about them. */
#include "local/kubelet/kubelet.h"
#include "base/clock.h"
#include "base/log.h"
#include "kube/events.h"
#include "kube/work_queue.h"
#include "local/kubelet/exec.h"
#include "local/kubelet/logs.h"
#include "local/kubelet/pod.h"
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define NODE "localhost"

enum {
    WORKERS = 4,
    NOT_LISTED_MS = 100,
    LOOK_AGAIN_MS = 1000,
    LOG_CEILING = 32 << 20,
    TRIM_S = 15,
    TOKEN_S = 10 * 365 * 86400
};

struct Kubelet {
    char *data, *binary, *ca_pem, *api_host;
    LocalView *view;
    Network *network;
    PodHost host;
    GMutex lock;
    GHashTable *pods;    /* under lock: uid → PodRun */
    GHashTable *watched; /* under lock: GINT outer pid → nothing; those with a source on the loop */
    gint started;        /* atomic */
    WorkQueue *queue;
    GMainContext *context; /* process ends and trimming */
    GMainLoop *loop;
    GThread *thread;
};

/* --- what Pods are given --- */

static const KubeResource *source_resource(const char *kind)
{
    return !strcmp(kind, "Secret") ? &KUBE_SECRET : &KUBE_CONFIG_MAP;
}

static Object *find_source(const char *kind, const char *name, gpointer user_data, GError **error)
{
    PodRun *run = user_data;
    Kubelet *kubelet = run->host->user_data;
    return kube_get(local_view_client(kubelet->view), source_resource(kind), run->ns, name, NULL, error);
}

static char *find_claim(const char *name, gpointer user_data, GError **error)
{
    PodRun *run = user_data;
    Kubelet *kubelet = run->host->user_data;
    g_autoptr(Object) claim = local_view_get(kubelet->view, &KUBE_PERSISTENT_VOLUME_CLAIM, run->ns, name);
    const char *volume_name = claim ? json_string_at(object_json(claim), "spec.volumeName", NULL) : NULL;
    g_autoptr(Object) volume =
        volume_name ? local_view_get(kubelet->view, &KUBE_PERSISTENT_VOLUME, "", volume_name) : NULL;
    const char *path = volume ? json_string_at(object_json(volume), "spec.hostPath.path", NULL) : NULL;

    if (!claim)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "persistentvolumeclaim \"%s\" not found",
                    name);
    else if (!path || strcmp(json_string_at(object_json(claim), "status.phase", ""), "Bound"))
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE,
                    "persistentvolumeclaim \"%s\" is not bound yet", name);
    else
        return g_strdup(path);
    return NULL;
}

static char *account_token(const char *ns, const char *account, gpointer user_data, GError **error)
{
    Kubelet *kubelet = user_data;
    g_autofree char *path = g_strdup_printf("/api/v1/namespaces/%s/serviceaccounts/%s/token", ns, account);
    g_autoptr(json_t) request = json_pack("{s:s,s:s,s:{s:i}}", "apiVersion", "authentication.k8s.io/v1",
                                          "kind", "TokenRequest", "spec", "expirationSeconds", TOKEN_S);
    g_autoptr(json_t) reply = kube_post_path(local_view_client(kubelet->view), path, request, NULL, error);
    const char *token = json_string_at(reply, "status.token", NULL);

    if (reply && !token)
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "the API gave no token for the service account '%s'",
                    account);
    if (!token)
        g_prefix_error(error, "service account '%s': ", account);
    return g_strdup(token);
}

static void record_event(const json_t *pod, gboolean warning, const char *reason, const char *message,
                         gpointer user_data)
{
    Kubelet *kubelet = user_data;
    g_autoptr(Object) about = object_new_take(json_deep_copy(pod));
    event_record(local_view_client(kubelet->view), about, warning, reason, message, "kubelet");
}

/* --- following process ends --- */

typedef struct {
    Kubelet *kubelet;
    char *key;
    pid_t pid;
    int fd;
} EndWatch;

static void end_watch_free(gpointer data)
{
    EndWatch *watch = data;
    close(watch->fd);
    g_free(watch->key);
    g_free(watch);
}

static gboolean on_end(gint fd, GIOCondition condition, gpointer data)
{
    EndWatch *watch = data;

    g_mutex_lock(&watch->kubelet->lock);
    g_hash_table_remove(watch->kubelet->watched, GINT_TO_POINTER(watch->pid));
    g_mutex_unlock(&watch->kubelet->lock);
    work_queue_add(watch->kubelet->queue, watch->key);
    return G_SOURCE_REMOVE;
}

/* Has the key looked at when the process ends; a process that is gone already counts as ended. */
static void watch_end(Kubelet *kubelet, const char *key, pid_t pid)
{
    g_mutex_lock(&kubelet->lock);
    gboolean fresh = pid > 0 && g_hash_table_add(kubelet->watched, GINT_TO_POINTER(pid));
    g_mutex_unlock(&kubelet->lock);
    if (!fresh)
        return;
    int fd = syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        g_mutex_lock(&kubelet->lock);
        g_hash_table_remove(kubelet->watched, GINT_TO_POINTER(pid));
        g_mutex_unlock(&kubelet->lock);
        work_queue_add_after(kubelet->queue, key, 20);
        return;
    }
    EndWatch *watch = g_new0(EndWatch, 1);
    *watch = (EndWatch){kubelet, g_strdup(key), pid, fd};
    GSource *source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))on_end, watch, end_watch_free);
    g_source_attach(source, kubelet->context);
    g_source_unref(source);
}

static void watch_containers(Kubelet *kubelet, const char *key, const PodRun *run)
{
    for (guint i = 0; i < run->containers->len; i++) {
        const Container *container = run->containers->pdata[i];
        if (container->phase != CONTAINER_RUNNING)
            continue;
        const Sandbox *sandbox = &container->sandbox;
        gboolean outer = process_start_time(sandbox->outer) == sandbox->outer_start && sandbox->outer_start;
        watch_end(kubelet, key, outer ? sandbox->outer : sandbox->inner);
    }
}

static gboolean trim_logs(gpointer user_data)
{
    Kubelet *kubelet = user_data;
    g_autofree char *pods = g_build_filename(kubelet->data, "pods", NULL);
    g_autoptr(GDir) dir = g_dir_open(pods, 0, NULL);
    const char *uid, *container, *file;

    while (dir && (uid = g_dir_read_name(dir))) {
        g_autofree char *pod = g_build_filename(pods, uid, NULL);
        g_autoptr(GDir) containers = g_dir_open(pod, 0, NULL);
        while (containers && (container = g_dir_read_name(containers))) {
            g_autofree char *runs = g_build_filename(pod, container, NULL);
            g_autoptr(GDir) files = g_dir_open(runs, 0, NULL);
            while (strcmp(container, "volumes") && files && (file = g_dir_read_name(files))) {
                g_autofree char *path = g_build_filename(runs, file, NULL);
                if (g_str_has_suffix(file, ".log"))
                    log_trim(path, LOG_CEILING);
            }
        }
    }
    return G_SOURCE_CONTINUE;
}

static gpointer run_loop(gpointer user_data)
{
    Kubelet *kubelet = user_data;
    g_main_context_push_thread_default(kubelet->context);
    g_main_loop_run(kubelet->loop);
    g_main_context_pop_thread_default(kubelet->context);
    return NULL;
}

/* --- one Pod --- */

static PodRun *find_run(Kubelet *kubelet, const char *uid)
{
    g_mutex_lock(&kubelet->lock);
    PodRun *run = g_hash_table_lookup(kubelet->pods, uid);
    g_mutex_unlock(&kubelet->lock);
    return run;
}

/* The run whose Pod has this name but is not (any more) the Pod in the API. */
static PodRun *find_leftover(Kubelet *kubelet, const char *ns, const char *name, const char *uid)
{
    GHashTableIter iter;
    PodRun *run, *found = NULL;

    g_mutex_lock(&kubelet->lock);
    g_hash_table_iter_init(&iter, kubelet->pods);
    while (!found && g_hash_table_iter_next(&iter, NULL, (gpointer *)&run))
        if (!strcmp(run->name, name) && !strcmp(run->ns, ns) && g_strcmp0(run->uid, uid))
            found = run;
    g_mutex_unlock(&kubelet->lock);
    return found;
}

static void forget(Kubelet *kubelet, PodRun *run)
{
    pod_run_remove(run);
    g_mutex_lock(&kubelet->lock);
    g_hash_table_remove(kubelet->pods, run->uid); /* frees it */
    g_mutex_unlock(&kubelet->lock);
}

static gboolean show_status(Kubelet *kubelet, PodRun *run, Object *pod, GError **error)
{
    g_autoptr(json_t) status = pod_run_status(run, object_json(pod));
    g_autoptr(json_t) patch = json_pack("{s:{s:s},s:O}", "metadata", "uid", run->uid, "status", status);
    g_autofree char *text = json_text(status);
    g_autoptr(GError) local = NULL;

    if (!g_strcmp0(text, run->shown))
        return TRUE;
    g_autoptr(Object) written = kube_patch(local_view_client(kubelet->view), &KUBE_POD, run->ns, run->name,
                                           KUBE_PATCH_MERGE, patch, "status", NULL, &local);
    if (!written && !g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_free(run->shown);
    run->shown = g_steal_pointer(&text);
    return TRUE;
}

/* Names the node, as a scheduler does. */
static gboolean bind_to_node(Kubelet *kubelet, Object *pod, GError **error)
{
    g_autofree char *path = kube_path(&KUBE_POD, object_namespace(pod), object_name(pod), "binding");
    g_autoptr(json_t) binding = json_pack(
        "{s:s,s:s,s:{s:s,s:s},s:{s:s,s:s,s:s}}", "apiVersion", "v1", "kind", "Binding", "metadata", "name",
        object_name(pod), "uid", object_uid(pod), "target", "apiVersion", "v1", "kind", "Node", "name", NODE);

    if (json_string_at(object_json(pod), "spec.nodeName", NULL))
        return TRUE;
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) bound = kube_post_path(local_view_client(kubelet->view), path, binding, NULL, &problem);
    if (!bound && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_CONFLICT) &&
        !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return bound !=
           NULL; /* in a conflict the Pod is bound already or another one: the watch is about to say so */
}

static gboolean is_elsewhere(const Object *pod)
{
    const char *node = json_string_at(object_json(pod), "spec.nodeName", NODE);
    return object_annotation(pod, POD_RUN_ELSEWHERE, NULL) || strcmp(node, NODE);
}

/* The Pod is to go: its processes end, then the object. It is looked at until the view is rid of it, whatever
 * the API says to its deletion. */
static guint delete_pod(Kubelet *kubelet, PodRun *run, Object *pod, GError **error)
{
    guint grace = json_int_at(object_json(pod), "metadata.deletionGracePeriodSeconds", 30);

    if (run && !pod_run_end(run, grace)) {
        g_autofree char *key = local_key(pod);
        watch_containers(kubelet, key, run);
        return show_status(kubelet, run, pod, error) ? 100 : 0;
    }
    if (run && !show_status(kubelet, run, pod, error)) /* its last state, for whoever waits for it */
        return 0;
    if (!kube_delete_now(local_view_client(kubelet->view), &KUBE_POD, object_namespace(pod), object_name(pod),
                         object_uid(pod), NULL, error)) {
        if (!g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND) &&
            !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT))
            return 0;
        g_clear_error(error);
    }
    return LOOK_AGAIN_MS;
}

static PodRun *make_run(Kubelet *kubelet, Object *pod, GError **error)
{
    PodRun *run = pod_run_new(&kubelet->host, object_json(pod), error);

    if (!run)
        return NULL;
    g_mutex_lock(&kubelet->lock);
    g_hash_table_insert(kubelet->pods, run->uid, run);
    g_mutex_unlock(&kubelet->lock);
    return run;
}

static guint sync_pod(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    Kubelet *kubelet = user_data;
    g_autofree char *ns = NULL, *name = NULL;
    PodRun *run, *leftover;

    if (!local_view_has_listed(kubelet->view))
        return NOT_LISTED_MS;
    local_key_split(key, &ns, &name);
    g_autoptr(Object) pod = local_view_get(kubelet->view, &KUBE_POD, ns, name);
    if (pod && is_elsewhere(pod))
        return 0;
    leftover = find_leftover(kubelet, ns, name, pod ? object_uid(pod) : NULL);
    if (leftover) {
        if (!pod_run_end(leftover, 5))
            return 100;
        forget(kubelet, leftover);
    }
    if (!pod)
        return 0;
    run = find_run(kubelet, object_uid(pod));
    if (object_deleting(pod))
        return delete_pod(kubelet, run, pod, error);
    if (!run && (!bind_to_node(kubelet, pod, error) || !(run = make_run(kubelet, pod, error))))
        return LOOK_AGAIN_MS; /* longer after an error */
    guint next = pod_run_sync(run, object_json(pod), error);
    watch_containers(kubelet, key, run);
    return show_status(kubelet, run, pod, error) ? next : 0;
}

/* The logs of a Pod that others run go with it. */
static void forget_elsewhere(Kubelet *kubelet, const Object *pod)
{
    g_autofree char *directory = g_build_filename(kubelet->data, "pods", object_uid(pod), NULL);

    if (*object_uid(pod) && object_annotation(pod, POD_RUN_ELSEWHERE, NULL))
        pod_remove_directory(directory);
}

static void on_pod(Object *before, Object *after, gpointer user_data)
{
    Kubelet *kubelet = user_data;
    if (!after)
        forget_elsewhere(kubelet, before);
    g_autofree char *key = local_key(after ? after : before);
    work_queue_add(kubelet->queue, key);
}

/* --- start and stop --- */

Kubelet *kubelet_new(const char *data)
{
    Kubelet *kubelet = g_new0(Kubelet, 1);

    kubelet->data = g_canonicalize_filename(data, NULL);
    kubelet->pods = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)pod_run_free);
    kubelet->watched = g_hash_table_new(NULL, NULL);
    kubelet->context = g_main_context_new();
    kubelet->loop = g_main_loop_new(kubelet->context, FALSE);
    g_mutex_init(&kubelet->lock);
    return kubelet;
}

/* Nothing is acted on by itself any more: first the loop ends, which adds to the queue. */
static void stop_threads(Kubelet *kubelet)
{
    if (kubelet->thread) {
        g_main_loop_quit(kubelet->loop);
        g_thread_join(g_steal_pointer(&kubelet->thread));
    }
    g_clear_pointer(&kubelet->queue, work_queue_free);
}

void kubelet_free(Kubelet *kubelet)
{
    stop_threads(kubelet);
    g_main_loop_unref(kubelet->loop);
    g_main_context_unref(kubelet->context);
    g_hash_table_unref(kubelet->pods);
    g_hash_table_unref(kubelet->watched);
    g_mutex_clear(&kubelet->lock);
    g_free(kubelet->data);
    g_free(kubelet->binary);
    g_free(kubelet->ca_pem);
    g_free(kubelet->api_host);
    g_free(kubelet);
}

void kubelet_attach(Kubelet *kubelet, LocalView *view, Network *network)
{
    kubelet->view = view;
    kubelet->network = network;
    local_view_subscribe(view, &KUBE_POD, on_pod, kubelet);
    local_view_subscribe(view, &KUBE_PERSISTENT_VOLUME_CLAIM, NULL, NULL);
    local_view_subscribe(view, &KUBE_PERSISTENT_VOLUME, NULL, NULL);
}

static gboolean is_ours(const char *mark, gpointer user_data)
{
    Kubelet *kubelet = user_data;
    GHashTableIter iter;
    PodRun *run;

    g_hash_table_iter_init(&iter, kubelet->pods);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&run))
        if (pod_run_owns(run, mark))
            return TRUE;
    return FALSE;
}

/* Takes over what an earlier process left: its Pods with their sandboxes, and ends sandboxes that no state
 * file knows. What belongs to Pods that are gone is ended when the view has listed those that there are. */
static void adopt(Kubelet *kubelet)
{
    g_autofree char *pods = g_build_filename(kubelet->data, "pods", NULL);
    g_autofree char *prefix = g_strconcat(pods, "/", NULL);
    g_autoptr(GDir) dir = g_dir_open(pods, 0, NULL);
    const char *uid;

    while (dir && (uid = g_dir_read_name(dir))) {
        g_autofree char *directory = g_build_filename(pods, uid, NULL);
        g_autofree char *state = g_build_filename(directory, "state", NULL);
        g_autoptr(GError) error = NULL;
        if (!g_file_test(state, G_FILE_TEST_EXISTS))
            continue; /* a launcher Pod's */
        PodRun *run = pod_run_open(&kubelet->host, directory, &error);
        if (run)
            g_hash_table_insert(kubelet->pods, run->uid, run);
        else
            log_warn("a Pod's state cannot be read", "file", state, "error", error->message, NULL);
    }
    guint ended = sandbox_end_strangers(prefix, is_ours, kubelet);
    if (ended || g_hash_table_size(kubelet->pods)) {
        g_autofree char *adopted = g_strdup_printf("%u", g_hash_table_size(kubelet->pods));
        g_autofree char *gone = g_strdup_printf("%u", ended);
        log_info("Pods of an earlier run are taken over", "pods", adopted, "processesEnded", gone, NULL);
    }
}

/* Pods whose objects went while nobody was there. */
static void end_gone(Kubelet *kubelet)
{
    GHashTableIter iter;
    PodRun *run;

    g_mutex_lock(&kubelet->lock);
    g_hash_table_iter_init(&iter, kubelet->pods);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&run)) {
        g_autofree char *key = g_strconcat(run->ns, "/", run->name, NULL);
        work_queue_add(kubelet->queue, key);
    }
    g_mutex_unlock(&kubelet->lock);
}

static gboolean show_node(Kubelet *kubelet, GError **error)
{
    g_autofree char *now = clock_now();
    struct utsname system;
    g_autofree char *cpus = g_strdup_printf("%u", g_get_num_processors());
    g_autofree char *memory =
        g_strdup_printf("%ldKi", sysconf(_SC_PHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE));

    uname(&system);
    g_autoptr(json_t) node =
        json_pack("{s:{s:s,s:{s:s,s:s,s:s}}}", "metadata", "name", NODE, "labels", "kubernetes.io/hostname",
                  NODE, "kubernetes.io/os", "linux", "kubevirt.io/schedulable", "true");
    gboolean created;
    g_autoptr(Object) made =
        kube_create_or_get(local_view_client(kubelet->view), &KUBE_NODE, NULL, node, &created, NULL, error);
    g_autoptr(json_t) patch = json_pack(
        "{s:{s:[{s:s,s:s,s:s,s:s,s:s,s:s}],s:[{s:s,s:s},{s:s,s:s}],s:{s:s,s:s,s:s},s:{s:s,s:s,s:s},s:{s:s,s:"
        "s,s:s,s:s,s:s,s:s}}}",
        "status", "conditions", "type", "Ready", "status", "True", "reason", "KubeletReady", "message",
        "Pods run as processes", "lastTransitionTime", now, "lastHeartbeatTime", now, "addresses", "type",
        "InternalIP", "address", "127.0.0.1", "type", "Hostname", "address", NODE, "capacity", "cpu", cpus,
        "memory", memory, "pods", "500", "allocatable", "cpu", cpus, "memory", memory, "pods", "500",
        "nodeInfo", "kubeletVersion", "gantry-" GANTRY_VERSION, "operatingSystem", "linux", "architecture",
        "amd64", "kernelVersion", system.release, "containerRuntimeVersion", "bubblewrap://0", "osImage",
        system.version);
    g_autoptr(Object) shown = made ? kube_patch(local_view_client(kubelet->view), &KUBE_NODE, NULL, NODE,
                                                KUBE_PATCH_MERGE, patch, "status", NULL, error)
                                   : NULL;
    return shown != NULL;
}

gboolean kubelet_start(Kubelet *kubelet, const KubeletOptions *options, GError **error)
{
    kubelet->binary = g_file_read_link("/proc/self/exe", error);
    if (!kubelet->binary || !show_node(kubelet, error))
        return FALSE;
    kubelet->api_host = g_strdup(options->api_host);
    kubelet->ca_pem = g_strdup(options->ca_pem);
    kubelet->host =
        (PodHost){kubelet->data,    kubelet->binary, kubelet->api_host, kubelet->ca_pem, options->api_port,
                  kubelet->network, find_source,     find_claim,        account_token,   record_event,
                  kubelet};
    adopt(kubelet);
    kubelet->queue = work_queue_new("kubelet", WORKERS, sync_pod, kubelet);
    kubelet->thread = g_thread_new("kubelet", run_loop, kubelet);
    g_autoptr(GSource) trim = g_timeout_source_new_seconds(TRIM_S);
    g_source_set_callback(trim, trim_logs, kubelet, NULL);
    g_source_attach(trim, kubelet->context);
    end_gone(kubelet);
    g_atomic_int_set(&kubelet->started, TRUE);
    return TRUE;
}

void kubelet_stop(Kubelet *kubelet, guint most_seconds)
{
    GHashTableIter iter;
    PodRun *run;
    gboolean all_ended = FALSE;

    g_atomic_int_set(&kubelet->started, FALSE);
    stop_threads(kubelet); /* from here on the runs are ours */
    while (!all_ended) {
        all_ended = TRUE;
        g_hash_table_iter_init(&iter, kubelet->pods);
        while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&run))
            all_ended &= pod_run_suspend(run, most_seconds);
        if (!all_ended)
            g_usleep(20000);
    }
}

/* --- the API server's questions --- */

char *kubelet_log_path(const char *data, const char *pod_uid, const char *container, guint run)
{
    g_autofree char *file = g_strdup_printf("%u.log", run);
    return g_build_filename(data, "pods", pod_uid, container, file, NULL);
}

static const json_t *status_of(const Object *pod, const char *container)
{
    static const char *const lists[] = {"status.containerStatuses", "status.initContainerStatuses"};

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        const json_t *item;
        gsize j;
        json_array_foreach (json_at(object_json(pod), lists[i]), j, item)
            if (!strcmp(json_string_at(item, "name", ""), container))
                return item;
    }
    return NULL;
}

typedef struct {
    Kubelet *kubelet;
    Object *pod;
    const char *container;
    gint64 run;
} LogReader;

static gboolean still_writes(gpointer user_data)
{
    LogReader *reader = user_data;
    g_autoptr(Object) pod = local_view_get(reader->kubelet->view, &KUBE_POD, object_namespace(reader->pod),
                                           object_name(reader->pod));
    const json_t *status =
        pod && !strcmp(object_uid(pod), object_uid(reader->pod)) ? status_of(pod, reader->container) : NULL;

    return status && json_int_at(status, "restartCount", 0) == reader->run &&
           json_at(status, "state.running");
}

static gboolean give_log(Object *pod, const char *container, const PodLogOptions *options, PodLogWrite write,
                         gpointer writer, GCancellable *cancel, gpointer user_data, GError **error)
{
    Kubelet *kubelet = user_data;
    const json_t *status = status_of(pod, container);
    LogReader reader = {kubelet, pod, container, json_int_at(status, "restartCount", 0)};

    if (!g_atomic_int_get(&kubelet->started)) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE, "the kubelet is not running");
        return FALSE;
    }
    if (options->previous && --reader.run < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "previous terminated container \"%s\" in pod \"%s\" not found", container,
                    object_name(pod));
        return FALSE;
    }
    g_autofree char *path = kubelet_log_path(kubelet->data, object_uid(pod), container, reader.run);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "container \"%s\" in pod \"%s\" is waiting to start: %s", container, object_name(pod),
                    json_string_at(status, "state.waiting.reason", "ContainerCreating"));
        return FALSE;
    }
    return log_write(path, options, write, writer, still_writes, &reader, cancel, error);
}

static gboolean give_exec(Object *pod, const char *container, const PodExecOptions *options, PodExec *exec,
                          gpointer user_data, GError **error)
{
    Kubelet *kubelet = user_data;
    g_autofree char *directory = g_build_filename(kubelet->data, "pods", object_uid(pod), NULL);
    g_autoptr(Container) found =
        pod_state_container(directory, container); /* the workers have the live one */

    if (!found || !found->sandbox.inner) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "container \"%s\" of pod \"%s\" has no process to enter; it must be Running", container,
                    object_name(pod));
        return FALSE;
    }
    return exec_start(&found->sandbox, options, exec, error);
}

static int wait_exec(PodExec *exec, GCancellable *cancel, gpointer user_data)
{
    return exec_wait(exec, cancel);
}

static void resize_exec(PodExec *exec, guint16 columns, guint16 rows, gpointer user_data)
{
    exec_resize(exec, columns, rows);
}

const PodsBackend kubelet_backend = {give_log, give_exec, wait_exec, resize_exec};
