/* gantry report: how a plan's last migration went, disk by disk, and what was proved. */
#include "cmd/plan_words.h"
#include "cmd/print.h"
#include "cmd/progress.h"
#include "cmd/verbs.h"

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(Object) plan = NULL;

    if (!words_count(words, 1, 1, "one PLAN", error))
        return EXIT_USAGE;
    plan = kube_get(session->kube, &KUBE_PLAN, session->ns, words[0], NULL, error);
    if (!plan)
        return EXIT_FAILED;
    if (!json_at(object_json(plan), "status.migration.started")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "plan %s has not been migrated yet; gantry start %s begins it", words[0], words[0]);
        return EXIT_FAILED;
    }
    if (session->output == OUTPUT_TABLE || session->output == OUTPUT_WIDE) {
        progress_print_report(plan);
    } else {
        g_autoptr(json_t) migrations = json_pack("[O]", json_at(object_json(plan), "status.migration"));
        print_items(migrations, TRUE, session->output, NULL);
    }
    return object_condition(plan, "Failed") || object_condition(plan, "Canceled") ? EXIT_FAILED : EXIT_DONE;
}

const Verb verb_report = {
    "report",
    "PLAN",
    "show what a plan's migration did and proved",
    "Times of each step; of each disk its bytes, its hash, and whether the target was read back and equal.\n"
    "Exit status: 1 when it failed or was canceled.",
    NULL,
    FALSE,
    run};
