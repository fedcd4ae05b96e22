/* forklift_controller: the settings in its spec are in force as soon as they are read. */
#include "base/log.h"
#include "controller/controllers.h"
#include "controller/status.h"
#include "plan/bandwidth.h"
#include "plan/queue.h"
#include "plan/schedule.h"

/* Several ForkliftControllers are one too many: the first by name counts. */
static Object *chosen(KubeClient *kube, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) all =
        kube_list(kube, &KUBE_FORKLIFT_CONTROLLER, NULL, NULL, NULL, NULL, cancel, error);
    return all && all->len ? object_ref(all->pdata[0]) : NULL;
}

static void report(Conditions *conditions, const Settings *settings)
{
    for (guint i = 0; i < settings->wrong->len; i++)
        conditions_add_item(conditions, "SettingNotValid", CONDITION_WARN, "NotValid",
                            "Settings that cannot be used; their defaults are in force.",
                            settings->wrong->pdata[i]);
    for (guint i = 0; i < settings->unknown->len; i++)
        conditions_add_item(conditions, "SettingUnknown", CONDITION_WARN, "NotFound",
                            "Settings that nothing reads; are they misspelt?", settings->unknown->pdata[i]);
}

guint forklift_controller_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    KubeClient *kube = controllers_kube(data);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) object = chosen(kube, cancel, &problem);
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Conditions) conditions = NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return 0;
    }
    settings = settings_parse(object ? json_object_get(object_json(object), "spec") : NULL);
    settings_publish(settings);
    log_configure_level(settings->log_level);
    queue_set_limits(settings);
    bandwidth_set_limits(settings->bandwidth_limit, settings->bandwidth_limit_per_host);
    schedule_dispatch();
    if (!object)
        return 0;
    conditions = status_conditions(object);
    report(conditions, settings);
    status_write(kube, &KUBE_FORKLIFT_CONTROLLER, object, status_copy(object), conditions,
                 "forklift-controller", cancel, error);
    return 0;
}
