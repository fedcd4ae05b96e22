/* name_template: a parser that evaluates as it reads. A value is a jansson string, integer or boolean. */
#include "plan/name_template.h"
#include <string.h>

enum { TEXT_MOST = 1024, LEVELS_MOST = 32, ARGUMENTS_MOST = 8 };

typedef struct {
    const char *text, *at; /* at: the next character */
    const json_t *data;
    guint level;
    GError **error;
} Reader;

/* Gives NULL, for use in a return. */
static json_t *G_GNUC_PRINTF(2, 3) wrong(Reader *reader, const char *format, ...)
{
    va_list arguments;
    g_autofree char *what = NULL;

    va_start(arguments, format);
    what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (reader->error && !*reader->error)
        g_set_error(reader->error, GANTRY_ERROR, ERROR_BAD_INPUT, "name template '%s', character %d: %s",
                    reader->text, (int)(reader->at - reader->text) + 1, what);
    return NULL;
}

/* ---- values ---- */

static gboolean is_true(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) > 0;
    return json_is_integer(value) ? json_integer_value(value) != 0 : json_is_true(value);
}

static char *text_of(const json_t *value)
{
    if (json_is_string(value))
        return g_strdup(json_string_value(value));
    if (json_is_integer(value))
        return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return g_strdup(json_is_true(value) ? "true" : "false");
}

static gint64 number_of(const json_t *value)
{
    if (json_is_integer(value))
        return json_integer_value(value);
    return json_is_string(value) ? g_ascii_strtoll(json_string_value(value), NULL, 10) : json_is_true(value);
}

/* ---- functions ---- */

/* What a function gets: its arguments as texts and as numbers, whichever it wants. */
typedef struct {
    json_t *values[ARGUMENTS_MOST];
    char *texts[ARGUMENTS_MOST];
    gint64 numbers[ARGUMENTS_MOST];
    guint count;
} Arguments;

static json_t *take_string(char *text)
{
    g_autofree char *owned = text;
    return json_string(owned);
}

static json_t *f_lower(const Arguments *a)
{
    return take_string(g_ascii_strdown(a->texts[0], -1));
}
static json_t *f_upper(const Arguments *a)
{
    return take_string(g_ascii_strup(a->texts[0], -1));
}
static json_t *f_text(const Arguments *a)
{
    return json_string(a->texts[0]);
}
static json_t *f_int(const Arguments *a)
{
    return json_integer(a->numbers[0]);
}
static json_t *f_len(const Arguments *a)
{
    return json_integer(strlen(a->texts[0]));
}
static json_t *f_not(const Arguments *a)
{
    return json_boolean(!is_true(a->values[0]));
}
static json_t *f_eq(const Arguments *a)
{
    return json_boolean(!strcmp(a->texts[0], a->texts[1]));
}
static json_t *f_ne(const Arguments *a)
{
    return json_boolean(strcmp(a->texts[0], a->texts[1]) != 0);
}
static json_t *f_lt(const Arguments *a)
{
    return json_boolean(a->numbers[0] < a->numbers[1]);
}
static json_t *f_gt(const Arguments *a)
{
    return json_boolean(a->numbers[0] > a->numbers[1]);
}
static json_t *f_sub(const Arguments *a)
{
    return json_integer((gint64)((guint64)a->numbers[0] - (guint64)a->numbers[1]));
}
static json_t *f_default(const Arguments *a)
{
    return json_incref(a->values[is_true(a->values[1]) ? 1 : 0]);
}
static json_t *f_contains(const Arguments *a)
{
    return json_boolean(strstr(a->texts[1], a->texts[0]) != NULL);
}
static json_t *f_has_prefix(const Arguments *a)
{
    return json_boolean(g_str_has_prefix(a->texts[1], a->texts[0]));
}
static json_t *f_has_suffix(const Arguments *a)
{
    return json_boolean(g_str_has_suffix(a->texts[1], a->texts[0]));
}
static json_t *f_trim(const Arguments *a)
{
    return take_string(g_strstrip(g_strdup(a->texts[0])));
}

