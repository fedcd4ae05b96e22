/* network: the bridges that NetworkAttachmentDefinitions name.
 *
 * A definition of type bridge (or cnv-bridge, ovs excepted) has its bridge made when it is not there. A bridge stays: machines of
 * others may be on it. Threads: any. Errors: IO (what ip said), BAD_INPUT.
 */
#pragma once
#include "kube/object.h"

/* The bridge of a NetworkAttachmentDefinition's spec.config; NULL: it is of another type. To be freed. */
char *network_bridge_name(const Object *definition);

gboolean network_make_bridge(const char *name, GError **error);
