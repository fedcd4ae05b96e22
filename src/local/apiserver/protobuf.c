/* protobuf: a walk over the wire format along a schema. */
#include "local/apiserver/protobuf.h"
#include <string.h>

enum { most_levels = 64 };
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

typedef struct {
    const guint8 *at, *end;
} Reader;

typedef struct {
    guint number, type;
    guint64 value; /* of VARINT, FIXED64, FIXED32 */
    Reader bytes;  /* of BYTES */
} Item;

/* ---- the wire ---- */

static gboolean read_varint(Reader *reader, guint64 *value)
{
    *value = 0;
    for (guint shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        guint8 byte = *reader->at++;
        *value |= (guint64)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return TRUE;
    }
    return FALSE;
}

static gboolean read_fixed(Reader *reader, guint size, guint64 *value)
{
    if ((gsize)(reader->end - reader->at) < size)
        return FALSE;
    *value = 0;
    for (guint i = 0; i < size; i++)
        *value |= (guint64)reader->at[i] << (8 * i);
    reader->at += size;
    return TRUE;
}

static gboolean read_item(Reader *reader, Item *item)
{
    guint64 tag, size;

    *item = (Item){0};
    if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag >> 3 > 1 << 20)
        return FALSE;
    item->number = tag >> 3;
    item->type = tag & 7;
    switch (item->type) {
    case VARINT:
        return read_varint(reader, &item->value);
    case FIXED64:
        return read_fixed(reader, 8, &item->value);
    case FIXED32:
        return read_fixed(reader, 4, &item->value);
    case BYTES:
        if (!read_varint(reader, &size) || size > (guint64)(reader->end - reader->at))
            return FALSE;
        item->bytes = (Reader){reader->at, reader->at + size};
        reader->at += size;
        return TRUE;
    default:
        return FALSE;
    }
}

static gsize left(const Reader *reader)
{
    return reader->end - reader->at;
}

/* ---- values ---- */

static json_t *string_value(const Item *item)
{
    gsize size = left(&item->bytes);
    return json_stringn(size ? (const char *)item->bytes.at : "", size);
}

/* The items of a small message by number, for those that JSON does not show as objects. */
static gboolean read_small(Reader bytes, Item *items, guint count)
{
    Item item;

    while (left(&bytes)) {
        if (!read_item(&bytes, &item))
            return FALSE;
        if (item.number < count)
            items[item.number] = item;
    }
    return TRUE;
}

static json_t *time_value(const Item *item)
{
    Item parts[3] = {0}; /* seconds 1, nanoseconds 2 */
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *text = NULL;

    if (!read_small(item->bytes, parts, 3))
        return NULL;
    if (!left(&item->bytes) || !(time = g_date_time_new_from_unix_utc((gint64)parts[1].value)))
        return json_null();
    text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    return json_string(text);
}

static json_t *quantity_value(const Item *item)
{
    Item parts[2] = {0}; /* string 1 */
    return read_small(item->bytes, parts, 2) ? string_value(&parts[1]) : NULL;
}

static json_t *int_or_string_value(const Item *item)
{
    Item parts[4] = {0}; /* type 1 (1: string), intVal 2, strVal 3 */

    if (!read_small(item->bytes, parts, 4))
        return NULL;
    return parts[1].value ? string_value(&parts[3]) : json_integer((gint32)parts[2].value);
}

static json_t *base64_value(const Item *item)
{
    g_autofree char *text = g_base64_encode(item->bytes.at, left(&item->bytes));
    return json_string(text);
}

static gboolean read_message(const Schema *schema, guint outer, Reader reader, json_t *object, guint level);

static json_t *message_value(const Schema *schema, const Item *item, guint level)
{
    g_autoptr(json_t) object = json_object();
    return read_message(schema, 0, item->bytes, object, level + 1) ? g_steal_pointer(&object) : NULL;
}

/* NULL: not to be read as that. */
static json_t *value_of(const Schema *schema, const Item *item, guint level)
{
    WireType type = schema_wire_type(schema);

    if ((item->type == BYTES) == (type == WIRE_INT || type == WIRE_BOOL))
        return NULL;
    switch (type) {
    case WIRE_MESSAGE:
        return message_value(schema, item, level);
    case WIRE_STRING:
        return string_value(item);
    case WIRE_BYTES:
        return base64_value(item);
    case WIRE_INT:
        return json_integer((gint64)item->value);
    case WIRE_BOOL:
        return json_boolean(item->value != 0);
    case WIRE_TIME:
        return time_value(item);
    case WIRE_QUANTITY:
        return quantity_value(item);
    case WIRE_INT_OR_STRING:
        return int_or_string_value(item);
    default:
        return NULL;
    }
}

static gboolean is_zero(const json_t *value)
{
    return json_is_null(value) || json_is_false(value) ||
           (json_is_integer(value) && !json_integer_value(value)) ||
           (json_is_string(value) && !json_string_length(value)) ||
           (json_is_object(value) && !json_object_size(value));
}

/* ---- messages ---- */

