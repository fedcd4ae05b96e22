/* sweep: plans that are gone, by their records and by their children's labels. */
#include "controller/sweep.h"
#include "base/log.h"
#include "plan/orphan.h"
#include "plan/schedule.h"
#include "plan/source_record.h"

static GHashTable *set_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static GHashTable *plans_there_are(KubeClient *kube, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) plans = kube_list(kube, &KUBE_PLAN, NULL, NULL, NULL, NULL, cancel, error);
    GHashTable *uids = plans ? set_new() : NULL;

    for (guint i = 0; plans && i < plans->len; i++)
        g_hash_table_add(uids, g_strdup(object_uid(plans->pdata[i])));
    return uids;
}

/* Their VMs are moved no more. */
static void stop_work(Crew *crew, GHashTable *plans)
{
    g_autoptr(GPtrArray) working = crew_plans(crew);

    for (guint i = 0; i < working->len; i++)
        if (!g_hash_table_contains(plans, working->pdata[i])) {
            crew_forget(crew, working->pdata[i]);
            schedule_forget(working->pdata[i]);
        }
    schedule_dispatch();
}

static void warn_of(const Object *record, const GError *problem)
{
    g_autofree char *key = g_strconcat(object_label(record, "plan-namespace", ""), "/",
                                       object_label(record, "plan-name", ""), NULL);
    log_warn("what a deleted plan left is swept again soon", "plan", key, "error", problem->message, NULL);
}

/* TRUE when all is done of those that have left a record; recorded: their plans. */
static gboolean settle_recorded(KubeClient *kube, GHashTable *plans, GHashTable *recorded,
                                GCancellable *cancel)
{
    g_autoptr(GPtrArray) records =
        kube_list(kube, &KUBE_CONFIG_MAP, NULL, "plan," SOURCE_RECORD_LABEL, NULL, NULL, cancel, NULL);
    g_autoptr(Settings) settings = settings_ref();
    gboolean all = records != NULL;

    for (guint i = 0; records && i < records->len; i++) {
        const char *plan = object_label(records->pdata[i], "plan", "");
        g_autoptr(GError) problem = NULL;
        StepResult result;
        if (g_hash_table_contains(plans, plan))
            continue;
        g_hash_table_add(recorded, g_strdup(plan));
        result = orphan_settle(kube, settings, records->pdata[i], cancel, &problem);
        if (result == STEP_FAILED)
            warn_of(records->pdata[i], problem);
        all = all && result == STEP_DONE;
    }
    return all;
}

static void add_orphans(KubeClient *kube, const KubeResource *resource, GHashTable *plans,
                        GHashTable *recorded, GHashTable *orphans, GCancellable *cancel)
{
    g_autoptr(GPtrArray) all = kube_list(
        kube, resource, NULL, resource == &KUBE_POD ? "plan,plan-name,forklift.app" : "plan,plan-name,vmID",
        NULL, NULL, cancel, NULL);

    for (guint i = 0; all && i < all->len; i++) {
        const char *plan = object_label(all->pdata[i], "plan", "");
        if (*plan && !g_hash_table_contains(plans, plan) && !g_hash_table_contains(recorded, plan))
            g_hash_table_add(orphans, g_strdup(plan));
    }
}

static void delete_unrecorded(KubeClient *kube, GHashTable *plans, GHashTable *recorded, GCancellable *cancel)
{
    static const KubeResource *const kinds[] = {&KUBE_POD, &KUBE_DATA_VOLUME, &KUBE_PERSISTENT_VOLUME_CLAIM,
                                                &KUBE_SECRET, &KUBE_CONFIG_MAP};
    g_autoptr(GHashTable) orphans = set_new();
    GHashTableIter iter;
    gpointer plan;

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        add_orphans(kube, kinds[i], plans, recorded, orphans, cancel);
    g_hash_table_iter_init(&iter, orphans);
    while (g_hash_table_iter_next(&iter, &plan, NULL)) {
        g_autoptr(GError) problem = NULL;
        gboolean left;
        if (!orphan_delete_children(kube, plan, &left, cancel, &problem))
            log_warn("what a deleted plan left is swept again soon", "uid", plan, "error", problem->message,
                     NULL);
    }
}

guint sweep_run(const char *key, gpointer controllers, GCancellable *cancel, GError **error)
{
    KubeClient *kube = controllers_kube(controllers);
    g_autoptr(GHashTable) plans = plans_there_are(kube, cancel, error), recorded = set_new();
    gboolean all;

    if (!plans)
        return 0;
    stop_work(controllers_crew(controllers), plans);
    all = settle_recorded(kube, plans, recorded, cancel);
    delete_unrecorded(kube, plans, recorded, cancel);
    return all ? 0 : AGAIN_SOON;
}

gboolean sweep_as_if_no_plan(KubeClient *kube, GCancellable *cancel)
{
    g_autoptr(GHashTable) none = set_new(), recorded = set_new();
    return settle_recorded(kube, none, recorded, cancel);
}
