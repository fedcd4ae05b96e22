/* manifests: applies the YAML files that come with the program, without undoing what users changed since.
 *
 * Each object remembers in the annotation gantry.io/applied which text it was made from. It is left alone as
 * long as that is the text; a new text (after an upgrade) is merged into it. Threads: any. Errors: those of
 * yaml.h and kube/client.h, with the file's name; BAD_INPUT for a kind that Gantry does not know.
 */
#pragma once
#include "kube/client.h"

#define MANIFEST_APPLIED "gantry.io/applied"

/* All *.yaml files of a directory, by name. */
gboolean manifests_apply(KubeClient *client, const char *directory, GCancellable *cancel, GError **error);
gboolean manifest_apply(KubeClient *client, const json_t *manifest, GCancellable *cancel, GError **error);
