/* gantry convert: the program of a conversion Pod: makes one copied guest fit for KVM, and ends with a
 * result. */
#include "convert/convert.h"
#include "base/json.h"
#include "cmd/commands.h"
#include "cmd/pod.h"

static json_t *show_progress(gpointer user_data)
{
    return convert_progress_json(user_data);
}

static int convert(const char *path, const char *listen)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConvertSpec) spec = convert_spec_read(path, &error);
    g_autoptr(ConvertProgress) progress = convert_progress_new();
    PodProgram program = {.listen = listen, .progress = show_progress, .user_data = progress};
    gint64 started = g_get_monotonic_time();
    g_autoptr(json_t) report = NULL, result = NULL;
    Pod *pod = spec ? pod_begin(&program, &error) : NULL;

    if (pod)
        convert_run(spec, progress, &report, pod_cancellable(pod), &error);
    result = convert_result_json(report, (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC, error);
    return pod_end(pod, result, error);
}

int cmd_convert(int argc, char **argv)
{
    g_autofree char *spec = NULL, *listen = NULL;
    const GOptionEntry options[] = {
        {"spec", 0, 0, G_OPTION_ARG_FILENAME, &spec, "What to convert (JSON)", "FILE"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &listen, "Serve /progress there", "ADDRESS:PORT"},
        {NULL},
    };

    if (!pod_parse_options(&argc, &argv, "converts one copied virtual machine for KVM", options))
        return 2;
    if (!spec) {
        g_printerr("gantry convert: --spec FILE is missing; 'gantry convert --help' explains it\n");
        return 2;
    }
    return convert(spec, listen);
}
