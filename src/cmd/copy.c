/* gantry copy: the program of an importer Pod: copies one disk, says how far it is, and ends with a result.
 *
 * Standard output: JSON lines, one a second at most, the result last. /dev/termination-log gets the result
 * too, where it exists.
 */
#include "copy/copy.h"
#include "base/fields.h"
#include "base/json.h"
#include "cmd/commands.h"
#include "cmd/pod.h"
#include "copy/credentials.h"
#include <malloc.h>

typedef struct {
    Progress *progress;
    RateLimit *limit;
    const char *owner; /* the Pod's uid */
} Shown;

static json_t *show_progress(gpointer user_data)
{
    const Shown *shown = user_data;
    json_t *json = progress_json(shown->progress);
    guint64 limit = rate_limit_get(shown->limit);

    if (limit)
        json_object_set_new(json, "bytesPerSecondLimit", json_integer(limit));
    return json;
}

/* {"bytesPerSecond": N}; 0: no limit. */
static gboolean set_limit(const json_t *limits, gpointer user_data, GError **error)
{
    const Fields fields = {"limits", limits};
    guint64 rate;

    if (!field_number(&fields, "bytesPerSecond", 0, RATE_LIMIT_MOST, &rate, error))
        return FALSE;
    rate_limit_set(((Shown *)user_data)->limit, rate);
    return TRUE;
}

static char *show_metrics(gpointer user_data)
{
    Shown *shown = user_data;
    return progress_metrics(shown->progress, shown->owner);
}

static int copy(const char *path, const char *listen, gboolean read_back)
{
    g_auto(CopyReport) report = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(CopySpec) spec = copy_spec_read(path, &error);
    g_autoptr(Progress) progress = progress_new(spec ? spec->size : 0);
    g_autoptr(RateLimit) limit = rate_limit_new(spec ? spec->rate : 0);
    Shown shown = {progress, limit, spec ? spec->fence_uid : ""};
    PodProgram program = {.listen = listen,
                          .progress = show_progress,
                          .metrics = show_metrics,
                          .set_limits = set_limit,
                          .user_data = &shown};
    g_autoptr(json_t) result = NULL;
    Pod *pod = spec ? pod_begin(&program, &error) : NULL;

    if (pod && !copy_run(spec, limit, progress, read_back, &report, pod_cancellable(pod), &error))
        g_prefix_error(&error, "disk %s: ", spec->disk_name);
    result = copy_result_json(&report, error);
    return pod_end(pod, result, error);
}

int cmd_copy(int argc, char **argv)
{
    g_autofree char *spec = NULL, *listen = NULL;
    gboolean no_read_back = FALSE;
    const GOptionEntry options[] = {
        {"spec", 0, 0, G_OPTION_ARG_FILENAME, &spec, "What to copy (JSON)", "FILE"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &listen, "Serve /progress, /metrics and /limits there",
         "ADDRESS:PORT"},
        {"no-read-back", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &no_read_back, "For benchmarks only",
         NULL},
        {NULL},
    };

    if (!pod_parse_options(&argc, &argv, "copies one disk of a virtual machine", options))
        return 2;
    if (!spec) {
        g_printerr("gantry copy: --spec FILE is missing; 'gantry copy --help' explains it\n");
        return 2;
    }
    mallopt(M_ARENA_MAX, 2); /* memory is bounded: a heap for each thread is not worth it */
    credentials_protect_process();
    return copy(spec, listen, !no_read_back);
}
