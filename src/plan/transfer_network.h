/* transfer_network: the network over which a plan's disks move to the target: the plan's, else the
 * destination provider's, else the one of the settings, else the pod network.
 *
 * Threads: pure functions.
 */
#pragma once
#include "kube/object.h"
#include "plan/settings.h"

/* The annotation by which a Provider names it: "namespace/name", or "name" in the plan's target namespace; ""
 * is the pod network. */
#define TRANSFER_NETWORK_ANNOTATION "forklift.konveyor.io/defaultTransferNetwork"

/* "namespace/name" of a NetworkAttachmentDefinition, to be freed; NULL: the pod network. destination and
 * settings may be NULL. */
char *transfer_network_find(const Object *plan, const Object *destination, const Settings *settings);
