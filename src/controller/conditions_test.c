/* conditions: the table of conditions.def against the sources: what it lists is said where it says, as it
 * says, and nothing is said that it does not list. That each is said when it should be is tested beside the
 * code (plan/check_test.c) and in tests/e2e. */
#include "crd/conditions.h"
#include <string.h>

typedef struct {
    const char *kind, *type, *category, *reasons;
    gboolean items, durable;
    const char *file, *since;
} Row;

static const Row rows[] = {
#define CONDITION(kind, type, category, reasons, items, durable, file, since)                                \
    {#kind, #type, CONDITION_##category, reasons, items, durable, file, since},
#include "controller/conditions.def"
#undef CONDITION
};

static char *source_of(const char *file)
{
    g_autofree char *path = g_build_filename(SOURCES, file, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* Also in parts: "SharedWarnDisks-…" ends with an id, "%sProviderNotValid" begins with a side. */
static gboolean has_literal(const char *text, const char *literal)
{
    g_autofree char *whole = g_strdup_printf("\"%s\"", literal),
                    *beginning = g_strdup_printf("\"%s-", literal);
    g_autofree char *end = NULL;
    const char *second = literal + 1;

    while (g_ascii_islower(*second))
        second++;
    end = g_strdup_printf("\"%%s%s\"", second);
    return strstr(text, whole) || strstr(text, beginning) || strstr(text, end);
}

static void require(gboolean found, const Row *row, const char *what)
{
    if (found)
        return;
    g_test_message("%s of %s: there is no %s in %s", row->type, row->kind, what, row->file);
    g_test_fail();
}

static void a_row_is_said_where_it_says(gconstpointer data)
{
    const Row *row = data;
    g_autofree char *text = source_of(row->file);
    g_auto(GStrv) reasons = g_strsplit(row->reasons, " ", -1);

    require(has_literal(text, row->type), row, "type");
    for (char **reason = reasons; *reason; reason++)
        require(!**reason || has_literal(text, *reason), row, *reason);
    require(!row->items || strstr(text, "conditions_add_item("), row, "call with an item");
    require(!row->durable || strstr(text, "conditions_set_durable(") ||
                (!strcmp(row->kind, "VM") && strstr(text, "vm_status_set_condition(")),
            row, "call for a durable one");
}

static gboolean is_listed(const char *type)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(rows[i].type, type))
            return TRUE;
    return FALSE;
}

/* The literal that follows the object in a call that says a condition. */
static void check_calls(const char *folder, const char *name)
{
    g_autoptr(GRegex) call = g_regex_new(
        "\\b(?:conditions_set|conditions_set_durable|conditions_add_item|vm_status_set_condition|critical)"
        "\\s*\\(\\s*[\\w>.()-]+\\s*,\\s*\"(\\w+)\"",
        0, 0, NULL);
    g_autofree char *file = g_build_filename(folder, name, NULL), *text = source_of(file);
    g_autoptr(GMatchInfo) match = NULL;

    for (g_regex_match(call, text, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *type = g_match_info_fetch(match, 1);
        if (is_listed(type))
            continue;
        g_test_message("%s says condition %s, which conditions.def does not list", file, type);
        g_test_fail();
    }
}

static void what_is_said_is_listed(void)
{
    static const char *const folders[] = {"controller", "plan", "plan/steps"};

    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(SOURCES, folders[i], NULL);
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;
        g_assert_nonnull(dir);
        while ((name = g_dir_read_name(dir)))
            if (g_str_has_suffix(name, ".c") && !g_str_has_suffix(name, "_test.c"))
                check_calls(folders[i], name);
    }
}

static void a_type_is_listed_once_per_kind(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_true(g_hash_table_add(seen, g_strdup_printf("%s/%s", rows[i].kind, rows[i].type)));
}

/* The kinds that MTV 2.3's clients look at have what they look for. */
static void ready_is_required_of_every_kind(void)
{
    static const char *const kinds[] = {"Provider", "Host", "NetworkMap", "StorageMap",
                                        "Hook",     "Plan", "Migration"};

    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
        gboolean found = FALSE;
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
            found = found || (!strcmp(rows[i].kind, kinds[k]) && !strcmp(rows[i].type, "Ready") &&
                              !strcmp(rows[i].category, CONDITION_REQUIRED));
        g_assert_true(found);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/controller/conditions/%s/%s is said in %s", rows[i].kind,
                                                rows[i].type, strrchr(rows[i].file, '/') + 1);
        g_test_add_data_func(path, &rows[i], a_row_is_said_where_it_says);
    }
    g_test_add_func("/controller/conditions/what is said is listed", what_is_said_is_listed);
    g_test_add_func("/controller/conditions/a type is listed once per kind", a_type_is_listed_once_per_kind);
    g_test_add_func("/controller/conditions/Ready is required of every kind",
                    ready_is_required_of_every_kind);
    return g_test_run();
}
