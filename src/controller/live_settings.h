/* live_settings: what the ForkliftController's spec says to a process that reconciles it not: the
 * inventory's.
 *
 * The log level is set here; the rest is the caller's to use. The conditions about settings are the
 * controllers' (forklift_controller.c). Threads: changed is called on the informer's.
 */
#pragma once
#include "kube/informer.h"
#include "plan/settings.h"

typedef struct LiveSettings LiveSettings;
typedef void (*LiveSettingsChanged)(const Settings *settings, gpointer user_data);

/* Calls changed soon, and after each change. */
LiveSettings *live_settings_start(KubeClient *kube, LiveSettingsChanged changed, gpointer user_data);
void live_settings_free(LiveSettings *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LiveSettings, live_settings_free)
