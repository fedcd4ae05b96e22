/* schema_validate: finds each field of an object that is wrong, and says why. */
#include "base/clock.h"
#include "local/apiserver/schema_parts.h"
#include <math.h>
#include <string.h>

void schema_cause_free(gpointer data)
{
    SchemaCause *cause = data;
    g_free(cause->field);
    g_free(cause->message);
    g_free(cause);
}

GPtrArray *schema_causes_new(void)
{
    return g_ptr_array_new_with_free_func(schema_cause_free);
}

void schema_cause_add(GPtrArray *causes, const char *reason, const char *field, const char *format, ...)
{
    SchemaCause *cause = g_new(SchemaCause, 1);
    va_list args;

    va_start(args, format);
    *cause = (SchemaCause){reason, g_strdup(field), g_strdup_vprintf(format, args)};
    va_end(args);
    g_ptr_array_add(causes, cause);
}

/* How an error shows a value: as JSON, cut where it is long. */
static char *shown(const json_t *value)
{
    g_autofree char *text = json_text(value);
    if (strlen(text) > 200)
        strcpy(text + 197, "...");
    return g_utf8_make_valid(text, -1);
}

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_NULL:
        return "null";
    default:
        return "boolean";
    }
}

static gboolean has_type(const Schema *schema, const json_t *value)
{
    if (schema->int_or_string)
        return json_is_integer(value) || json_is_string(value) || (schema->quantity && json_is_real(value));
    switch (schema->type) {
    case ANY:
        return TRUE;
    case OBJECT:
        return json_is_object(value);
    case ARRAY:
        return json_is_array(value);
    case STRING:
        return json_is_string(value);
    case INTEGER:
        return json_is_integer(value) ||
               (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value));
    case NUMBER:
        return json_is_number(value);
    case BOOLEAN:
        return json_is_boolean(value);
    }
    return FALSE;
}

static void check(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                  GPtrArray *causes, guint level);

static void check_number(const Schema *schema, const json_t *value, const char *path, GPtrArray *causes)
{
    double number = json_number_value(value);
    gboolean int32 = json_is_integer(value) && !g_strcmp0(schema->format, "int32");

    if (schema->has_minimum && (schema->above_minimum ? number <= schema->minimum : number < schema->minimum))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %.15g: %s in body should be greater than%s %.15g", number, path,
                         schema->above_minimum ? "" : " or equal to", schema->minimum);
    if (schema->has_maximum && (schema->below_maximum ? number >= schema->maximum : number > schema->maximum))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %.15g: %s in body should be less than%s %.15g", number, path,
                         schema->below_maximum ? "" : " or equal to", schema->maximum);
    if (int32 && (json_integer_value(value) > G_MAXINT32 || json_integer_value(value) < G_MININT32))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %" JSON_INTEGER_FORMAT ": %s in body must be of type int32",
                         json_integer_value(value), path);
}

static gboolean is_base64(const char *text)
{
    gsize size = strlen(text),
          plain = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n");
    gsize padded = plain + strspn(text + plain, "=\r\n");
    guint digits = 0;

    for (const char *c = text; *c; c++)
        digits += *c != '\r' && *c != '\n';
    return padded == size && digits % 4 == 0;
}

static gboolean is_quantity(const char *text)
{
    static const char *const suffixes[] = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                           "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    char *end;

    if (!g_ascii_isdigit(*text) && !strchr("+-.", *text))
        return FALSE;
    g_ascii_strtod(text, &end);
    if (end == text || strspn(text, "+-.0123456789eE") < (gsize)(end - text))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (!strcmp(suffixes[i], end))
            return TRUE;
    return FALSE;
}

