/* events: Kubernetes Events about an object (core/v1 Event), one per change worth knowing.
 *
 * Best effort: an Event that cannot be written is logged, never an error. Equal events within ten minutes raise count.
 */
#pragma once
#include "kube/client.h"

/* warning: type Warning, else Normal. component is the controller's name ("plan", "provider"). */
void event_record(KubeClient *client, const Object *about, gboolean warning, const char *reason, const char *message,
                  const char *component);