static json_t *f_add(const Arguments *a)
{
    guint64 sum = 0;
    for (guint i = 0; i < a->count; i++)
        sum += (guint64)a->numbers[i];
    return json_integer((gint64)sum);
}

static json_t *f_mul(const Arguments *a)
{
    guint64 product = 1;
    for (guint i = 0; i < a->count; i++)
        product *= (guint64)a->numbers[i];
    return json_integer((gint64)product);
}

static json_t *f_add1(const Arguments *a)
{
    return json_integer((gint64)((guint64)a->numbers[0] + 1));
}

static gboolean can_divide(const Arguments *a)
{
    return a->numbers[1] != 0 && !(a->numbers[0] == G_MININT64 && a->numbers[1] == -1);
}

static json_t *f_div(const Arguments *a)
{
    return can_divide(a) ? json_integer(a->numbers[0] / a->numbers[1]) : NULL;
}

static json_t *f_mod(const Arguments *a)
{
    return can_divide(a) ? json_integer(a->numbers[0] % a->numbers[1]) : NULL;
}

static json_t *f_min(const Arguments *a)
{
    gint64 least = a->numbers[0];
    for (guint i = 1; i < a->count; i++)
        least = MIN(least, a->numbers[i]);
    return json_integer(least);
}

static json_t *f_max(const Arguments *a)
{
    gint64 most = a->numbers[0];
    for (guint i = 1; i < a->count; i++)
        most = MAX(most, a->numbers[i]);
    return json_integer(most);
}

static json_t *f_and(const Arguments *a)
{
    for (guint i = 0; i + 1 < a->count; i++)
        if (!is_true(a->values[i]))
            return json_incref(a->values[i]);
    return json_incref(a->values[a->count - 1]);
}

static json_t *f_or(const Arguments *a)
{
    for (guint i = 0; i + 1 < a->count; i++)
        if (is_true(a->values[i]))
            return json_incref(a->values[i]);
    return json_incref(a->values[a->count - 1]);
}

/* A negative number cuts from the front. */
static json_t *f_trunc(const Arguments *a)
{
    gint64 len = strlen(a->texts[1]), most = a->numbers[0];

    if (most >= len || -most >= len)
        return json_string(a->texts[1]);
    return most < 0 ? json_string(a->texts[1] + len + most) : json_stringn_nocheck(a->texts[1], most);
}

static json_t *f_substr(const Arguments *a)
{
    gint64 len = strlen(a->texts[2]), from = CLAMP(a->numbers[0], 0, len);
    gint64 to = a->numbers[1] < 0 ? len : CLAMP(a->numbers[1], from, len);

    return json_stringn_nocheck(a->texts[2] + from, to - from);
}

static json_t *f_replace(const Arguments *a)
{
    g_auto(GStrv) parts = g_strsplit(a->texts[2], a->texts[0], -1);
    return *a->texts[0] ? take_string(g_strjoinv(a->texts[1], parts)) : json_string(a->texts[2]);
}

static json_t *f_trim_prefix(const Arguments *a)
{
    return json_string(a->texts[1] + (g_str_has_prefix(a->texts[1], a->texts[0]) ? strlen(a->texts[0]) : 0));
}

static json_t *f_trim_suffix(const Arguments *a)
{
    size_t len = strlen(a->texts[1]);
    return json_stringn_nocheck(a->texts[1],
                                len - (g_str_has_suffix(a->texts[1], a->texts[0]) ? strlen(a->texts[0]) : 0));
}

static json_t *f_trim_all(const Arguments *a)
{
    const char *start = a->texts[1] + strspn(a->texts[1], a->texts[0]);
    size_t len = strlen(start);

    while (len && strchr(a->texts[0], start[len - 1]))
        len--;
    return json_stringn_nocheck(start, len);
}

