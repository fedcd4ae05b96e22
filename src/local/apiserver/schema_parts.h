/* schema_parts: the compiled form of a schema, for the files that make it, walk along it and show it.
 *
 * Threads: as schema.h: written while it is made, immutable afterwards.
 */
#pragma once
#include "local/apiserver/schema.h"

enum { SCHEMA_MOST_LEVELS = 64 };

typedef enum { ANY, OBJECT, ARRAY, STRING, INTEGER, NUMBER, BOOLEAN } Type;

typedef struct {
    char *name;
    const Schema *schema;
    gboolean required;
    guint16 number, outer; /* in protobuf; outer: of the message that is inlined in JSON. 0: none */
    gboolean zero_absent;  /* protobuf's zero value means that the field was not set */
} Field;

struct Schema {
    Type type;
    guint nullable : 1, int_or_string : 1, preserve : 1, embedded : 1, set : 1, atomic : 1, quantity : 1;
    guint has_minimum : 1, has_maximum : 1, above_minimum : 1, below_maximum : 1;
    char *name;        /* of a named type */
    char *description; /* for clients */
    char *format;
    GArray *fields;    /* of Field, by name; NULL: none are named */
    GPtrArray *needed; /* names of required fields that the schema does not describe */
    const Schema *items, *values;
    const Schema *ref; /* a named type that says all but default and description */
    json_t *fallback;  /* the default */
    json_t *choices;   /* the enum */
    GRegex *pattern;
    double minimum, maximum;
    gint64 min_size, max_size; /* characters, items or fields; -1: no limit */
    char **keys;
    GPtrArray *all, *any, *one; /* of const Schema */
    const Schema * not ;
};

struct SchemaSet {
    gint refs;
    GPtrArray *schemas; /* every Schema, owned */
    GHashTable *types;  /* name → Schema */
};

extern const char *const schema_type_names[BOOLEAN + 1]; /* by Type; of ANY: "" */

SchemaSet *schema_set_new(void);
Schema *schema_new(SchemaSet *set, Type type); /* the set's */

void schema_field_add(Schema *schema, const char *name, const Schema *of, gboolean required);
void schema_sort_fields(Schema *schema); /* after the last was added */
const Field *schema_field_find(const Schema *schema, const char *name);

/* What describes the value: for a field of a named type, that type. */
const Schema *schema_target(const Schema *schema);

/* The first level of an object, and of one embedded in another, has members that no schema describes. */
gboolean schema_is_envelope(const char *name);
/* nullable fields keep a null; for all others null means absent. */
gboolean schema_is_absent(const Schema *schema, const json_t *value);
