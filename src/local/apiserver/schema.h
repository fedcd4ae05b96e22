/* schema: what an object of a kind may hold: structural schemas, of CustomResourceDefinitions and of the core
 * kinds.
 *
 * The same four things are done with both: defaults are filled in, unknown fields are found and removed,
 * values are checked with the path of each field that is wrong, and clients are shown the schema. Follows
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 * (structural schemas). x-kubernetes-validations (CEL) are accepted and not evaluated. Threads: immutable
 * once made. Limits: 64 levels, which jansson's own parser limit keeps documents under as well.
 */
#pragma once
#include "base/json.h"

typedef struct Schema Schema;       /* owned by its set */
typedef struct SchemaSet SchemaSet; /* refcounted */

SchemaSet *schema_set_ref(SchemaSet *set);
void schema_set_unref(SchemaSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SchemaSet, schema_set_unref)

/* From the notation of types.txt. */
SchemaSet *schema_set_from_types(const char *text, GError **error);
const Schema *schema_set_type(const SchemaSet *set, const char *name); /* NULL: none of that name */
/* From an OpenAPI v3 schema, as in a CustomResourceDefinition. path names it in errors (KUBE_INVALID). root
 * is the set's life long. */
SchemaSet *schema_set_from_openapi(const json_t *openapi, const char *path, const Schema **root,
                                   GError **error);

/* One field that is wrong. */
typedef struct {
    const char *reason; /* "FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported" … */
    char *field;        /* "spec.vms[0].id" */
    char *message;      /* "Invalid value: …", without the field */
} SchemaCause;
void schema_cause_free(gpointer cause);
GPtrArray *schema_causes_new(void);
void schema_cause_add(GPtrArray *causes, const char *reason, const char *field, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* All take the whole object: apiVersion, kind and metadata are left alone. */
void schema_default(const Schema *schema, json_t *object);
/* What a field has that is not given; NULL: nothing. Borrowed; schema may be NULL. */
json_t *schema_default_of(const Schema *schema);
/* Removes what the schema does not know; unknown (may be NULL) gets the paths, char * owned by it. */
void schema_prune(const Schema *schema, json_t *object, GPtrArray *unknown);
void schema_validate(const Schema *schema, const json_t *object, GPtrArray *causes);

/* The same for a part of an object, at path ("metadata"). */
void schema_prune_part(const Schema *schema, json_t *part, const char *path, GPtrArray *unknown);
void schema_validate_part(const Schema *schema, const json_t *part, const char *path, GPtrArray *causes);

/* The schema of a field of an object ("spec"), of a list's items, of a map's values; NULL: none is known. */
const Schema *schema_field(const Schema *schema, const char *name);
const Schema *schema_items(const Schema *schema);
/* How items of a list are told apart: keys (NULL-terminated) for a map list, "set", or "atomic". */
const char *const *schema_list_keys(const Schema *schema); /* NULL: no map list */
gboolean schema_is_set(const Schema *schema);
gboolean schema_is_atomic(const Schema *schema); /* a list or map that is replaced whole */

/* All named types of a set as OpenAPI v3 components, each "PREFIX.Name". */
json_t *schema_set_openapi(const SchemaSet *set, const char *prefix);

/* ---- protobuf, of the core types: protobuf.c ---- */

typedef enum {
    WIRE_SKIPPED, /* a type that is not described further */
    WIRE_MESSAGE,
    WIRE_LIST,
    WIRE_MAP, /* keys are strings */
    WIRE_STRING,
    WIRE_BYTES,
    WIRE_INT,
    WIRE_BOOL,
    WIRE_TIME,
    WIRE_QUANTITY,
    WIRE_INT_OR_STRING
} WireType;
WireType schema_wire_type(const Schema *schema);
/* The field with this number, in the message itself (outer 0) or in the one of number outer, whose fields
 * JSON has inline. NULL: none. */
const Schema *schema_wire_field(const Schema *schema, guint outer, guint number, const char **name,
                                gboolean *zero_absent);
gboolean schema_wire_inlines(const Schema *schema, guint number);
