/* gantry start, gantry restart: a Migration of a plan, new, or for what its last one left undone. */
#include "cmd/plan_argument.h"
#include "cmd/plan_words.h"
#include "cmd/print.h"
#include "cmd/progress.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

enum { READY_SECONDS = 60 };

static struct {
    char *cutover;
    gboolean wait;
} given;

static const GOptionEntry options[] = {
    {"cutover", 0, 0, G_OPTION_ARG_STRING, &given.cutover, "Of a warm plan: now, +90m or a time (none yet)",
     "TIME"},
    {"wait", 'w', 0, G_OPTION_ARG_NONE, &given.wait, "Show how it goes until it has ended", NULL},
    G_OPTION_ENTRY_NULL,
};

/* A warm plan without a cutover goes on until somebody gives one: said here, as nothing would tell the user.
 */
static void print_started(const Object *plan, const Object *migration, const char *cutover, Output output)
{
    print_change(object_json(migration), output, "started");
    if (output == OUTPUT_TABLE && json_bool_at(object_json(plan), "spec.warm", FALSE) && !cutover)
        printf("It copies while the VMs run, until: gantry cutover %s\n", object_name(plan));
}

static int start(Session *session, const char *name, gboolean again, GError **error)
{
    g_autoptr(Object) plan = kube_get(session->kube, &KUBE_PLAN, session->ns, name, NULL, error),
                      migration = NULL;
    g_autofree char *cutover = NULL;
    gboolean ran = plan && json_at(object_json(plan), "status.migration.started");

    if (!plan || (given.cutover && !cutover_time(given.cutover, &cutover, error)))
        return EXIT_FAILED;
    if (again && !ran) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "plan %s has never run; gantry start %s begins it",
                    name, name);
        return EXIT_FAILED;
    }
    if (object_condition(plan, "Executing")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "plan %s is being migrated already; gantry get plan %s -w shows it", name, name);
        return EXIT_FAILED;
    }
    if (!again && object_condition(plan, "Succeeded")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "plan %s has succeeded: there is nothing left to migrate", name);
        return EXIT_FAILED;
    }
    g_clear_pointer(&plan, object_unref);
    if (!wait_for_condition(session->kube, &KUBE_PLAN, session->ns, name, "Ready", READY_SECONDS,
                            blocked_for_good, &plan, error)) {
        if (!*error)
            g_set_error(error, GANTRY_ERROR, ERROR_NOT_READY,
                        "plan %s is not ready after %d s; gantry preflight %s says why", name, READY_SECONDS,
                        name);
        return EXIT_FAILED;
    }
    migration = plan_start(session->kube, plan, cutover, error);
    if (!migration)
        return EXIT_FAILED;
    print_started(plan, migration, cutover, session->output);
    return EXIT_DONE;
}

static int run(Session *session, char **words, gboolean again, GError **error)
{
    if (!words_count(words, 1, given.wait ? 1 : G_MAXUINT, given.wait ? "one PLAN with --wait" : "PLAN names",
                     error))
        return EXIT_USAGE;
    for (char **name = words; *name; name++)
        if (start(session, *name, again, error) != EXIT_DONE)
            return EXIT_FAILED;
    if (given.wait) {
        g_autoptr(Object) plan = NULL;
        if (!progress_show(session->kube, session->ns, words[0], TRUE, &plan, error))
            return EXIT_FAILED;
        progress_print_report(plan);
        return object_condition(plan, "Succeeded") ? EXIT_DONE : EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int run_start(Session *session, char **words, GError **error)
{
    return run(session, words, FALSE, error);
}

static int run_restart(Session *session, char **words, GError **error)
{
    return run(session, words, TRUE, error);
}

const Verb verb_start = {
    "start",
    "PLAN...",
    "migrate the VMs of plans",
    "A plan that has just been made is waited for until it is ready, or says why it will not be.\n\n"
    "  gantry start demo -w\n"
    "  gantry start nightly --cutover 2026-12-01T22:00:00+01:00",
    options,
    FALSE,
    run_start};
const Verb verb_restart = {
    "restart",
    "PLAN...",
    "migrate what the last run of plans left undone",
    "VMs that have succeeded are left alone; disks that have been copied are not copied again.",
    options,
    FALSE,
    run_restart};
