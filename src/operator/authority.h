/* authority: certificates for Gantry's Services where the cluster makes none: an authority of the operator's
 * own in Secret forklift-ca, its certificates in ConfigMap gantry-ca, and a Secret for each Service.
 *
 * A certificate is made anew a month before it ends, the authority two years before; the old authority stays
 * trusted beside the new one until it ends. Threads: any. Errors: those of kube/client.h and
 * net/certificate.h.
 */
#pragma once
#include "operator/template.h"

/* Does what is to be done for the Services among the templates. *bundle gets what to trust (PEM); *sum a text
 * that changes when any certificate does. owner: the metadata.ownerReferences of what is made. */
gboolean authority_keep(KubeClient *kube, const char *ns, const json_t *owner, GPtrArray *templates,
                        char **bundle, char **sum, GCancellable *cancel, GError **error);
