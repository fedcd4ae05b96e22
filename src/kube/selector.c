/* selector: a list of requirements, each of which an object has to meet. */
#include "kube/selector.h"
#include <string.h>

#define MOST_SIZE         (64 * 1024)
#define MOST_REQUIREMENTS 1000

typedef enum { IS_IN, IS_NOT_IN, EXISTS, EXISTS_NOT, GREATER, LESS } Relation;

typedef struct {
    char *key; /* a label's key, or a field's path */
    Relation relation;
    GPtrArray *values; /* of char *; of IS_IN and IS_NOT_IN: any number, of GREATER and LESS: one */
} Requirement;

struct Selector {
    gboolean of_fields;
    GPtrArray *requirements;
};

static void requirement_free(Requirement *requirement)
{
    g_free(requirement->key);
    g_ptr_array_unref(requirement->values);
    g_free(requirement);
}

static Selector *selector_new(gboolean of_fields)
{
    Selector *selector = g_new0(Selector, 1);
    selector->of_fields = of_fields;
    selector->requirements = g_ptr_array_new_with_free_func((GDestroyNotify)requirement_free);
    return selector;
}

void selector_free(Selector *selector)
{
    g_ptr_array_unref(selector->requirements);
    g_free(selector);
}

static Requirement *add(Selector *selector, const char *key, gsize size, Relation relation)
{
    Requirement *requirement = g_new0(Requirement, 1);
    requirement->key = g_strndup(key, size);
    requirement->relation = relation;
    requirement->values = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(selector->requirements, requirement);
    return requirement;
}

/* ---- parsing ---- */

typedef struct {
    const char *text, *at;
} Scanner;

static gboolean fail(const Scanner *scanner, const char *why, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_SELECTOR, "selector \"%.200s\", character %d: %s",
                scanner->text, (int)(scanner->at - scanner->text) + 1, why);
    return FALSE;
}

static void skip_blanks(Scanner *scanner)
{
    scanner->at += strspn(scanner->at, " \t");
}

static gboolean take(Scanner *scanner, const char *sign)
{
    skip_blanks(scanner);
    if (!g_str_has_prefix(scanner->at, sign))
        return FALSE;
    scanner->at += strlen(sign);
    return TRUE;
}

static gsize word(Scanner *scanner, const char **begin)
{
    gsize size;

    skip_blanks(scanner);
    *begin = scanner->at;
    size = strcspn(scanner->at, " \t,=!()<>");
    scanner->at += size;
    return size;
}

/* A label's value or key: what labels may hold (and, in a key, the slash after a DNS prefix). */
static gboolean is_label_text(const char *text, gsize size, gsize most)
{
    for (gsize i = 0; i < size; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("-_./", text[i]))
            return FALSE;
    return size <= most;
}

static gboolean take_value(Scanner *scanner, Requirement *requirement, GError **error)
{
    const char *begin;
    gsize size = word(scanner, &begin);

    if (!is_label_text(begin, size, 63)) {
        scanner->at = begin;
        return fail(scanner, "not a label value (at most 63 of A-Z a-z 0-9 - _ .)", error);
    }
    g_ptr_array_add(requirement->values, g_strndup(begin, size));
    return TRUE;
}

static gboolean take_set(Scanner *scanner, Requirement *requirement, GError **error)
{
    if (!take(scanner, "("))
        return fail(scanner, "'(' expected after 'in' or 'notin'", error);
    do {
        if (!take_value(scanner, requirement, error))
            return FALSE;
    } while (take(scanner, ","));
    return take(scanner, ")") || fail(scanner, "',' or ')' expected", error);
}

static gboolean take_number(Scanner *scanner, Requirement *requirement, GError **error)
{
    const char *value;

    if (!take_value(scanner, requirement, error))
        return FALSE;
    value = requirement->values->pdata[0];
    return g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, NULL, NULL) ||
           fail(scanner, "'<' and '>' need a whole number", error);
}

