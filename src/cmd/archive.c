/* gantry archive: removes what a plan's migrations keep for another try. */
#include "cmd/print.h"
#include "cmd/verbs.h"

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:b}}", "spec", "archived", TRUE);

    if (!words_count(words, 1, G_MAXUINT, "PLAN names", error))
        return EXIT_USAGE;
    for (char **name = words; *name; name++) {
        g_autoptr(Object) plan = kube_patch(session->kube, &KUBE_PLAN, session->ns, *name, KUBE_PATCH_MERGE,
                                            patch, NULL, NULL, error);
        if (!plan)
            return EXIT_FAILED;
        print_change(object_json(plan), session->output, "archived");
    }
    return EXIT_DONE;
}

const Verb verb_archive = {"archive",
                           "PLAN...",
                           "end plans for good, and remove what they keep for another try",
                           "An archived plan cannot be started again. Migrated VMs and their disks stay.",
                           NULL,
                           FALSE,
                           run};
