/* gantry delete: objects; what a migration has made in the target stays. */
#include "cmd/print.h"
#include "cmd/verbs.h"

static int run(Session *session, char **words, GError **error)
{
    const Kind *kind =
        words_count(words, 2, G_MAXUINT, "KIND and names", error) ? kind_find_object(words[0], error) : NULL;

    for (char **name = words + 1; kind && *name; name++) {
        const KubeResource *resource;
        g_autoptr(Object) object = kind_get(kind, session->kube, session->ns, *name, &resource, error);
        if (!object || !kube_delete(session->kube, resource, session->ns, *name, NULL, NULL, error))
            return EXIT_FAILED;
        print_change(object_json(object), session->output, "deleted");
    }
    return kind ? EXIT_DONE : EXIT_USAGE;
}

const Verb verb_delete = {"delete",
                          "KIND NAME...",
                          "delete providers, plans, mappings and the like",
                          "Deleting a plan that runs ends its migrations as cancel does: the source gets its "
                          "power state back. Virtual machines that\n"
                          "have been migrated, and their disks, stay.",
                          NULL,
                          FALSE,
                          run};
