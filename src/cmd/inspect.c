/* gantry inspect: looks at a guest in the source, over the wire, before anything is copied, and ends with
 * what it found: its operating system and the concerns of its migration. */
#include "base/json.h"
#include "cmd/commands.h"
#include "cmd/pod.h"
#include "convert/convert.h"
#include "convert/remote.h"
#include "copy/credentials.h"

static json_t *show_progress(gpointer user_data)
{
    return json_pack("{s:s}", "phase", "Inspecting");
}

static int inspect(const char *path, const char *listen)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConvertSpec) spec = convert_spec_read(path, &error);
    const PodProgram program = {.listen = listen, .progress = show_progress};
    gint64 started = g_get_monotonic_time();
    g_autoptr(json_t) report = NULL, result = NULL;
    Pod *pod = spec ? pod_begin(&program, &error) : NULL;

    if (pod)
        report = remote_look(spec, pod_cancellable(pod), &error);
    result = convert_result_json(report, (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC, error);
    return pod_end(pod, result, error);
}

int cmd_inspect(int argc, char **argv)
{
    g_autofree char *spec = NULL, *listen = NULL;
    const GOptionEntry options[] = {
        {"spec", 0, 0, G_OPTION_ARG_FILENAME, &spec, "Whose disks to look at (JSON)", "FILE"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &listen, "Serve /progress there", "ADDRESS:PORT"},
        {NULL},
    };

    if (!pod_parse_options(&argc, &argv, "looks at a virtual machine in the source before it is copied",
                           options))
        return 2;
    if (!spec) {
        g_printerr("gantry inspect: --spec FILE is missing; 'gantry inspect --help' explains it\n");
        return 2;
    }
    credentials_protect_process();
    return inspect(spec, listen);
}