static json_t *f_regex_replace(const Arguments *a)
{
    g_autoptr(GRegex) regex = g_regex_new(a->texts[0], 0, 0, NULL);
    g_autofree char *result = NULL;

    /* Go writes $1 or ${1} where GRegex writes \1. */
    g_autoptr(GRegex) group = g_regex_new("\\$\\{?(\\d+)\\}?", 0, 0, NULL);
    g_autofree char *replacement = g_regex_replace(group, a->texts[2], -1, 0, "\\\\\\1", 0, NULL);
    if (regex)
        result = g_regex_replace(regex, a->texts[1], -1, 0, replacement, 0, NULL);
    return result ? json_string(result) : NULL;
}

/* NULL from a function: its arguments make no sense. */
static const struct {
    const char *name;
    guint least, most;
    json_t *(*call)(const Arguments *a);
} functions[] = {
    {"add", 1, ARGUMENTS_MOST, f_add},
    {"add1", 1, 1, f_add1},
    {"and", 1, ARGUMENTS_MOST, f_and},
    {"contains", 2, 2, f_contains},
    {"default", 2, 2, f_default},
    {"div", 2, 2, f_div},
    {"eq", 2, 2, f_eq},
    {"gt", 2, 2, f_gt},
    {"hasPrefix", 2, 2, f_has_prefix},
    {"hasSuffix", 2, 2, f_has_suffix},
    {"int", 1, 1, f_int},
    {"len", 1, 1, f_len},
    {"lower", 1, 1, f_lower},
    {"lt", 2, 2, f_lt},
    {"max", 1, ARGUMENTS_MOST, f_max},
    {"min", 1, ARGUMENTS_MOST, f_min},
    {"mod", 2, 2, f_mod},
    {"mul", 1, ARGUMENTS_MOST, f_mul},
    {"mustRegexReplaceAll", 3, 3, f_regex_replace},
    {"ne", 2, 2, f_ne},
    {"not", 1, 1, f_not},
    {"or", 1, ARGUMENTS_MOST, f_or},
    {"regexReplaceAll", 3, 3, f_regex_replace},
    {"replace", 3, 3, f_replace},
    {"sub", 2, 2, f_sub},
    {"substr", 3, 3, f_substr},
    {"toString", 1, 1, f_text},
    {"trim", 1, 1, f_trim},
    {"trimAll", 2, 2, f_trim_all},
    {"trimPrefix", 2, 2, f_trim_prefix},
    {"trimSuffix", 2, 2, f_trim_suffix},
    {"trunc", 2, 2, f_trunc},
    {"upper", 1, 1, f_upper},
};

static json_t *call(Reader *reader, const char *name, Arguments *a)
{
    json_t *result;

    for (guint i = 0; i < G_N_ELEMENTS(functions); i++) {
        if (strcmp(functions[i].name, name))
            continue;
        if (a->count < functions[i].least || a->count > functions[i].most)
            return wrong(reader, "%s takes %u argument%s, not %u", name, functions[i].least,
                         functions[i].least == 1 ? "" : "s", a->count);
        for (guint n = 0; n < a->count; n++) {
            a->texts[n] = text_of(a->values[n]);
            a->numbers[n] = number_of(a->values[n]);
        }
        result = functions[i].call(a);
        for (guint n = 0; n < a->count; n++)
            g_free(a->texts[n]);
        return result ? result : wrong(reader, "the arguments of %s are not valid", name);
    }
    return wrong(reader, "there is no function '%s'", name);
}

/* ---- reading ---- */

static void skip_blanks(Reader *reader)
{
    while (g_ascii_isspace(*reader->at))
        reader->at++;
}

/* At the end of an action, or of what stands in parentheses or before a pipe. */
static gboolean at_end(Reader *reader)
{
    skip_blanks(reader);
    return !*reader->at || *reader->at == ')' || *reader->at == '|' || g_str_has_prefix(reader->at, "}}") ||
           g_str_has_prefix(reader->at, "-}}");
}

static char *read_word(Reader *reader)
{
    const char *start = reader->at;

    while (g_ascii_isalnum(*reader->at) || *reader->at == '_')
        reader->at++;
    return g_strndup(start, reader->at - start);
}

