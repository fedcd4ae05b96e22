/* backup and restore: the local cluster's objects and keys as a directory. */
#include "local/apiserver/backup.h"
#include "cmd/commands.h"
#include "kube/client.h"
#include <stdio.h>

/* --data DIR and one more directory, both absolute. */
static gboolean parse(const char *summary, int *argc, char ***argv, char **data, char **directory,
                      GError **error)
{
    g_autofree char *given = NULL;
    GOptionEntry entries[] = {
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &given, "The data directory of 'gantry up'", "DIR"},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("BACKUP");

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc != 2 || !given) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--data DIR and the backup's directory are needed");
        return FALSE;
    }
    *data = g_canonicalize_filename(given, NULL);
    *directory = g_canonicalize_filename((*argv)[1], NULL);
    return TRUE;
}

static int fail(const char *name, const GError *error, int code)
{
    fprintf(stderr, "gantry %s: %s. %s\n", name, error->message, error_remedy(error));
    return code;
}

/* Who serves the data directory has its database open, so it makes the backup itself. */
static gboolean ask_server(const char *data, const char *directory, guint64 *revision, GError **error)
{
    g_autofree char *kubeconfig = g_build_filename(data, "kubeconfig", NULL);
    g_autoptr(KubeClient) client = kube_client_new_kubeconfig(kubeconfig, error);
    g_autoptr(json_t) request = json_pack("{s:s}", "directory", directory);
    g_autoptr(json_t) answer = client ? kube_post_path(client, "/gantry/backup", request, NULL, error) : NULL;

    *revision = json_int_at(answer, "revision", 0);
    return answer != NULL;
}

int cmd_backup(int argc, char **argv)
{
    g_autofree char *data = NULL, *directory = NULL;
    g_autoptr(GError) error = NULL;
    guint64 revision = 0;
    gboolean done;

    if (!parse("Writes all objects and keys of a local cluster to the directory BACKUP, which must not be "
               "there yet, while the\n"
               "cluster runs or stands. Disks are not in it. It holds secrets: keep it as you keep those.",
               &argc, &argv, &data, &directory, &error))
        return fail("backup", error, 2);
    done = backup_make_offline(data, directory, &revision, &error);
    if (!done && g_error_matches(error, GANTRY_ERROR, ERROR_DATA_IN_USE)) {
        g_clear_error(&error);
        done = ask_server(data, directory, &revision, &error);
    }
    if (!done)
        return fail("backup", error, 1);
    printf("gantry backup: %s is the state of %s at revision %" G_GUINT64_FORMAT "\n", directory, data,
           revision);
    return 0;
}

int cmd_restore(int argc, char **argv)
{
    g_autofree char *data = NULL, *directory = NULL;
    g_autoptr(GError) error = NULL;

    if (!parse("Puts the objects and keys of BACKUP into a data directory that has none, for 'gantry up' to "
               "start with.",
               &argc, &argv, &data, &directory, &error))
        return fail("restore", error, 2);
    if (!backup_restore(directory, data, &error))
        return fail("restore", error, 1);
    printf("gantry restore: %s is as %s was\n", data, directory);
    return 0;
}
