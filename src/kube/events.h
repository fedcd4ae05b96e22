/* events: Kubernetes Events about an object (core/v1 Event), one per change worth knowing.
 *
 * Best effort: an Event that cannot be written is logged, never an error. An equal Event (object, type, reason, message,
 * component) raises the count of the one that is there.
 * Threads: any; blocks for one or two requests.
 */
#pragma once
#include "kube/client.h"

/* warning: type Warning, else Normal. component is the controller's name ("plan", "provider"). */
void event_record(KubeClient *client, const Object *about, gboolean warning, const char *reason, const char *message,
                  const char *component);
