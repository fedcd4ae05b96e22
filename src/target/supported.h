/* supported: a manifest without what the cluster that gets it does not know.
 *
 * An older KubeVirt refuses a VirtualMachine with a field of a newer one; its CustomResourceDefinition says
 * which it has. Fields that the schema does not list are taken out, unless it says that it keeps unknown
 * ones. Threads: pure functions.
 */
#pragma once
#include "base/json.h"

/* Takes out of manifest what the definition's schema for the manifest's version does not have. Gives the
 * paths of what was taken out ("spec.template.spec.domain.devices.interfaces[0].state"), of char*, owned;
 * empty: nothing. */
GPtrArray *target_leave_out(json_t *manifest, const json_t *definition);
