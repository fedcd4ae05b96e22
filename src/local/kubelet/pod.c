/* pod: the life of one Pod. */
#include "local/kubelet/pod.h"
#include "base/clock.h"
#include "base/share.h"
#include "kube/client.h"
#include "local/kubelet/image.h"
#include "local/kubelet/probe.h"
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

enum { STATE_LIMIT = 1 << 20, LOOK_SOON_MS = 100, LOOK_CONFIG_MS = 1000, STEADY_S = 600, TAIL = 4096 };

/* A file of each directory that comes with the program, where it lies in a source tree and when installed
 * (base/share.h), and what the directory is called in a Pod. */
static const struct {
    const char *in_source, *installed, *name;
} shared[] = {{"deploy/crds", "deploy/crds", "deploy"},
              {"policies/io", "policies/io", "policies"},
              {"ui/dist/index.html", "ui/index.html", "ui"}};
static const char kept_variables[][20] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GANTRY_ACCEL"};

/* --- life --- */

static PodRun *pod_run_alloc(const PodHost *host)
{
    PodRun *run = g_new0(PodRun, 1);
    run->host = host;
    run->containers = g_ptr_array_new_with_free_func((GDestroyNotify)container_free);
    return run;
}

void pod_run_free(PodRun *run)
{
    g_ptr_array_unref(run->containers);
    g_free(run->uid);
    g_free(run->ns);
    g_free(run->name);
    g_free(run->ip);
    g_free(run->directory);
    g_free(run->phase);
    g_free(run->reason);
    g_free(run->message);
    g_free(run->shown);
    g_free(run);
}

static void set_phase(PodRun *run, const char *phase, const char *reason, const char *message)
{
    if (!g_strcmp0(run->phase, phase) && !g_strcmp0(run->reason, reason))
        return;
    g_free(run->phase);
    g_free(run->reason);
    g_free(run->message);
    run->phase = g_strdup(phase);
    run->reason = g_strdup(reason);
    run->message = g_strdup(message);
    run->dirty = TRUE;
}

static void add_containers(PodRun *run, const json_t *list, gboolean init)
{
    const json_t *item;
    gsize i;

    json_array_foreach (list, i, item)
        g_ptr_array_add(run->containers, container_new(json_string_at(item, "name", ""),
                                                       json_string_at(item, "image", ""), init));
}

PodRun *pod_run_new(const PodHost *host, const json_t *pod, GError **error)
{
    PodRun *run = pod_run_alloc(host);

    run->uid = g_strdup(json_string_at(pod, "metadata.uid", ""));
    run->ns = g_strdup(json_string_at(pod, "metadata.namespace", ""));
    run->name = g_strdup(json_string_at(pod, "metadata.name", ""));
    run->directory = g_build_filename(host->data, "pods", run->uid, NULL);
    run->ip = network_take_pod(host->network);
    run->started_at = g_get_real_time();
    set_phase(run, "Pending", NULL, NULL);
    add_containers(run, json_at(pod, "spec.initContainers"), TRUE);
    add_containers(run, json_at(pod, "spec.containers"), FALSE);
    if (!run->ip || g_mkdir_with_parents(run->directory, 0700) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", run->directory,
                    run->ip ? g_strerror(errno) : "no address is free");
        pod_run_free(run);
        return NULL;
    }
    pod_run_save(run);
    return run;
}

void pod_run_save(PodRun *run)
{
    g_autofree char *path = g_build_filename(run->directory, "state", NULL);
    g_autoptr(json_t) state =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s?,s:s?,s:[]}", "uid", run->uid, "namespace", run->ns, "name",
                  run->name, "ip", run->ip, "startedAt", (json_int_t)run->started_at, "phase", run->phase,
                  "reason", run->reason, "message", run->message, "containers");

    for (guint i = 0; i < run->containers->len; i++)
        json_array_append_new(json_object_get(state, "containers"),
                              container_state(run->containers->pdata[i]));
    g_autofree char *text = json_text(state);
    /* Not synced: after a power cut there is no process to find again. */
    run->dirty = !g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