static json_t *read_field(Reader *reader)
{
    g_autofree char *name = NULL;
    json_t *value;

    reader->at++;
    name = read_word(reader);
    value = json_object_get(reader->data, name);
    return value ? json_incref(value) : wrong(reader, "there is no field '.%s'", name);
}

static json_t *read_string(Reader *reader)
{
    char quote = *reader->at++;
    g_autoptr(GString) text = g_string_new(NULL);

    for (; *reader->at && *reader->at != quote; reader->at++) {
        if (quote == '"' && *reader->at == '\\' && reader->at[1])
            reader->at++;
        g_string_append_c(text, *reader->at);
    }
    if (!*reader->at)
        return wrong(reader, "a text does not end with %c", quote);
    reader->at++;
    return json_string(text->str);
}

static json_t *read_number(Reader *reader)
{
    char *end;
    gint64 number = g_ascii_strtoll(reader->at, &end, 10);

    reader->at = end;
    return json_integer(number);
}

static json_t *read_pipeline(Reader *reader);

static json_t *read_parentheses(Reader *reader)
{
    g_autoptr(json_t) value = NULL;

    reader->at++;
    value = read_pipeline(reader);
    if (!value)
        return NULL;
    skip_blanks(reader);
    if (*reader->at != ')')
        return wrong(reader, "')' is missing");
    reader->at++;
    return g_steal_pointer(&value);
}

static json_t *read_operand(Reader *reader)
{
    g_autofree char *word = NULL;

    if (*reader->at == '.')
        return read_field(reader);
    if (*reader->at == '"' || *reader->at == '`')
        return read_string(reader);
    if (*reader->at == '(')
        return read_parentheses(reader);
    if (g_ascii_isdigit(*reader->at) || (*reader->at == '-' && g_ascii_isdigit(reader->at[1])))
        return read_number(reader);
    word = read_word(reader);
    if (!strcmp(word, "true") || !strcmp(word, "false"))
        return json_boolean(*word == 't');
    return *word ? call(reader, word, &(Arguments){0})
                 : wrong(reader, "a field, text, number or function is wanted");
}

/* piped, which is taken and may be NULL, is the last argument. */
static json_t *read_call(Reader *reader, json_t *piped)
{
    g_autofree char *name = read_word(reader);
    Arguments a = {0};
    json_t *result = NULL;
    gboolean good = TRUE;

    while (good && !at_end(reader) && a.count < ARGUMENTS_MOST - 1) {
        a.values[a.count] = read_operand(reader);
        good = a.values[a.count] != NULL;
        a.count += good;
    }
    if (piped)
        a.values[a.count++] = piped;
    if (good)
        result = at_end(reader) ? call(reader, name, &a) : wrong(reader, "%s has too many arguments", name);
    for (guint i = 0; i < a.count; i++)
        json_decref(a.values[i]);
    return result;
}

static json_t *read_command(Reader *reader, json_t *piped)
{
    g_autoptr(json_t) owned = piped;
    g_autoptr(json_t) value = NULL;

    skip_blanks(reader);
    if (g_ascii_isalpha(*reader->at) && !g_str_has_prefix(reader->at, "true") &&
        !g_str_has_prefix(reader->at, "false"))
        return read_call(reader, g_steal_pointer(&owned));
    if (owned)
        return wrong(reader, "a function is wanted after '|'");
    value = read_operand(reader);
    if (value && !at_end(reader))
        return wrong(reader, "'|' or '}}' is wanted");
    return g_steal_pointer(&value);
}

static json_t *read_pipeline(Reader *reader)
{
    json_t *value;

    if (++reader->level > LEVELS_MOST)
        return wrong(reader, "it is nested too deep");
    value = read_command(reader, NULL);
    while (value && (skip_blanks(reader), *reader->at == '|')) {
        reader->at++;
        value = read_command(reader, value);
    }
    reader->level--;
    return value;
}

/* ---- text and actions ---- */

