/* text_table: rows of texts under a heading, each column as wide as its widest text (counted in characters of UTF-8).
 *
 * Owner: the caller of text_table_free(). Threads: one.
 */
#pragma once
#include <glib.h>

typedef struct TextTable TextTable;
TextTable *text_table_new(const char *const *titles); /* ended by NULL */
void text_table_free(TextTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextTable, text_table_free)

/* One text a column, taken; NULL and "" are shown as "-". */
void text_table_add_take(TextTable *table, char **texts);
guint text_table_rows(const TextTable *table);
/* Spaces at the end of lines are left out. */
char *text_table_text(const TextTable *table);
void text_table_print(const TextTable *table); /* to standard output */