PodRun *pod_run_open(const PodHost *host, const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "state", NULL);
    g_autoptr(json_t) state = json_parse_file(path, STATE_LIMIT, error);
    const json_t *item;
    gsize i;

    if (!state)
        return NULL;
    PodRun *run = pod_run_alloc(host);
    run->directory = g_strdup(directory);
    run->uid = g_strdup(json_string_at(state, "uid", ""));
    run->ns = g_strdup(json_string_at(state, "namespace", ""));
    run->name = g_strdup(json_string_at(state, "name", ""));
    run->ip = g_strdup(json_string_at(state, "ip", ""));
    run->started_at = json_int_at(state, "startedAt", 0);
    run->phase = g_strdup(json_string_at(state, "phase", "Pending"));
    run->reason = g_strdup(json_string_at(state, "reason", NULL));
    run->message = g_strdup(json_string_at(state, "message", NULL));
    json_array_foreach (json_object_get(state, "containers"), i, item) {
        Container *container = container_from_state(item);
        g_ptr_array_add(run->containers, container);
        if (container->ended_by_us && container->phase == CONTAINER_TERMINATED) {
            container_next_run(container);
            container_wait(container, "ContainerCreating", NULL);
        }
    }
    if (!network_keep(host->network, run->ip)) { /* the block is another one now */
        g_free(run->ip);
        run->ip = network_take_pod(host->network);
    }
    return run;
}

Container *pod_state_container(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, "state", NULL);
    g_autoptr(json_t) state = json_parse_file(path, STATE_LIMIT, NULL);
    const json_t *item;
    gsize i;

    json_array_foreach (json_object_get(state, "containers"), i, item)
        if (!strcmp(json_string_at(item, "name", ""), name))
            return container_from_state(item);
    return NULL;
}

char *pod_run_file(const PodRun *run, const Container *container, guint number, const char *suffix)
{
    g_autofree char *name = g_strdup_printf("%u.%s", number, suffix);
    return g_build_filename(run->directory, container->name, name, NULL);
}

static char *mark_of_run(const PodRun *run, const Container *container)
{
    return g_strdup_printf("%s/%s/%u", run->directory, container->name, container->run);
}

gboolean pod_run_owns(const PodRun *run, const char *mark)
{
    for (guint i = 0; i < run->containers->len; i++) {
        Container *container = run->containers->pdata[i];
        g_autofree char *own = mark_of_run(run, container);
        if (container->phase == CONTAINER_RUNNING && !strcmp(own, mark))
            return TRUE;
    }
    return FALSE;
}

void pod_remove_directory(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK) && g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;
        while (dir && (name = g_dir_read_name(dir))) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            pod_remove_directory(child);
        }
    }
    g_remove(path);
}

void pod_run_remove(PodRun *run)
{
    pod_remove_directory(run->directory);
    network_release(run->host->network, run->ip);
}

gboolean pod_run_finished(const PodRun *run)
{
    return !strcmp(run->phase, "Succeeded") || !strcmp(run->phase, "Failed");
}

/* --- starting --- */

static const json_t *spec_of(const json_t *pod, const Container *container)
{
    const json_t *item;
    gsize i;

    json_array_foreach (json_at(pod, container->init ? "spec.initContainers" : "spec.containers"), i, item)
        if (!strcmp(json_string_at(item, "name", ""), container->name))
            return item;
    return NULL;
}

static char **base_environment(const PodRun *run)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autofree char *hostname = g_strconcat("HOSTNAME=", run->name, NULL);
    g_autofree char *host = g_strconcat("KUBERNETES_SERVICE_HOST=", run->host->api_host, NULL);
    g_autofree char *port = g_strdup_printf("KUBERNETES_SERVICE_PORT=%u", run->host->api_port);

    g_strv_builder_add_many(builder, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                            "HOME=/root", "LANG=C.UTF-8", "GANTRY_SHARE=/usr/local/share/gantry", hostname,
                            host, port, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(kept_variables); i++) {
        const char *value = g_getenv(kept_variables[i]);
        g_autofree char *text = g_strconcat(kept_variables[i], "=", value, NULL);
        if (value)
            g_strv_builder_add(builder, text);
    }
    return g_strv_builder_end(builder);
}

