/* kinds: which kinds the API serves: the core ones and those that CustomResourceDefinitions define.
 *
 * Threads: any. A Kind is immutable and refcounted: a request goes on with the one that it began with.
 */
#pragma once
#include "local/apiserver/schema.h"

typedef struct {
    gint refs;
    char *group, *version, *kind, *list_kind, *plural, *singular;
    char **short_names, **categories; /* never NULL */
    char *resource;        /* under which its objects are stored: "pods", "plans.forklift.konveyor.io" */
    char *storage_version; /* the version that stored objects name */
    gboolean namespaced, custom;
    gboolean has_status;     /* status is written by its own subresource */
    gboolean has_generation; /* metadata.generation counts changes of what is not status */
    gboolean unchecked;      /* answered, never stored (reviews) */
    char *replicas_path, *replicas_status_path,
        *selector_path; /* of scale: "spec.replicas"; NULL: has no scale */
    SchemaSet *types;   /* the set that owns schema */
    const Schema *schema;
    json_t *openapi; /* of a custom kind, as its definition has it; NULL: none or a core kind */
    json_t *columns; /* additionalPrinterColumns of a custom kind, or NULL */
} Kind;
Kind *kind_ref(Kind *kind);
void kind_unref(Kind *kind);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Kind, kind_unref)

char *kind_api_version(const Kind *kind); /* "v1", "apps/v1" */
/* "pods", "deployments.apps": as messages name it. */
char *kind_group_resource(const Kind *kind);

typedef struct Kinds Kinds;
Kinds *kinds_new(GError **error);
void kinds_free(Kinds *kinds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Kinds, kinds_free)

Kind *kinds_find(Kinds *kinds, const char *group, const char *version,
                 const char *plural); /* a reference, or NULL */
GPtrArray *kinds_all(Kinds *kinds); /* of Kind, references; ordered by group (core first), version, plural */
const SchemaSet *kinds_core_types(const Kinds *kinds);

/* Checks a CustomResourceDefinition and fills in its names and status (established at once). KUBE_INVALID's
 * details are in causes. Its columns, schemas and names are served after kinds_add(). */
gboolean kinds_prepare_definition(Kinds *kinds, json_t *definition, GPtrArray *causes);
gboolean kinds_add_definition(Kinds *kinds, const json_t *definition, GError **error);
void kinds_remove_definition(Kinds *kinds, const char *name); /* "plans.forklift.konveyor.io" */
