/* filter: parses q=, and holds documents against it. */
#include "inventory/filter.h"
#include <string.h>

enum { MOST_TEXT = 1024, MOST_TERMS = 16 };

typedef enum { EQUAL, NOT_EQUAL, CONTAINS, GREATER, LESS } Relation;

typedef struct {
    GStrv fields, values; /* any of these with any of those; parts to look for are in lower case */
    Relation relation;
    double number;
} Term;

struct Filter {
    GPtrArray *terms; /* of Term */
    char *sort;       /* or NULL */
    gboolean downwards;
};

static void term_free(gpointer data)
{
    Term *term = data;

    g_strfreev(term->fields);
    g_strfreev(term->values);
    g_free(term);
}

void filter_free(Filter *filter)
{
    g_ptr_array_unref(filter->terms);
    g_free(filter->sort);
    g_free(filter);
}

/* ---- parsing ------------------------------------------------------------------------------------------- */

static gboolean is_field(const char *text, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '.' && text[i] != '_')
            return FALSE;
    return len > 0 && text[0] != '.' && text[len - 1] != '.';
}

static gboolean are_fields(const char *text, gsize len)
{
    for (gsize end; (end = strcspn(text, "|")) < len; text += end + 1, len -= end + 1)
        if (!is_field(text, end))
            return FALSE;
    return is_field(text, len);
}

static gboolean bad_term(const char *term, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "'%s' is no term: FIELD=VALUE, FIELD!=VALUE, FIELD~PART, FIELD>NUMBER, FIELD<NUMBER, "
                "FIELD or -FIELD; FIELD|FIELD and VALUE|VALUE for any of them, except with > and <",
                term);
    return FALSE;
}

static gboolean parse_sort(Filter *filter, const char *term, GError **error)
{
    gboolean downwards = *term == '-';
    const char *field = term + downwards;

    if (!is_field(field, strlen(field)))
        return bad_term(term, error);
    if (filter->sort) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "sorting by '%s' and '%s': only one field may be given", filter->sort, field);
        return FALSE;
    }
    filter->sort = g_strdup(field);
    filter->downwards = downwards;
    return TRUE;
}

static gboolean parse_number(Term *term, const char *text, GError **error)
{
    const char *value = term->values[0];
    char *end;

    if (term->values[1] || term->fields[1])
        return bad_term(text, error);
    term->number = g_ascii_strtod(value, &end);
    return (*value && !*end) || bad_term(text, error);
}

static GStrv parse_values(const char *text, Relation relation)
{
    g_autofree char *cased = relation == CONTAINS ? g_utf8_strdown(text, -1) : g_strdup(text);

    return *cased ? g_strsplit(cased, "|", -1) : g_strdupv((char *[]){"", NULL});
}

static gboolean parse_term(Filter *filter, const char *text, GError **error)
{
    static const struct {
        const char *sign;
        Relation relation;
    } relations[] = {{"!=", NOT_EQUAL}, {"=", EQUAL}, {"~", CONTAINS}, {">", GREATER}, {"<", LESS}};
    const char *at = strpbrk(text, "!=~><");
    Term *term = NULL;

    if (!at)
        return parse_sort(filter, text, error);
    for (guint i = 0; !term && i < G_N_ELEMENTS(relations); i++)
        if (g_str_has_prefix(at, relations[i].sign) && are_fields(text, at - text)) {
            g_autofree char *fields = g_strndup(text, at - text);
            term = g_new0(Term, 1);
            term->fields = g_strsplit(fields, "|", -1);
            term->relation = relations[i].relation;
            term->values = parse_values(at + strlen(relations[i].sign), term->relation);
        }
    if (!term)
        return bad_term(text, error);
    g_ptr_array_add(filter->terms, term);
    return term->relation < GREATER || parse_number(term, text, error);
}

Filter *filter_parse(const char *text, GError **error)
{
    g_auto(GStrv) terms = NULL;
    g_autoptr(Filter) filter = NULL;

    if (strlen(text) > MOST_TEXT) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "q: more than %d bytes", MOST_TEXT);
        return NULL;
    }
    if (!g_utf8_validate(text, -1, NULL)) { /* GLib's functions for letters write anywhere then */
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, "q: is no UTF-8 text");
        return NULL;
    }
    terms = g_strsplit(text, ",", -1);
    if (g_strv_length(terms) > MOST_TERMS) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "q: more than %d terms", MOST_TERMS);
        return NULL;
    }
    filter = g_new0(Filter, 1);
    filter->terms = g_ptr_array_new_with_free_func(term_free);
    for (guint i = 0, column = 1; terms[i]; column += g_utf8_strlen(terms[i], -1) + 1, i++)
        if (!parse_term(filter, terms[i], error)) {
            g_prefix_error(error, "q: column %u: ", column);
            return NULL;
        }
    return g_steal_pointer(&filter);
}

/* ---- matching ------------------------------------------------------------------------------------------ */

/* A value as text: what a user would type for it. */
static char *text_of(const json_t *value)
{
    if (json_is_string(value))
        return g_strdup(json_string_value(value));
    if (json_is_integer(value))
        return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_boolean(value))
        return g_strdup(json_is_true(value) ? "true" : "false");
    return g_strdup("");
}

static gboolean value_holds(const Term *term, const json_t *value)
{
    g_autofree char *text = NULL, *lower = NULL;

    if (term->relation == GREATER)
        return json_is_number(value) && json_number_value(value) > term->number;
    if (term->relation == LESS)
        return json_is_number(value) && json_number_value(value) < term->number;
    text = text_of(value);
    if (term->relation != CONTAINS)
        return g_strv_contains((const char *const *)term->values, text);
    lower = g_utf8_strdown(text, -1);
    for (guint i = 0; term->values[i]; i++)
        if (strstr(lower, term->values[i]))
            return TRUE;
    return FALSE;
}

/* Whether any value at the path holds; an array on the way stands for its items. */
static gboolean any_holds(const Term *term, const json_t *at, const char *path)
{
    const char *dot;
    json_t *item;
    size_t index;

    if (json_is_array(at)) {
        json_array_foreach (at, index, item) {
            if (any_holds(term, item, path))
                return TRUE;
        }
        return FALSE;
    }
    if (!path)
        return value_holds(term, at);
    dot = strchr(path, '.');
    item = dot ? json_object_getn(at, path, dot - path) : json_object_get(at, path);
    return item && any_holds(term, item, dot ? dot + 1 : NULL);
}

static gboolean any_field_holds(const Term *term, const json_t *document)
{
    for (guint i = 0; term->fields[i]; i++)
        if (any_holds(term, document, term->fields[i]))
            return TRUE;
    return FALSE;
}

gboolean filter_matches(const Filter *filter, const json_t *document)
{
    for (guint i = 0; i < filter->terms->len; i++) {
        const Term *term = filter->terms->pdata[i];
        if (any_field_holds(term, document) != (term->relation != NOT_EQUAL))
            return FALSE;
    }
    return TRUE;
}

gboolean filter_sorts(const Filter *filter)
{
    return filter->sort != NULL;
}

int filter_compare(const Filter *filter, const json_t *a, const json_t *b)
{
    const json_t *one = json_at(a, filter->sort), *other = json_at(b, filter->sort);
    int order;

    if (json_is_number(one) && json_is_number(other)) {
        double difference = json_number_value(one) - json_number_value(other);
        order = (difference > 0) - (difference < 0);
    } else {
        g_autofree char *one_text = text_of(one), *other_text = text_of(other);
        order = strcmp(one_text, other_text);
    }
    return filter->downwards ? -order : order;
}
