/* kinds: the nouns of get, describe, delete and patch: custom resources, and what a provider's inventory holds.
 *
 * Threads: constant data and pure functions.
 */
#pragma once
#include "kube/client.h"

typedef struct {
    const char *title;
    const char *path;                   /* of a member that is shown as it is, or NULL */
    char *(*text)(const json_t *json);  /* what is shown else; may give NULL */
    gboolean wide;                      /* only with -o wide */
} Column;

typedef struct {
    const char *names;                   /* "plan plans": singular first */
    const KubeResource *const *resources; /* ended by NULL; NULL: of the inventory */
    const char *vsphere, *ovirt, *openshift; /* collections of the inventory by type of provider; NULL: has none */
    const Column *columns;               /* ended by a NULL title */
    const char *what;
} Kind;

extern const Kind kinds[]; /* ended by NULL names */

/* The kind of this name; BAD_INPUT lists those there are. */
const Kind *kind_find(const char *word, GError **error);
/* Only those that are objects of the cluster. */
const Kind *kind_find_object(const char *word, GError **error);
/* The collection of a provider's inventory; BAD_INPUT when that type of provider has none. */
const char *kind_collection(const Kind *kind, const char *provider_type, GError **error);

/* The object of that name in whichever of the kind's resources has it, and which that was. */
Object *kind_get(const Kind *kind, KubeClient *kube, const char *ns, const char *name, const KubeResource **resource, GError **error);

/* The one source Provider of ns, or the named one. */
Object *provider_chosen(KubeClient *kube, const char *ns, const char *name, GError **error);

char *age_text(gint64 seconds);   /* "45s", "12m", "3h", "5d" */
char *bytes_text(gint64 bytes);   /* "12 MiB" */