static gboolean add_text_file(SandboxSpec *spec, const char *source, const char *dest)
{
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(source, &text, &size, NULL))
        return FALSE;
    g_autoptr(GBytes) data = g_bytes_new_take(g_steal_pointer(&text), size);
    sandbox_spec_file(spec, dest, data, 0644);
    return TRUE;
}

/* What each container has besides its volumes: our program, name resolution, the file for its last words. */
static gboolean add_basics(PodRun *run, SandboxSpec *spec, const Container *container, const json_t *wanted,
                           GError **error)
{
    g_autofree char *last_words = pod_run_file(run, container, container->run, "message");
    g_autofree char *directory = g_path_get_dirname(last_words);

    if (g_mkdir_with_parents(directory, 0700) < 0 || !g_file_set_contents(last_words, "", 0, error)) {
        if (error && !*error)
            g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", directory, g_strerror(errno));
        return FALSE;
    }
    sandbox_spec_mount(spec, run->host->binary, "/usr/local/bin/gantry", TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(shared); i++) {
        g_autofree char *found = share_find(NULL, shared[i].in_source, shared[i].installed, NULL);
        g_autofree char *source = found ? g_path_get_dirname(found) : NULL;
        g_autofree char *dest = g_build_filename("/usr/local/share/gantry", shared[i].name, NULL);
        if (source)
            sandbox_spec_mount(spec, source, dest, TRUE);
    }
    sandbox_spec_mount(spec, network_directory(run->host->network), "/run/gantry", TRUE);
    sandbox_spec_mount(spec, last_words,
                       json_string_at(wanted, "terminationMessagePath", "/dev/termination-log"), FALSE);
    add_text_file(spec, "/etc/resolv.conf", "/etc/resolv.conf");
    return TRUE;
}

static SandboxSpec *build_spec(PodRun *run, const json_t *pod, const Container *container,
                               const LocalImage *image, const json_t *wanted, GError **error)
{
    g_autoptr(SandboxSpec) spec = sandbox_spec_new();
    g_autoptr(json_t) shown = json_deep_copy(pod); /* fieldRef status.podIP before it is written */
    g_auto(GStrv) base = base_environment(run);
    g_autofree char *token = run->host->token(
        run->ns, json_string_at(pod, "spec.serviceAccountName", "default"), run->host->user_data, error);

    if (!token)
        return NULL;
    json_set_at_new(shown, "status.podIP", json_string(run->ip));
    json_set_at_new(shown, "status.hostIP", json_string("127.0.0.1"));
    spec->environment =
        container_environment(shown, wanted, (const char *const *)base, run->host->source, run, error);
    if (!spec->environment)
        return NULL;
    spec->command = container_command(wanted, (const char *const *)spec->environment);
    image_prepare(image, spec);
    spec->mark = mark_of_run(run, container);
    spec->hostname = g_strndup(run->name, 63);
    spec->directory = g_strdup(json_string_at(wanted, "workingDir", NULL));
    spec->privileged = json_bool_at(wanted, "securityContext.privileged", FALSE);
    VolumeSources volumes = {run->directory, run->host->source, run->host->claim, run,
                             token,          run->host->ca_pem};
    if (!add_basics(run, spec, container, wanted, error) ||
        !volumes_mount(spec, shown, wanted, &volumes, error))
        return NULL;
    return g_steal_pointer(&spec);
}

static void remove_old_files(const PodRun *run, const Container *container)
{
    static const char *const suffixes[] = {"log", "status", "message"};

    for (guint i = 0; container->run >= 2 && i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = pod_run_file(run, container, container->run - 2, suffixes[i]);
        g_remove(path);
    }
}

