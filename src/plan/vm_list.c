/* vm_list: names line by line, or a table. */
#include "plan/vm_list.h"
#include <string.h>

enum { MOST_SIZE = 1 << 20, MOST_VMS = 10000, MOST_FIELD = 256, MOST_COLUMNS = 32 };

typedef struct {
    const char *what, *at, *end, *line_start;
    guint line;
} Reader;

static gboolean wrong(const Reader *reader, const char *at, const char *why, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: line %u, column %u: %s", reader->what,
                reader->line, (guint)(at - reader->line_start) + 1, why);
    return FALSE;
}

static void next_line(Reader *reader)
{
    if (reader->at < reader->end && *reader->at == '\r')
        reader->at++;
    if (reader->at < reader->end && *reader->at == '\n')
        reader->at++;
    reader->line_start = reader->at;
    reader->line++;
}

static gboolean at_line_end(const Reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' ||
           (*reader->at == '\r' && (reader->at + 1 == reader->end || reader->at[1] == '\n'));
}

/* "…" with "" for one quotation mark inside. */
static gboolean read_quoted(Reader *reader, GString *field, GError **error)
{
    const char *begin = reader->at++;

    for (;; reader->at++) {
        if (reader->at == reader->end || *reader->at == '\n')
            return wrong(reader, begin, "the quotation mark is not closed on this line", error);
        if (*reader->at == '"' && reader->at + 1 < reader->end && reader->at[1] == '"')
            reader->at++;
        else if (*reader->at == '"')
            break;
        g_string_append_c(field, *reader->at);
    }
    reader->at++;
    if (!at_line_end(reader) && *reader->at != ',')
        return wrong(reader, reader->at, "a comma or the line's end must follow a quotation mark", error);
    return TRUE;
}

static char *read_field(Reader *reader, GError **error)
{
    const char *begin = reader->at;
    g_autoptr(GString) field = g_string_new(NULL);

    if (reader->at < reader->end && *reader->at == '"') {
        if (!read_quoted(reader, field, error))
            return NULL;
    } else {
        while (!at_line_end(reader) && *reader->at != ',')
            g_string_append_c(field, *reader->at++);
    }
    g_strstrip(field->str);
    if (strlen(field->str) > MOST_FIELD) {
        wrong(reader, begin, "the field is longer than 256 bytes", error);
        return NULL;
    }
    return g_strdup(field->str);
}

/* The fields of the line; the reader stands at its end. */
static GPtrArray *read_fields(Reader *reader, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);

    for (;;) {
        char *field = read_field(reader, error);
        if (!field)
            return NULL;
        g_ptr_array_add(fields, field);
        if (at_line_end(reader))
            return g_steal_pointer(&fields);
        if (fields->len == MOST_COLUMNS) {
            wrong(reader, reader->at, "there are more than 32 columns", error);
            return NULL;
        }
        reader->at++;
    }
}

static const char *const columns[] = {"name", "id", "targetName"};

/* Which member each column is; NULL for one that is not known here, which is left out. */
static gboolean read_heading(Reader *reader, const char *members[MOST_COLUMNS], guint *count, GError **error)
{
    g_autoptr(GPtrArray) titles = read_fields(reader, error);
    gboolean named = FALSE;

    if (!titles)
        return FALSE;
    *count = titles->len;
    for (guint i = 0; i < titles->len; i++) {
        members[i] = NULL;
        for (guint k = 0; k < G_N_ELEMENTS(columns); k++)
            if (!g_ascii_strcasecmp(titles->pdata[i], columns[k]))
                members[i] = columns[k];
        named |= members[i] == columns[0] || members[i] == columns[1];
    }
    if (!named)
        return wrong(reader, reader->line_start, "no column is called name or id", error);
    next_line(reader);
    return TRUE;
}

static json_t *read_row(Reader *reader, const char *const *members, guint count, GError **error)
{
    g_autoptr(GPtrArray) fields = read_fields(reader, error);
    g_autoptr(json_t) vm = json_object();

    if (!fields)
        return NULL;
    if (fields->len != count) {
        g_autofree char *why = g_strdup_printf("it has %u fields, the heading %u", fields->len, count);
        wrong(reader, reader->line_start, why, error);
        return NULL;
    }
    for (guint i = 0; i < count; i++) {
        json_t *text;
        if (!members[i] || !*(char *)fields->pdata[i])
            continue;
        text = json_string(fields->pdata[i]);
        if (!text) {
            wrong(reader, reader->line_start, "it is not UTF-8", error);
            return NULL;
        }
        json_object_set_new(vm, members[i], text);
    }
    if (!json_object_get(vm, "name") && !json_object_get(vm, "id")) {
        wrong(reader, reader->line_start, "it has neither a name nor an id", error);
        return NULL;
    }
    return g_steal_pointer(&vm);
}

static gboolean is_table(const Reader *reader)
{
    const char *end = memchr(reader->at, '\n', reader->end - reader->at);
    g_autofree char *first = g_strndup(reader->at, (end ? end : reader->end) - reader->at);

    g_strstrip(first);
    return strchr(first, ',') || !strcmp(first, "name") || !strcmp(first, "id");
}

json_t *vm_list_parse(const char *text, gsize size, const char *what, GError **error)
{
    Reader reader = {what, text, text + size, text, 1};
    const char *members[MOST_COLUMNS] = {"name"};
    guint count = 1;
    g_autoptr(json_t) vms = json_array();
    gboolean table;

    if (size > MOST_SIZE || memchr(text, 0, size)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: it must be a text of at most 1 MiB", what);
        return NULL;
    }
    table = is_table(&reader);
    if (table && !read_heading(&reader, members, &count, error))
        return NULL;
    for (; reader.at < reader.end; next_line(&reader)) {
        json_t *vm;
        if (at_line_end(&reader))
            continue;
        if (!table && *reader.at == '#') {
            while (!at_line_end(&reader))
                reader.at++;
            continue;
        }
        vm = read_row(&reader, members, count, error);
        if (!vm)
            return NULL;
        json_array_append_new(vms, vm);
        if (json_array_size(vms) > MOST_VMS) {
            wrong(&reader, reader.line_start, "there are more than 10,000 VMs", error);
            return NULL;
        }
    }
    if (!json_array_size(vms)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: it names no VM", what);
        return NULL;
    }
    return g_steal_pointer(&vms);
}
