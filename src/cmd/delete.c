/* gantry delete: objects; what a migration has made in the target stays. */
#include "cmd/create.h"
#include "cmd/print.h"
#include "cmd/verbs.h"
#include <string.h>

static gboolean is_used(GPtrArray *providers, const char *secret)
{
    for (guint i = 0; i < providers->len; i++)
        if (!strcmp(json_string_at(object_json(providers->pdata[i]), "spec.secret.name", ""), secret))
            return TRUE;
    return FALSE;
}

static gboolean not_found(const GError *error)
{
    return g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND);
}

/* The Secret that gantry create made with a Provider that is deleted now, unless another one uses it. What it
 * holds is not shown. */
static gboolean delete_its_secret(Session *session, const Object *provider, GError **error)
{
    const char *name = json_string_at(object_json(provider), "spec.secret.name", "");
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) secret = NULL;
    g_autoptr(GPtrArray) others = NULL;

    if (!*name)
        return TRUE;
    secret = kube_get(session->kube, &KUBE_SECRET, session->ns, name, NULL, &problem);
    if (secret && strcmp(object_label(secret, MADE_WITH_LABEL, ""), MADE_WITH))
        return TRUE;
    if (secret)
        others = kube_list(session->kube, &KUBE_PROVIDER, session->ns, NULL, NULL, NULL, NULL, &problem);
    if (others && (is_used(others, name) ||
                   kube_delete(session->kube, &KUBE_SECRET, session->ns, name, NULL, NULL, &problem)))
        return TRUE;
    if (not_found(problem))
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&problem), "its Secret %s: ", name);
    return FALSE;
}

static gboolean delete_one(Session *session, const KubeResource *resource, const char *name, GError **error)
{
    g_autoptr(Object) object = kube_get(session->kube, resource, session->ns, name, NULL, error);

    if (!object || !kube_delete(session->kube, resource, session->ns, name, NULL, NULL, error))
        return FALSE;
    print_change(object_json(object), session->output, "deleted");
    return resource != &KUBE_PROVIDER || delete_its_secret(session, object, error);
}

/* Of a mapping both maps, as gantry create made them; one that has no other is enough. */
static gboolean delete_all(Session *session, const Kind *kind, const char *name, GError **error)
{
    guint deleted = 0;

    for (guint i = 0; kind->resources[i]; i++) {
        g_autoptr(GError) problem = NULL;
        if (delete_one(session, kind->resources[i], name, &problem)) {
            deleted++;
        } else if (!not_found(problem) || (!deleted && !kind->resources[i + 1])) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
    }
    return TRUE;
}

static int run(Session *session, char **words, GError **error)
{
    const Kind *kind =
        words_count(words, 2, G_MAXUINT, "KIND and names", error) ? kind_find_object(words[0], error) : NULL;

    for (char **name = words + 1; kind && *name; name++)
        if (!delete_all(session, kind, *name, error))
            return EXIT_FAILED;
    return kind ? EXIT_DONE : EXIT_USAGE;
}

const Verb verb_delete = {
    "delete",
    "KIND NAME...",
    "delete providers, plans, mappings and the like",
    "Deleting a plan that runs ends its migrations as cancel does: the source gets its "
    "power state back. Virtual machines that\n"
    "have been migrated, and their disks, stay. With a provider goes the Secret that gantry create "
    "provider made for it.",
    NULL,
    FALSE,
    run};