static guint start(PodRun *run, const json_t *pod, Container *container)
{
    const json_t *wanted = spec_of(pod, container);
    g_autofree char *log = pod_run_file(run, container, container->run, "log");
    g_autofree char *status = pod_run_file(run, container, container->run, "status");
    g_autoptr(GError) error = NULL;

    const LocalImage *image = image_find(container->image, &error);
    if (!image) {
        if (container_wait(container, "ErrImageNeverPull", error->message))
            run->dirty = TRUE;
        return 0;
    }
    g_autoptr(SandboxSpec) spec = build_spec(run, pod, container, image, wanted, &error);
    if (!spec) {
        gboolean config =
            g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT) || g_str_has_prefix(error->message, "env");
        if (container_wait(container, config ? "CreateContainerConfigError" : "ContainerCreating",
                           error->message)) {
            run->dirty = TRUE;
            run->host->event(pod, TRUE, config ? "Failed" : "FailedMount", error->message,
                             run->host->user_data);
        }
        return LOOK_CONFIG_MS;
    }
    /* The run is in the state file before its process exists: whoever finds that process later knows it. */
    container->started_at = g_get_real_time();
    container->phase = CONTAINER_RUNNING;
    memset(&container->sandbox, 0, sizeof container->sandbox);
    pod_run_save(run);
    remove_old_files(run, container);
    if (!sandbox_start(spec, log, status, &container->sandbox, &error)) {
        container_terminated(container, 128, "StartError", g_strdup(error->message), g_get_real_time());
        run->dirty = TRUE;
        return LOOK_SOON_MS;
    }
    container->probe_at = g_get_monotonic_time() +
                          json_int_at(wanted, "readinessProbe.initialDelaySeconds", 0) * G_USEC_PER_SEC;
    pod_run_save(run);
    return LOOK_SOON_MS; /* to learn the inner process, and when it has begun */
}

/* --- ends --- */

static char *log_tail(const PodRun *run, const Container *container)
{
    g_autofree char *path = pod_run_file(run, container, container->run, "log");
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, NULL);
    char buffer[TAIL];
    gsize size = 0;

    if (!stream)
        return NULL;
    if (!g_seekable_seek(G_SEEKABLE(stream), -TAIL, G_SEEK_END, NULL, NULL))
        g_seekable_seek(G_SEEKABLE(stream), 0, G_SEEK_SET, NULL, NULL);
    g_input_stream_read_all(G_INPUT_STREAM(stream), buffer, sizeof buffer, &size, NULL, NULL);
    return container_message(buffer, size);
}

/* The container's last words: its termination message, or the end of its log where that is asked for. */
static char *last_words(const PodRun *run, const Container *container, const json_t *wanted, int exit_code)
{
    g_autofree char *path = pod_run_file(run, container, container->run, "message");
    g_autofree char *text = NULL;
    gsize size = 0;

    if (g_file_get_contents(path, &text, &size, NULL) && size)
        return container_message(text, size);
    if (exit_code &&
        !g_strcmp0(json_string_at(wanted, "terminationMessagePolicy", "File"), "FallbackToLogsOnError"))
        return log_tail(run, container);
    return NULL;
}

static void note_end(PodRun *run, const json_t *pod, Container *container)
{
    g_autofree char *status = pod_run_file(run, container, container->run, "status");
    int exit_code = sandbox_exit_code(status);
    gboolean never_began = exit_code < 0 && !container->sandbox.inner;
    gint64 now = g_get_real_time();
    char *message;

    if (exit_code < 0)
        exit_code = never_began ? 128 : 137;
    message = never_began ? log_tail(run, container)
                          : last_words(run, container, spec_of(pod, container), exit_code);
    container_terminated(container, exit_code,
                         never_began ? "StartError"
                         : exit_code ? "Error"
                                     : "Completed",
                         message, now);
    container->crashes =
        now - container->started_at > (gint64)STEADY_S * G_USEC_PER_SEC ? 1 : container->crashes + 1;
    run->dirty = TRUE;
}

