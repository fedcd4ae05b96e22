/* live_settings: the first ForkliftController by name counts, as for the controllers. */
#include "controller/live_settings.h"
#include "base/log.h"

struct LiveSettings {
    LiveSettingsChanged changed;
    gpointer user_data;
    GMutex lock; /* of informer, which calls before it is known */
    Informer *informer;
};

static void spec_changed(Object *before, Object *after, gpointer user_data)
{
    LiveSettings *live = user_data;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(Settings) settings = NULL;

    if (before && after && object_generation(before) == object_generation(after))
        return;
    g_mutex_lock(&live->lock);
    all = informer_list(live->informer, NULL);
    g_mutex_unlock(&live->lock);
    settings = settings_parse(all->len ? json_object_get(object_json(all->pdata[0]), "spec") : NULL);
    log_configure_level(settings->log_level);
    live->changed(settings, live->user_data);
}

LiveSettings *live_settings_start(KubeClient *kube, LiveSettingsChanged changed, gpointer user_data)
{
    LiveSettings *live = g_new0(LiveSettings, 1);

    live->changed = changed;
    live->user_data = user_data;
    g_mutex_init(&live->lock);
    g_mutex_lock(&live->lock);
    live->informer = informer_new(kube, &KUBE_FORKLIFT_CONTROLLER, NULL, NULL, spec_changed, live);
    g_mutex_unlock(&live->lock);
    return live;
}

void live_settings_free(LiveSettings *live)
{
    informer_free(live->informer);
    g_mutex_clear(&live->lock);
    g_free(live);
}