static void check_string(const Schema *schema, const json_t *value, const char *path, GPtrArray *causes)
{
    const char *text = json_string_value(value);
    glong length = schema->min_size >= 0 || schema->max_size >= 0 ? g_utf8_strlen(text, -1) : 0;

    if (schema->min_size >= 0 && length < schema->min_size)
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: \"%s\": %s in body should be at least %" G_GINT64_FORMAT
                         " chars long",
                         text, path, schema->min_size);
    if (schema->max_size >= 0 && length > schema->max_size)
        schema_cause_add(causes, "FieldValueTooLong", path,
                         "Too long: may not be more than %" G_GINT64_FORMAT " bytes", schema->max_size);
    if (schema->pattern && !g_regex_match(schema->pattern, text, 0, NULL)) {
        g_autofree char *quoted = shown(value);
        schema_cause_add(causes, "FieldValueInvalid", path, "Invalid value: %s: %s in body should match '%s'",
                         quoted, path, g_regex_get_pattern(schema->pattern));
    }
    if (!g_strcmp0(schema->format, "date-time") && clock_parse(text) < 0)
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: \"%s\": %s in body must be of type date-time: a time such as "
                         "2026-01-31T09:00:00Z",
                         text, path);
    if (!g_strcmp0(schema->format, "byte") && !is_base64(text))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %s must be base64; plain text goes into stringData", path);
    if (schema->quantity && !is_quantity(text))
        schema_cause_add(
            causes, "FieldValueInvalid", path,
            "Invalid value: \"%s\": must be a quantity: a number and a suffix such as 512Mi, 10Gi or 500m",
            text);
}

static void check_choice(const Schema *schema, const json_t *value, const char *path, GPtrArray *causes)
{
    g_autoptr(GString) supported = g_string_new(NULL);
    g_autofree char *given = NULL;
    size_t i;
    json_t *choice;

    json_array_foreach (schema->choices, i, choice)
        if (json_equal(choice, value))
            return;
    json_array_foreach (schema->choices, i, choice) {
        g_autofree char *text = shown(choice);
        g_string_append_printf(supported, "%s%s", i ? ", " : "", text);
    }
    given = shown(value);
    schema_cause_add(causes, "FieldValueNotSupported", path, "Unsupported value: %s: supported values: %s",
                     given, supported->str);
}

static void check_size(const Schema *schema, gsize size, const char *what, const char *path,
                       GPtrArray *causes)
{
    if (schema->min_size >= 0 && size < (guint64)schema->min_size)
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %" G_GSIZE_FORMAT
                         ": %s in body should have at least %" G_GINT64_FORMAT " %s",
                         size, path, schema->min_size, what);
    if (schema->max_size >= 0 && size > (guint64)schema->max_size)
        schema_cause_add(causes, "FieldValueTooMany", path,
                         "Too many: %" G_GSIZE_FORMAT ": must have at most %" G_GINT64_FORMAT " %s", size,
                         schema->max_size, what);
}

static void check_required(const char *name, GString *path, GPtrArray *causes)
{
    gsize size = path->len;
    g_string_append_printf(path, "%s%s", size ? "." : "", name);
    schema_cause_add(causes, "FieldValueRequired", path->str, "Required value");
    g_string_truncate(path, size);
}

static void check_fields(const Schema *of, const json_t *value, gboolean envelope, GString *path,
                         GPtrArray *causes, guint level)
{
    gsize size = path->len;
    const char *name;
    json_t *item;

    for (guint i = 0; of->fields && i < of->fields->len; i++) {
        const Field *field = &g_array_index(of->fields, Field, i);
        if (field->required && schema_is_absent(field->schema, json_object_get(value, field->name)))
            check_required(field->name, path, causes);
    }
    for (guint i = 0; of->needed && i < of->needed->len; i++)
        if (!json_object_get(value, g_ptr_array_index(of->needed, i)))
            check_required(g_ptr_array_index(of->needed, i), path, causes);

    json_object_foreach ((json_t *)value, name, item) {
        const Field *field = schema_field_find(of, name);
        const Schema *schema = field ? field->schema : of->values;
        if (!schema || (envelope && !field && schema_is_envelope(name)) ||
            (envelope && !strcmp(name, "metadata")))
            continue;
        g_string_append_printf(path, "%s%s", size ? "." : "", name);
        check(schema, item, FALSE, path, causes, level + 1);
        g_string_truncate(path, size);
    }
}