/* Looks at the process; TRUE while the run goes on. A sandbox whose first process ended is cleared of what it
 * left behind. */
static gboolean still_runs(PodRun *run, const json_t *pod, Container *container)
{
    Sandbox *sandbox = &container->sandbox;
    g_autofree char *status = pod_run_file(run, container, container->run, "status");

    if (!sandbox->inner) {
        g_autofree char *mark = mark_of_run(run, container);
        sandbox_refresh(sandbox, status, mark);
        run->dirty |= sandbox->inner != 0;
    }
    gboolean outer =
        sandbox->outer && process_start_time(sandbox->outer) == sandbox->outer_start && sandbox->outer_start;
    if (outer)
        return TRUE;
    if (sandbox_alive(sandbox)) {
        if (sandbox_exit_code(status) < 0)
            return TRUE; /* bubblewrap's outer process was killed; the container lives */
        sandbox_signal(sandbox, SIGKILL);
        return TRUE;
    }
    note_end(run, pod, container);
    return FALSE;
}

static guint running(const PodRun *run)
{
    guint count = 0;
    for (guint i = 0; i < run->containers->len; i++)
        count += ((Container *)run->containers->pdata[i])->phase == CONTAINER_RUNNING;
    return count;
}

static gboolean end_all(PodRun *run, guint grace_seconds, gboolean again)
{
    gint64 now = g_get_monotonic_time();
    gboolean first = !run->kill_at;

    if (first || run->kill_at > now + (gint64)grace_seconds * G_USEC_PER_SEC)
        run->kill_at = now + (gint64)grace_seconds * G_USEC_PER_SEC;
    for (guint i = 0; i < run->containers->len; i++) {
        Container *container = run->containers->pdata[i];
        if (container->phase != CONTAINER_RUNNING || !still_runs(run, NULL, container))
            continue;
        container->ended_by_us |= again;
        if (!container->asked_to_end)
            container->asked_to_end = sandbox_signal(&container->sandbox, SIGTERM);
        if (now >= run->kill_at)
            sandbox_signal(&container->sandbox, SIGKILL);
    }
    if (run->dirty)
        pod_run_save(run);
    return !running(run);
}

gboolean pod_run_end(PodRun *run, guint grace_seconds)
{
    return end_all(run, grace_seconds, FALSE);
}
gboolean pod_run_suspend(PodRun *run, guint grace_seconds)
{
    return end_all(run, grace_seconds, TRUE);
}

/* --- what to do next --- */

static guint earlier(guint a, guint b)
{
    return !a ? b : !b ? a : MIN(a, b);
}

static guint until_ms(gint64 deadline_us, gint64 now_us)
{
    return deadline_us <= now_us ? 1 : (deadline_us - now_us) / 1000 + 1;
}

/* bubblewrap starts a container's own process last: until then it can neither be entered nor asked to end,
 * and is not ready. */
static gboolean has_begun(PodRun *run, const json_t *pod, Container *container)
{
    if (json_object_get(spec_of(pod, container), "readinessProbe"))
        return container->sandbox.inner != 0; /* the probe says the rest */
    if (!container->ready && sandbox_main_process(&container->sandbox))
        container->ready = run->dirty = TRUE;
    return container->ready;
}

/* Starts, restarts or waits for one container. *over: it will not run again. */
static guint sync_container(PodRun *run, const json_t *pod, Container *container, const char *policy,
                            gboolean *over)
{
    gint64 now;

    *over = FALSE;
    if (container->phase == CONTAINER_RUNNING && still_runs(run, pod, container))
        return has_begun(run, pod, container) ? 0 : LOOK_SOON_MS;
    now = g_get_real_time();
    if (container->phase == CONTAINER_TERMINATED) {
        if (container->init ? container->end.exit_code == 0 || !strcmp(policy, "Never")
                            : !container_runs_again(policy, container->end.exit_code)) {
            *over = TRUE;
            return 0;
        }
        container->retry_at = container->end.finished_at + container_backoff_us(container->crashes);
        if (container->retry_at > now) {
            g_autofree char *message = g_strdup_printf(
                "back-off %" G_GINT64_FORMAT "s restarting failed container=%s pod=%s",
                container_backoff_us(container->crashes) / G_USEC_PER_SEC, container->name, run->name);
            container_wait(container, "CrashLoopBackOff", message);
            run->host->event(pod, TRUE, "BackOff", message, run->host->user_data);
            run->dirty = TRUE;
        }
    }
    if (container->phase != CONTAINER_RUNNING && container->end.finished_at) {
        if (container->retry_at > now)
            return until_ms(container->retry_at, now);
        container_next_run(container);
    }
    return start(run, pod, container);
}

