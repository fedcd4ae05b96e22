/* template: the manifests of Gantry's services (deploy/services/) as they are installed: texts with <names>
 * in them, and a few annotations that say when an object is there at all.
 *
 *   gantry.io/feature: feature_ui          only while this setting is on
 *   gantry.io/needs: oauth.openshift.io/v1 only where the cluster serves this API; "!…": only where it does
 * not gantry.io/keep: "true"                 stays when Gantry is removed: users have their own things in it
 *
 * Threads: any; a Template is immutable. Errors: those of yaml.h; INTERNAL for a <name> that has no value.
 */
#pragma once
#include "kube/client.h"

typedef struct {
    json_t *manifest; /* without those annotations, all names filled in */
    const KubeResource *resource;
    char *feature, *needs; /* or NULL */
    gboolean keep;
} Template;

void template_free(Template *one);

/* All documents of the directory's *.yaml, by file name and in their order. values: name → text. */
GPtrArray *templates_load(const char *directory, GHashTable *values, GError **error);

/* Replaces every <name> in the texts of a document. */
gboolean template_fill(json_t *manifest, GHashTable *values, GError **error);
