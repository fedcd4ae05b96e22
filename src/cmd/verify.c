/* gantry verify MANIFEST TARGET: reads a copied disk from its storage and compares it with its manifest. */
#include "cmd/commands.h"
#include "copy/manifest.h"
#include <stdio.h>

int cmd_verify(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("MANIFEST TARGET");
    g_auto(ManifestResult) result = {0};
    g_autoptr(GError) error = NULL;
    char digest[33];

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
    hash_text(&result.digest, digest);
    printf("equal: %s, %" G_GUINT64_FORMAT " bytes, xxh3-128:%s\n", argv[2], result.bytes_equal, digest);
    return 0;
}
