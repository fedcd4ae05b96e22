/* gantry leftovers: what migrations have left in the target whose plan is gone or archived. */
#include "cmd/print.h"
#include "cmd/text_table.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static const KubeResource *const places[] = {
    &KUBE_POD, &KUBE_JOB, &KUBE_DATA_VOLUME, &KUBE_PERSISTENT_VOLUME_CLAIM, &KUBE_SECRET, &KUBE_CONFIG_MAP};

/* Plans whose objects are of use: UID → in use. */
static GHashTable *live_plans(KubeClient *kube, GError **error)
{
    g_autoptr(GPtrArray) plans = kube_list(kube, &KUBE_PLAN, NULL, NULL, NULL, NULL, NULL, error);
    GHashTable *live = plans ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) : NULL;

    for (guint i = 0; plans && i < plans->len; i++)
        if (!json_bool_at(object_json(plans->pdata[i]), "spec.archived", FALSE))
            g_hash_table_add(live, g_strdup(object_uid(plans->pdata[i])));
    return live;
}

/* Disks of a VM that was migrated are its own: a VirtualMachine uses them. */
static gboolean is_left(const Object *object, GHashTable *live)
{
    const char *plan = object_label(object, "plan", NULL);
    const json_t *owner;
    size_t i;

    if (!plan || g_hash_table_contains(live, plan))
        return FALSE;
    json_array_foreach (json_at(object_json(object), "metadata.ownerReferences"), i, owner)
        if (!strcmp(json_string_at(owner, "kind", ""), "VirtualMachine") ||
            !strcmp(json_string_at(owner, "kind", ""), "DataVolume"))
            return FALSE;
    return TRUE;
}

static int run(Session *session, char **words, GError **error)
{
    static const Column columns[] = {{"KIND", "kind"},
                                     {"NAMESPACE", "metadata.namespace"},
                                     {"NAME", "metadata.name"},
                                     {"PLAN", "metadata.labels.plan"},
                                     {0}};
    g_autoptr(GHashTable) live =
        words_count(words, 0, 0, "options only", error) ? live_plans(session->kube, error) : NULL;
    g_autoptr(json_t) items = json_array();

    if (!live)
        return EXIT_FAILED;
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GPtrArray) all = kube_list(session->kube, places[i], NULL, "plan", NULL, NULL, NULL, error);
        if (!all)
            return EXIT_FAILED;
        for (guint k = 0; k < all->len; k++)
            if (is_left(all->pdata[k], live)) {
                json_t *copy = json_deep_copy(object_json(all->pdata[k]));
                json_object_del(copy, "data"); /* of Secrets too: never shown */
                json_set_at_new(copy, "kind", json_string(places[i]->kind));
                json_array_append_new(items, copy);
            }
    }
    if (!json_array_size(items) && (session->output == OUTPUT_TABLE || session->output == OUTPUT_WIDE))
        puts("Nothing is left of plans that are gone or archived.");
    else
        print_items(items, FALSE, session->output, columns);
    return json_array_size(items) ? EXIT_FAILED : EXIT_DONE;
}

const Verb verb_leftovers = {"leftovers",
                             NULL,
                             "list what is left in the cluster of plans that are gone or archived",
                             "The controller removes such things by itself; what stays listed could not be "
                             "removed, and its plan's UID says whose\n"
                             "it was. Exit status: 1 when there is any.",
                             NULL,
                             FALSE,
                             run};
