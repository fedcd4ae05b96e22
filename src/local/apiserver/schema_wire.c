/* schema_wire: what the protobuf reader asks of a schema. */
#include "local/apiserver/schema_parts.h"

WireType schema_wire_type(const Schema *schema)
{
    static const WireType types[] = {
        [ANY] = WIRE_SKIPPED, [OBJECT] = WIRE_MESSAGE, [ARRAY] = WIRE_LIST,  [STRING] = WIRE_STRING,
        [INTEGER] = WIRE_INT, [NUMBER] = WIRE_SKIPPED, [BOOLEAN] = WIRE_BOOL};

    if (schema->quantity)
        return WIRE_QUANTITY;
    if (schema->int_or_string)
        return WIRE_INT_OR_STRING;
    if (schema->values)
        return WIRE_MAP;
    if (!g_strcmp0(schema->format, "date-time"))
        return WIRE_TIME;
    if (!g_strcmp0(schema->format, "byte"))
        return WIRE_BYTES;
    return types[schema->type];
}

const Schema *schema_wire_field(const Schema *schema, guint outer, guint number, const char **name,
                                gboolean *zero_absent)
{
    const Schema *of = schema_target(schema);

    for (guint i = 0; of->fields && i < of->fields->len; i++) {
        const Field *field = &g_array_index(of->fields, Field, i);
        if (field->number == number && field->outer == outer) {
            *name = field->name;
            *zero_absent = field->zero_absent;
            return field->schema;
        }
    }
    return NULL;
}

gboolean schema_wire_inlines(const Schema *schema, guint number)
{
    const Schema *of = schema_target(schema);

    for (guint i = 0; of->fields && i < of->fields->len; i++)
        if (g_array_index(of->fields, Field, i).outer == number)
            return TRUE;
    return FALSE;
}
