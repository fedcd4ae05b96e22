/* gantry verify MANIFEST TARGET: reads a copied disk from its storage, compares it with its manifest, and
 * reports. */
#include "base/json.h"
#include "cmd/commands.h"
#include "copy/report.h"
#include <stdio.h>

static void print_report(const ManifestResult *result, gboolean as_json)
{
    g_autoptr(json_t) report = report_json(result);
    g_autofree char *text = as_json ? json_text(report) : report_text(report);

    printf("%s%s", text, as_json ? "\n" : "");
}

int cmd_verify(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("MANIFEST TARGET");
    g_auto(ManifestResult) result = {0};
    g_autoptr(GError) error = NULL;
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Report as one line of JSON", NULL},
        {NULL},
    };

    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_summary(
        context, "Compares a copied disk with the manifest of its copy, reading from the storage.");
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 3) {
        g_printerr("gantry verify: %s\n", error ? error->message : "a manifest and a target are needed");
        return 2;
    }
    if (!manifest_verify(argv[1], argv[2], &result, NULL, &error)) {
        g_printerr("gantry verify: %s. %s\n", error->message, error_remedy(error));
        return error_exit_code(error);
    }
    print_report(&result, as_json);
    return 0;
}
