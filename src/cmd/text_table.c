/* text_table: what get and its like print. */
#include "cmd/text_table.h"
#include <stdio.h>

struct TextTable {
    guint columns;
    GPtrArray *rows; /* of GStrv; the first is the heading */
};

TextTable *text_table_new(const char *const *titles)
{
    TextTable *table = g_new0(TextTable, 1);

    table->columns = g_strv_length((char **)titles);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_ptr_array_add(table->rows, g_strdupv((char **)titles));
    return table;
}

void text_table_free(TextTable *table)
{
    g_ptr_array_unref(table->rows);
    g_free(table);
}

void text_table_add_take(TextTable *table, char **texts)
{
    char **row = g_new0(char *, table->columns + 1);

    for (guint i = 0; i < table->columns; i++) {
        if (texts[i] && *texts[i]) {
            row[i] = g_strdelimit(texts[i], "\n\t\r", ' ');
        } else {
            g_free(texts[i]);
            row[i] = g_strdup("-");
        }
    }
    g_ptr_array_add(table->rows, row);
}

guint text_table_rows(const TextTable *table)
{
    return table->rows->len - 1;
}

char *text_table_text(const TextTable *table)
{
    GString *out = g_string_new(NULL);
    g_autofree glong *widths = g_new0(glong, table->columns);

    for (guint r = 0; r < table->rows->len; r++)
        for (guint c = 0; c < table->columns; c++)
            widths[c] = MAX(widths[c], g_utf8_strlen(((char **)table->rows->pdata[r])[c], -1));
    for (guint r = 0; r < table->rows->len; r++) {
        char **row = table->rows->pdata[r];
        for (guint c = 0; c < table->columns; c++) {
            g_string_append(out, row[c]);
            if (c + 1 < table->columns)
                for (glong n = g_utf8_strlen(row[c], -1); n < widths[c] + 3; n++)
                    g_string_append_c(out, ' ');
        }
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

void text_table_print(const TextTable *table)
{
    g_autofree char *text = text_table_text(table);
    fputs(text, stdout);
}
