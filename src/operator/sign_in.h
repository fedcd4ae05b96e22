/* sign_in: the secret of the console's sign-in on OpenShift, which two objects share: the OAuthClient, which
 * the cluster's OAuth server reads, and a Secret, which the console's Pod mounts.
 *
 * Guarantee: it is made once. While either object has it, both get that one; where they differ the
 * OAuthClient's holds, which an administrator may have changed. Threads: any.
 */
#pragma once
#include "operator/template.h"

/* Completes the manifests of these two before they are applied; others stay as they are. Errors: those of
 * kube/client.h. */
gboolean sign_in_fill(KubeClient *kube, const char *ns, const Template *one, GCancellable *cancel,
                      GError **error);
