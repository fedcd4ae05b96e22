/* gantry debug: asks the running processes of this machine (of this container) what they are doing. */
#include "base/control.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static struct {
    char *process;
} given;

static const GOptionEntry options[] = {
    {"process", 'p', 0, G_OPTION_ARG_STRING, &given.process,
     "Only processes of this subcommand (controller, up …)", "NAME"},
    G_OPTION_ENTRY_NULL,
};

static gboolean is_asked(const char *socket)
{
    gsize size = given.process ? strlen(given.process) : 0;

    return *socket != '.' && g_str_has_suffix(socket, ".sock") &&
           (!given.process || (!strncmp(socket, given.process, size) && socket[size] == '-' &&
                               g_ascii_isdigit(socket[size + 1])));
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of sockets in the folder, in order. */
static GPtrArray *find_sockets(const char *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    GPtrArray *found = dir ? g_ptr_array_new_with_free_func(g_free) : NULL;
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (is_asked(name))
            g_ptr_array_add(found, g_strdup(name));
    if (found)
        g_ptr_array_sort(found, compare_names);
    return found;
}

/* FALSE with an error, or without: it has ended. */
static gboolean ask(const char *folder, const char *name, const char *question, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *answer = NULL;
    g_autoptr(GError) problem = NULL;
    gboolean refused;

    answer = control_ask(path, question, &refused, &problem);
    if (answer)
        printf("%.*s:\n%s", (int)(strlen(name) - strlen(".sock")), name, answer);
    else if (!refused)
        g_propagate_error(error, g_steal_pointer(&problem));
    return answer != NULL;
}

static int run(Session *session, char **words, GError **error)
{
    static const char *const topics[] = {"queues", "informers", "sessions", "memory", "level", NULL};
    g_autofree char *folder = NULL, *question = NULL;
    g_autoptr(GPtrArray) sockets = NULL;
    guint answered = 0;

    if (!words_count(words, 1, 2, "one of queues, informers, sessions, memory and level [N]", error))
        return EXIT_USAGE;
    if (!g_strv_contains(topics, words[0]) || (words[1] && strcmp(words[0], "level"))) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "'%s%s%s' is no question: it must be queues, informers, sessions, memory or level [0-3]",
                    words[0], words[1] ? " " : "", words[1] ? words[1] : "");
        return EXIT_USAGE;
    }
    if (words[1] && !control_check_level(words[1], error))
        return EXIT_USAGE;
    question = words[1] ? g_strdup_printf("%s %s", words[0], words[1]) : g_strdup(words[0]);
    folder = control_folder(error);
    sockets = folder ? find_sockets(folder, error) : NULL;
    for (guint i = 0; sockets && i < sockets->len && !*error; i++)
        answered += ask(folder, sockets->pdata[i], question, error);
    if (sockets && !answered && !*error)
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "no gantry process%s%s of this user listens in %s",
                    given.process ? " of " : "", given.process ? given.process : "", folder);
    return answered && !*error ? EXIT_DONE : EXIT_FAILED;
}

const Verb verb_debug = {
    "debug",
    "queues|informers|sessions|memory|level [N]",
    "ask running gantry processes what they do, or change their log level",
    "queues: work that is ready, running, waiting, failing. informers: copies of objects, and whether they "
    "are up to "
    "date. sessions: with sources,\n"
    "and of people in the console. memory: of the heap and the process. level N: 0 errors, 1 warnings, 2 "
    "information, "
    "3 debug; until the process\n"
    "ends or controller_log_level is changed in its ForkliftController. Processes listen on sockets that "
    "only their user can open "
    "($GANTRY_CONTROL, else\n"
    "$XDG_RUNTIME_DIR/gantry, else /tmp/gantry-UID). Of a Pod's: kubectl exec -n openshift-mtv "
    "deploy/forklift-controller -c main -- gantry debug queues",
    options,
    TRUE,
    run};