static guint probe(PodRun *run, const json_t *pod, Container *container)
{
    const json_t *wanted = spec_of(pod, container), *probe = json_object_get(wanted, "readinessProbe");
    gint64 now = g_get_monotonic_time();

    if (!probe || container->phase != CONTAINER_RUNNING || container->init)
        return 0;
    if (now < container->probe_at)
        return until_ms(container->probe_at, now);
    gint64 period = MAX(json_int_at(probe, "periodSeconds", 10), 1);
    if (probe_ask(pod, wanted, probe, run->ip, &container->sandbox)) {
        container->probe_failures = 0;
        if (++container->probe_successes >= json_int_at(probe, "successThreshold", 1))
            container->ready = TRUE;
    } else {
        container->probe_successes = 0;
        if (++container->probe_failures >= json_int_at(probe, "failureThreshold", 3))
            container->ready = FALSE;
        if (!container->ready)
            period = 1; /* a local start is a matter of seconds */
    }
    container->probe_at = g_get_monotonic_time() + period * G_USEC_PER_SEC;
    return period * 1000;
}

/* Init containers, in order; TRUE when all have succeeded. */
static gboolean sync_init(PodRun *run, const json_t *pod, const char *policy, guint *next)
{
    for (guint i = 0; i < run->containers->len; i++) {
        Container *container = run->containers->pdata[i];
        gboolean over;
        if (!container->init)
            break;
        if (container->phase == CONTAINER_TERMINATED && container->end.exit_code == 0)
            continue;
        *next = earlier(*next, sync_container(run, pod, container, policy, &over));
        if (container->phase == CONTAINER_TERMINATED && container->end.exit_code == 0)
            continue;
        if (over)
            set_phase(run, "Failed", NULL, NULL);
        return FALSE;
    }
    return TRUE;
}

static void sync_main(PodRun *run, const json_t *pod, const char *policy, guint *next)
{
    gboolean all_over = TRUE, any_failed = FALSE, any_began = FALSE;

    for (guint i = 0; i < run->containers->len; i++) {
        Container *container = run->containers->pdata[i];
        gboolean over;
        if (container->init)
            continue;
        *next = earlier(*next, sync_container(run, pod, container, policy, &over));
        *next = earlier(*next, probe(run, pod, container));
        all_over &= over;
        any_failed |= over && container->end.exit_code != 0;
        any_began |= container->phase != CONTAINER_WAITING || container->run > 0;
    }
    if (all_over)
        set_phase(run, any_failed ? "Failed" : "Succeeded", NULL, NULL);
    else if (any_began)
        set_phase(run, "Running", NULL, NULL);
}

/* TRUE when the Pod has had its time; what still runs is ended. */
static gboolean past_deadline(PodRun *run, const json_t *pod, guint *next)
{
    gint64 seconds = json_int_at(pod, "spec.activeDeadlineSeconds", 0), now = g_get_real_time();
    gint64 deadline = run->started_at + seconds * G_USEC_PER_SEC;

    if (!seconds)
        return FALSE;
    if (now < deadline) {
        *next = earlier(*next, until_ms(deadline, now));
        return FALSE;
    }
    if (!pod_run_end(run, json_int_at(pod, "spec.terminationGracePeriodSeconds", 30))) {
        *next = earlier(*next, LOOK_SOON_MS);
        return TRUE;
    }
    set_phase(run, "Failed", "DeadlineExceeded",
              "Pod was active on the node longer than the specified deadline");
    return TRUE;
}