static void check_duplicates(const Schema *schema, const json_t *value, GString *path, GPtrArray *causes)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize size = path->len;
    size_t i;
    json_t *item;

    json_array_foreach (value, i, item) {
        g_autoptr(json_t) key = schema->keys ? json_object() : json_incref(item);
        char *text;
        for (char **k = schema->keys; k && *k; k++)
            json_object_set(key, *k, json_object_get(item, *k));
        text = json_text(key);
        if (!g_hash_table_add(seen, text)) {
            g_string_append_printf(path, "[%zu]", i);
            schema_cause_add(causes, "FieldValueDuplicate", path->str, "Duplicate value: %s", text);
            g_string_truncate(path, size);
        }
    }
}

static gboolean passes(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                       guint level)
{
    g_autoptr(GPtrArray) causes = schema_causes_new();
    check(schema, value, envelope, path, causes, level);
    return causes->len == 0;
}

static void check_groups(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                         GPtrArray *causes, guint level)
{
    guint any = 0, one = 0;

    for (guint i = 0; schema->all && i < schema->all->len; i++)
        check(g_ptr_array_index(schema->all, i), value, envelope, path, causes, level + 1);
    for (guint i = 0; schema->any && i < schema->any->len; i++)
        any += passes(g_ptr_array_index(schema->any, i), value, envelope, path, level + 1);
    for (guint i = 0; schema->one && i < schema->one->len; i++)
        one += passes(g_ptr_array_index(schema->one, i), value, envelope, path, level + 1);
    if (schema->any && !any)
        schema_cause_add(causes, "FieldValueInvalid", path->str,
                         "Invalid value: must validate at least one schema (anyOf)");
    if (schema->one && one != 1)
        schema_cause_add(causes, "FieldValueInvalid", path->str,
                         "Invalid value: must validate one and only one schema (oneOf)");
    if (schema->not &&passes(schema->not, value, envelope, path, level + 1))
        schema_cause_add(causes, "FieldValueInvalid", path->str,
                         "Invalid value: must not validate the schema (not)");
}

static void check(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                  GPtrArray *causes, guint level)
{
    const Schema *of = schema_target(schema);
    gsize size = path->len;
    size_t i;
    json_t *item;

    if (level > SCHEMA_MOST_LEVELS || (json_is_null(value) && schema->nullable))
        return;
    if (!has_type(of, value)) {
        g_autofree char *text = json_is_object(value) || json_is_array(value)
                                    ? g_strdup_printf("\"%s\"", type_of(value))
                                    : shown(value);
        schema_cause_add(causes, "FieldValueTypeInvalid", path->str,
                         "Invalid value: \"%s\": %s in body must be of type %s: %s", type_of(value),
                         path->str,
                         of->quantity        ? "quantity"
                         : of->int_or_string ? "integer or string"
                                             : schema_type_names[of->type],
                         text);
        return;
    }
    if (schema->choices)
        check_choice(schema, value, path->str, causes);
    if (json_is_number(value))
        check_number(schema, value, path->str, causes);
    if (json_is_string(value))
        check_string(schema, value, path->str, causes);
    if (json_is_array(value)) {
        check_size(schema, json_array_size(value), "items", path->str, causes);
        if (schema->keys || schema->set)
            check_duplicates(schema, value, path, causes);
        if (of->items)
            json_array_foreach (value, i, item) {
                g_string_append_printf(path, "[%zu]", i);
                check(of->items, item, FALSE, path, causes, level + 1);
                g_string_truncate(path, size);
            }
    }
    if (json_is_object(value)) {
        check_size(schema, json_object_size(value), "properties", path->str, causes);
        check_fields(of, value, envelope || of->embedded, path, causes, level);
    }
    check_groups(schema, value, envelope, path, causes, level);
}

void schema_validate(const Schema *schema, const json_t *object, GPtrArray *causes)
{
    g_autoptr(GString) path = g_string_new(NULL);
    check(schema, object, TRUE, path, causes, 0);
}

void schema_validate_part(const Schema *schema, const json_t *part, const char *at, GPtrArray *causes)
{
    g_autoptr(GString) path = g_string_new(at);
    check(schema, part, FALSE, path, causes, 0);
}