static gboolean read_entry(const Schema *values, const Item *item, json_t *object, const char *name,
                           guint level)
{
    Item parts[3] = {[1] = {.type = BYTES}, [2] = {.type = BYTES}}; /* key 1, value 2 */
    g_autoptr(json_t) value = NULL;
    json_t *map = json_object_get(object, name);

    if (item->type != BYTES || !read_small(item->bytes, parts, 3) || parts[1].type != BYTES ||
        !(value = value_of(values, &parts[2], level)))
        return FALSE;
    if (!map)
        json_object_set_new(object, name, map = json_object());
    return json_object_setn(map, (const char *)parts[1].bytes.at, left(&parts[1].bytes), value) == 0 ||
           !left(&parts[1].bytes);
}

static gboolean read_element(const Schema *items, const Item *item, json_t *object, const char *name,
                             guint level)
{
    json_t *list = json_object_get(object, name), *value;

    if (schema_wire_type(items) == WIRE_SKIPPED)
        return TRUE;
    if (!(value = value_of(items, item, level)))
        return FALSE;
    if (!list)
        json_object_set_new(object, name, list = json_array());
    return json_array_append_new(list, value) == 0;
}

static gboolean read_field(const Schema *field, const Item *item, json_t *object, const char *name,
                           gboolean zero_absent, guint level)
{
    json_t *value;

    switch (schema_wire_type(field)) {
    case WIRE_SKIPPED:
        return TRUE;
    case WIRE_MAP:
        return read_entry(schema_field(field, ""), item, object, name, level);
    case WIRE_LIST:
        return read_element(schema_items(field), item, object, name, level);
    default:
        if (!(value = value_of(field, item, level)))
            return FALSE;
        if (zero_absent && is_zero(value))
            json_decref(value);
        else
            json_object_set_new(object, name, value);
        return TRUE;
    }
}

static gboolean read_message(const Schema *schema, guint outer, Reader reader, json_t *object, guint level)
{
    Item item;

    if (level > most_levels)
        return FALSE;
    while (left(&reader)) {
        const char *name;
        gboolean zero_absent;
        const Schema *field;

        if (!read_item(&reader, &item))
            return FALSE;
        field = schema_wire_field(schema, outer, item.number, &name, &zero_absent);
        if (field && !read_field(field, &item, object, name, zero_absent, level))
            return FALSE;
        if (!field && !outer && item.type == BYTES && schema_wire_inlines(schema, item.number) &&
            !read_message(schema, item.number, item.bytes, object, level + 1))
            return FALSE;
    }
    return TRUE;
}

/* ---- the envelope ---- */

static gboolean bad(GError **error, const char *why)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "request body: %s", why);
    return FALSE;
}

static gboolean read_envelope(Reader reader, Item *kind, Item *raw, GError **error)
{
    Item unknown[3] = {0}; /* typeMeta 1, raw 2 */

    if (left(&reader) < 4 || memcmp(reader.at, "k8s", 4) != 0)
        return bad(error, "does not begin as Kubernetes' protobuf does");
    reader.at += 4;
    if (!read_small(reader, unknown, 3) || unknown[1].type != BYTES || unknown[2].type != BYTES ||
        !read_small(unknown[1].bytes, kind, 3) || kind[1].type != BYTES || kind[2].type != BYTES)
        return bad(error, "is not valid protobuf");
    *raw = unknown[2];
    return TRUE;
}

/* metadata is field 1 of every kind; types.txt does not repeat it. */
static gboolean read_object(const SchemaSet *types, const Schema *schema, Reader reader, json_t *object)
{
    const char *name;
    gboolean zero_absent;
    Reader copy = reader;
    Item item;

    if (!read_message(schema, 0, reader, object, 0))
        return FALSE;
    if (schema_wire_field(schema, 0, 1, &name, &zero_absent))
        return TRUE;
    while (left(&copy) && read_item(&copy, &item))
        if (item.number == 1 && item.type == BYTES) {
            json_t *metadata = message_value(schema_set_type(types, "ObjectMeta"), &item, 0);
            if (!metadata)
                return FALSE;
            json_object_set_new(object, "metadata", metadata);
        }
    return TRUE;
}

json_t *protobuf_object(const SchemaSet *types, gconstpointer bytes, gsize size, GError **error)
{
    Reader reader = {bytes, (const guint8 *)bytes + size};
    Item kind[3] = {0}; /* apiVersion 1, kind 2 */
    g_autoptr(json_t) object = json_object();
    g_autofree char *name = NULL;
    const Schema *schema;
    Item raw;

    if (!read_envelope(reader, kind, &raw, error))
        return NULL;
    name = g_strndup((const char *)kind[2].bytes.at, left(&kind[2].bytes));
    if (!(schema = schema_set_type(types, name))) {
        bad(error, "is of a kind that is only taken as JSON or YAML");
        return NULL;
    }
    if (!read_object(types, schema, raw.bytes, object)) {
        bad(error, "is not valid protobuf of its kind");
        return NULL;
    }
    json_object_set_new(object, "apiVersion", string_value(&kind[1]));
    json_object_set_new(object, "kind", string_value(&kind[2]));
    return g_steal_pointer(&object);
}