static gboolean take_operation(Scanner *scanner, Selector *selector, const char *key, gsize size,
                               GError **error)
{
    static const struct {
        const char *sign;
        Relation relation;
        gboolean (*rest)(Scanner *scanner, Requirement *requirement, GError **error);
    } table[] = {{"==", IS_IN, take_value},      {"=", IS_IN, take_value}, {"!=", IS_NOT_IN, take_value},
                 {"notin", IS_NOT_IN, take_set}, {"in", IS_IN, take_set},  {">", GREATER, take_number},
                 {"<", LESS, take_number}};

    skip_blanks(scanner);
    if (*scanner->at == ',' || !*scanner->at) {
        add(selector, key, size, EXISTS);
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        if (take(scanner, table[i].sign))
            return table[i].rest(scanner, add(selector, key, size, table[i].relation), error);
    return fail(scanner, "one of = == != in notin < > or ',' expected", error);
}

static gboolean take_label_requirement(Scanner *scanner, Selector *selector, GError **error)
{
    gboolean negated = take(scanner, "!");
    const char *key;
    gsize size = word(scanner, &key);

    if (size == 0 || !is_label_text(key, size, 317)) {
        scanner->at = key;
        return fail(scanner, "a label key expected", error);
    }
    if (!negated)
        return take_operation(scanner, selector, key, size, error);
    add(selector, key, size, EXISTS_NOT);
    return TRUE;
}

static gboolean take_field_requirement(Scanner *scanner, Selector *selector, GError **error)
{
    const char *path, *value;
    gsize size = word(scanner, &path);
    Requirement *requirement;
    gboolean negated;

    if (size == 0) {
        return fail(scanner, "a field path expected", error);
    }
    negated = take(scanner, "!=");
    if (!negated && !take(scanner, "==") && !take(scanner, "="))
        return fail(scanner, "one of = == != expected", error);
    requirement = add(selector, path, size, negated ? IS_NOT_IN : IS_IN);
    skip_blanks(scanner);
    value = scanner->at;
    scanner->at += strcspn(value, ",");
    g_ptr_array_add(requirement->values, g_strchomp(g_strndup(value, scanner->at - value)));
    return TRUE;
}

static Selector *parse(const char *text, gboolean of_fields, GError **error)
{
    g_autoptr(Selector) selector = selector_new(of_fields);
    Scanner scanner = {.text = text ? text : "", .at = text ? text : ""};

    if (strlen(scanner.text) > MOST_SIZE) {
        fail(&scanner, "longer than 64 KiB", error);
        return NULL;
    }
    skip_blanks(&scanner);
    if (!*scanner.at)
        return g_steal_pointer(&selector);
    do {
        if (selector->requirements->len == MOST_REQUIREMENTS) {
            fail(&scanner, "more than 1000 requirements", error);
            return NULL;
        }
        if (!(of_fields ? take_field_requirement : take_label_requirement)(&scanner, selector, error))
            return NULL;
    } while (take(&scanner, ","));
    if (*scanner.at) {
        fail(&scanner, "',' or the end expected", error);
        return NULL;
    }
    return g_steal_pointer(&selector);
}

Selector *selector_parse_labels(const char *text, GError **error)
{
    return parse(text, FALSE, error);
}
Selector *selector_parse_fields(const char *text, GError **error)
{
    return parse(text, TRUE, error);
}

/* ---- from JSON ---- */

static gboolean add_expression(Selector *selector, const json_t *expression, GError **error)
{
    static const struct {
        const char *name;
        Relation relation;
    } operators[] = {{"In", IS_IN}, {"NotIn", IS_NOT_IN}, {"Exists", EXISTS}, {"DoesNotExist", EXISTS_NOT}};
    const char *key = json_string_at(expression, "key", ""),
               *name = json_string_at(expression, "operator", "");
    const json_t *value;
    gsize i;

    for (gsize j = 0; j < G_N_ELEMENTS(operators); j++) {
        Requirement *requirement;
        if (strcmp(operators[j].name, name) || !*key)
            continue;
        requirement = add(selector, key, strlen(key), operators[j].relation);
        json_array_foreach(json_object_get(expression, "values"), i, value) if (json_is_string(value))
            g_ptr_array_add(requirement->values, g_strdup(json_string_value(value)));
        return TRUE;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_SELECTOR,
                "matchExpressions: key \"%s\", operator \"%s\": a key and In, NotIn, Exists or DoesNotExist "
                "are needed",
                key, name);
    return FALSE;
}

Selector *selector_from_json(const json_t *label_selector, GError **error)
{
    g_autoptr(Selector) selector = selector_new(FALSE);
    const char *key;
    json_t *value;
    gsize i;

    json_object_foreach(json_object_get(label_selector, "matchLabels"), key, value)
    {
        if (!json_is_string(value)) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_SELECTOR, "matchLabels.%s: must be a text", key);
            return NULL;
        }
        g_ptr_array_add(add(selector, key, strlen(key), IS_IN)->values, g_strdup(json_string_value(value)));
    }
    json_array_foreach(json_object_get(label_selector, "matchExpressions"), i,
                       value) if (!add_expression(selector, value, error)) return NULL;
    return g_steal_pointer(&selector);
}

/* ---- matching ---- */

static gboolean holds(const Requirement *requirement, const char *value)
{
    for (guint i = 0; i < requirement->values->len; i++)
        if (!strcmp(requirement->values->pdata[i], value))
            return TRUE;
    return FALSE;
}

static gboolean compare(const Requirement *requirement, const char *value)
{
    gint64 number, bound = g_ascii_strtoll(requirement->values->pdata[0], NULL, 10);

    if (!value || !g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return FALSE;
    return requirement->relation == GREATER ? number > bound : number < bound;
}

/* value NULL: the object has no such label. */
static gboolean meets(const Requirement *requirement, const char *value)
{
    switch (requirement->relation) {
    case IS_IN:
        return value && holds(requirement, value);
    case IS_NOT_IN:
        return !value || !holds(requirement, value);
    case EXISTS:
        return value != NULL;
    case EXISTS_NOT:
        return value == NULL;
    case GREATER:
    case LESS:
        break;
    }
    return compare(requirement, value);
}

/* A field's value as text; an absent one is the empty text, as the API server's own selectors have it. */
static gboolean meets_field(const Requirement *requirement, const json_t *object)
{
    const json_t *value = json_at(object, requirement->key);
    g_autofree char *number = NULL;

    if (json_is_string(value))
        return meets(requirement, json_string_value(value));
    if (json_is_boolean(value))
        return meets(requirement, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value))
        number = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return meets(requirement, number ? number : "");
}

gboolean selector_matches(const Selector *selector, const json_t *object)
{
    const json_t *labels = json_at(object, "metadata.labels");

    for (guint i = 0; i < selector->requirements->len; i++) {
        const Requirement *requirement = selector->requirements->pdata[i];
        if (selector->of_fields
                ? !meets_field(requirement, object)
                : !meets(requirement, json_string_value(json_object_get(labels, requirement->key))))
            return FALSE;
    }
    return TRUE;
}