/* Past "}}" or "-}}"; the latter takes the blanks after it. */
static gboolean close_action(Reader *reader)
{
    gboolean trim;

    skip_blanks(reader);
    trim = *reader->at == '-';
    if (!g_str_has_prefix(reader->at + trim, "}}")) {
        wrong(reader, "'}}' is missing");
        return FALSE;
    }
    reader->at += trim + 2;
    if (trim)
        skip_blanks(reader);
    return TRUE;
}

static gboolean is_word(Reader *reader, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(reader->at, word, len) || g_ascii_isalnum(reader->at[len]))
        return FALSE;
    reader->at += len;
    return TRUE;
}

typedef enum { ENDS_TEXT, ENDS_ELSE, ENDS_END, ENDS_WRONG } Ending;

static Ending read_text(Reader *reader, GString *out);

/* After "if": both branches are read, one is kept. */
static gboolean read_if(Reader *reader, GString *out)
{
    g_autoptr(json_t) condition = read_pipeline(reader);
    g_autoptr(GString) yes = g_string_new(NULL), no = g_string_new(NULL);
    Ending ending;

    if (!condition || !close_action(reader))
        return FALSE;
    ending = read_text(reader, yes);
    if (ending == ENDS_ELSE) {
        skip_blanks(reader);
        if (is_word(reader, "if")) { /* "else if" shares the end */
            if (!read_if(reader, no))
                return FALSE;
            ending = ENDS_END;
        } else if (!close_action(reader))
            return FALSE;
        else
            ending = read_text(reader, no);
    }
    if (ending == ENDS_TEXT || ending == ENDS_ELSE)
        wrong(reader, "'{{end}}' is missing");
    g_string_append(out, is_true(condition) ? yes->str : no->str);
    return ending == ENDS_END;
}

static Ending read_action(Reader *reader, GString *out)
{
    g_autoptr(json_t) value = NULL;
    g_autofree char *text = NULL;

    skip_blanks(reader);
    if (is_word(reader, "end"))
        return close_action(reader) ? ENDS_END : ENDS_WRONG;
    if (is_word(reader, "else"))
        return ENDS_ELSE;
    if (is_word(reader, "if"))
        return read_if(reader, out) ? ENDS_TEXT : ENDS_WRONG;
    value = read_pipeline(reader);
    if (!value || !close_action(reader))
        return ENDS_WRONG;
    text = text_of(value);
    g_string_append(out, text);
    return ENDS_TEXT;
}

/* Up to the end of the text, or of the branch that it is in. */
static Ending read_text(Reader *reader, GString *out)
{
    Ending ending = ENDS_TEXT;

    if (++reader->level > LEVELS_MOST) {
        wrong(reader, "it is nested too deep");
        return ENDS_WRONG;
    }
    while (ending == ENDS_TEXT && *reader->at) {
        if (!g_str_has_prefix(reader->at, "{{")) {
            g_string_append_c(out, *reader->at++);
            continue;
        }
        reader->at += 2;
        if (*reader->at == '-' && g_ascii_isspace(reader->at[1])) {
            reader->at++;
            while (out->len && g_ascii_isspace(out->str[out->len - 1]))
                g_string_truncate(out, out->len - 1);
        }
        ending = read_action(reader, out);
    }
    reader->level--;
    return ending;
}

char *name_template_expand(const char *text, const json_t *data, GError **error)
{
    g_autoptr(GError) problem = NULL;
    Reader reader = {.text = text, .at = text, .data = data, .error = &problem};
    g_autoptr(GString) out = g_string_new(NULL);
    Ending ending;

    if (strlen(text) > TEXT_MOST) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "a name template has at most %d characters, not %zu", TEXT_MOST, strlen(text));
        return NULL;
    }
    ending = read_text(&reader, out);
    if (ending == ENDS_ELSE || ending == ENDS_END)
        wrong(&reader, "'{{end}}' or '{{else}}' without '{{if}}'");
    else if (out->len > TEXT_MOST)
        wrong(&reader, "the result is longer than %d characters", TEXT_MOST);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