guint pod_run_sync(PodRun *run, const json_t *pod, GError **error)
{
    const char *policy = json_string_at(pod, "spec.restartPolicy", "Always");
    guint next = 0;

    if (!pod_run_finished(run) && !past_deadline(run, pod, &next) && sync_init(run, pod, policy, &next))
        sync_main(run, pod, policy, &next);
    if (run->dirty)
        pod_run_save(run);
    return next;
}

/* --- status --- */

static gboolean all_ready(const PodRun *run)
{
    for (guint i = 0; i < run->containers->len; i++) {
        const Container *container = run->containers->pdata[i];
        if (!container->init && (container->phase != CONTAINER_RUNNING || !container->ready))
            return FALSE;
    }
    return TRUE;
}

static gboolean initialized(const PodRun *run)
{
    for (guint i = 0; i < run->containers->len; i++) {
        const Container *container = run->containers->pdata[i];
        if (container->init && (container->phase != CONTAINER_TERMINATED || container->end.exit_code != 0))
            return FALSE;
    }
    return TRUE;
}

/* Keeps the time of the last change where the condition was there with the same status. */
static void add_condition(json_t *conditions, const json_t *before, const char *type, gboolean holds,
                          const char *reason)
{
    const char *status = holds ? "True" : "False";
    g_autofree char *now = clock_now();
    const char *since = now;
    const json_t *old;
    gsize i;

    json_array_foreach (before, i, old)
        if (!strcmp(json_string_at(old, "type", ""), type) &&
            !strcmp(json_string_at(old, "status", ""), status))
            since = json_string_at(old, "lastTransitionTime", now);
    json_t *condition =
        json_pack("{s:s,s:s,s:s}", "type", type, "status", status, "lastTransitionTime", since);
    if (reason && !holds)
        json_object_set_new(condition, "reason", json_string(reason));
    json_array_append_new(conditions, condition);
}

json_t *pod_run_status(const PodRun *run, const json_t *pod)
{
    g_autofree char *started = time_text(run->started_at);
    const json_t *before = json_at(pod, "status.conditions");
    json_t *status =
        json_pack("{s:s,s:s,s:s,s:[{s:s}],s:[{s:s}],s:s,s:s,s:[],s:[],s:[]}", "phase", run->phase, "hostIP",
                  "127.0.0.1", "podIP", run->ip, "podIPs", "ip", run->ip, "hostIPs", "ip", "127.0.0.1",
                  "startTime", started, "qosClass", json_string_at(pod, "status.qosClass", "BestEffort"),
                  "conditions", "containerStatuses", "initContainerStatuses");
    json_t *conditions = json_object_get(status, "conditions");
    gboolean finished = pod_run_finished(run), ready = !finished && all_ready(run);
    const char *why = !strcmp(run->phase, "Succeeded") ? "PodCompleted"
                      : finished                       ? "PodFailed"
                                                       : "ContainersNotReady";

    for (guint i = 0; i < run->containers->len; i++) {
        const Container *container = run->containers->pdata[i];
        json_t *one = container_status(container, run->uid);
        if (container->init && container->phase == CONTAINER_TERMINATED)
            json_object_set_new(one, "ready", json_boolean(container->end.exit_code == 0));
        json_array_append_new(
            json_object_get(status, container->init ? "initContainerStatuses" : "containerStatuses"), one);
    }
    if (run->reason)
        json_object_set_new(status, "reason", json_string(run->reason));
    if (run->message)
        json_object_set_new(status, "message", json_string(run->message));
    add_condition(conditions, before, "Initialized", initialized(run), "ContainersNotInitialized");
    add_condition(conditions, before, "Ready", ready, why);
    add_condition(conditions, before, "ContainersReady", ready, why);
    add_condition(conditions, before, "PodScheduled", TRUE, NULL);
    return status;
}
