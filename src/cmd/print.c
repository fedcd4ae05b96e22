/* print: tables, JSON, YAML, names. */
#include "cmd/print.h"
#include "base/yaml.h"
#include "cmd/text_table.h"
#include <stdio.h>
#include <string.h>

static char *cell(const json_t *json, const Column *column)
{
    const json_t *value;

    if (column->text)
        return column->text(json);
    value = json_at(json, column->path);
    return json_is_integer(value) ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                                  : g_strdup(json_string_value(value));
}

char *items_table(const json_t *items, const Column *columns, gboolean wide)
{
    g_autoptr(GPtrArray) titles = g_ptr_array_new();
    g_autoptr(TextTable) table = NULL;
    const json_t *item;
    size_t i;

    for (const Column *column = columns; column->title; column++)
        if (wide || !column->wide)
            g_ptr_array_add(titles, (char *)column->title);
    g_ptr_array_add(titles, NULL);
    table = text_table_new((const char *const *)titles->pdata);
    json_array_foreach (items, i, item) {
        g_autofree char **row = g_new0(char *, titles->len);
        guint at = 0;
        for (const Column *column = columns; column->title; column++)
            if (wide || !column->wide)
                row[at++] = cell(item, column);
        text_table_add_take(table, row);
    }
    return text_table_text(table);
}

/* "plan.forklift.konveyor.io/demo"; of the inventory its id. */
static char *reference(const json_t *object)
{
    const char *version = json_string_at(object, "apiVersion", ""), *slash = strchr(version, '/');
    g_autofree char *group = slash ? g_strndup(version, slash - version) : NULL;
    g_autofree char *kind = g_ascii_strdown(json_string_at(object, "kind", ""), -1);

    if (!*kind)
        return g_strdup(json_string_at(object, "id", json_string_at(object, "name", "")));
    return g_strconcat(kind, group ? "." : "", group ? group : "", "/",
                       json_string_at(object, "metadata.name", ""), NULL);
}

static void print_document(const json_t *document, Output output)
{
    if (output == OUTPUT_JSON) {
        char *text = json_dumps(document, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        puts(text);
        free(text);
    } else {
        g_autofree char *text = yaml_text(document);
        fputs(text, stdout);
    }
}

void print_items(const json_t *items, gboolean single, Output output, const Column *columns)
{
    const json_t *item;
    size_t i;

    if (output == OUTPUT_NAME) {
        json_array_foreach (items, i, item) {
            g_autofree char *name = reference(item);
            puts(name);
        }
    } else if (output == OUTPUT_TABLE || output == OUTPUT_WIDE) {
        g_autofree char *text = items_table(items, columns, output == OUTPUT_WIDE);
        fputs(text, stdout);
    } else if (single && json_array_size(items) == 1) {
        print_document(json_array_get(items, 0), output);
    } else {
        g_autoptr(json_t) list =
            json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", (json_t *)items);
        print_document(list, output);
    }
}

void print_change(const json_t *object, Output output, const char *done)
{
    g_autofree char *name = reference(object);

    if (output == OUTPUT_JSON || output == OUTPUT_YAML)
        print_document(object, output);
    else if (output == OUTPUT_NAME)
        puts(name);
    else
        printf("%s %s\n", name, done);
}

void print_created(const json_t *object, Output output)
{
    if (strcmp(json_string_at(object, "kind", ""), "Secret") || output == OUTPUT_TABLE ||
        output == OUTPUT_NAME)
        print_change(object, output, "created");
}
