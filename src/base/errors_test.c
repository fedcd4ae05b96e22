/* errors: what callers and users rely on in every row. */
#include "base/errors.h"
#include <string.h>

static void every_row_has_a_reason_and_a_remedy(void)
{
    static const struct {
        int code;
        const char *name;
    } codes[] = {
#define ERROR(code, class, reason, remedy) {ERROR_##code, #code},
#include "base/errors.def"
#undef ERROR
    };

    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(GError) error = g_error_new(GANTRY_ERROR, codes[i].code, "x");
        g_test_message("%s", codes[i].name);
        g_assert_true(g_ascii_isupper(error_reason(error)[0]));
        g_assert_null(strchr(error_reason(error), ' '));
        g_assert_true(g_str_has_suffix(error_remedy(error), "."));
    }
}

/* ---- the sources raise them, and the tests walk them ---- */

typedef struct {
    const char *folder;
    gboolean (*takes)(const char *name); /* of a file */
} Place;

static gboolean is_unit_test(const char *name)
{
    return g_str_has_suffix(name, "_test.c") && strcmp(name, "errors_test.c");
}

static gboolean is_source(const char *name)
{
    return g_str_has_suffix(name, ".c") && !g_str_has_suffix(name, "_test.c") &&
           !g_str_has_prefix(name, "fake_") && strcmp(name, "errors.c");
}

static gboolean is_script(const char *name)
{
    return g_str_has_suffix(name, ".py");
}

static void add_files(const Place *place, GString *all)
{
    g_autoptr(GDir) dir = g_dir_open(place->folder, 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(place->folder, name, NULL), *text = NULL;
        Place inner = {path, place->takes};
        if (*name == '.' || *name == '_') /* caches */
            continue;
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            add_files(&inner, all);
        } else if (place->takes(name)) {
            g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
            g_string_append(all, text);
        }
    }
}

/* All the words of these files. */
static GHashTable *words_of(const Place *place, gboolean with_questions)
{
    g_autoptr(GString) all = g_string_new(NULL);
    g_autoptr(GRegex)
        word = g_regex_new("\\w+", G_REGEX_OPTIMIZE, 0, NULL),
        asked = g_regex_new("g_error_matches\\s*\\([^;{]*?ERROR_\\w+\\s*\\)", G_REGEX_DOTALL, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *text = NULL;
    GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    add_files(place, all);
    text = with_questions ? g_strdup(all->str) : g_regex_replace_literal(asked, all->str, -1, 0, "", 0, NULL);
    for (g_regex_match(word, text, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL))
        g_hash_table_add(words, g_match_info_fetch(match, 0));
    return words;
}

static const struct {
    const char *code, *reason;
} names[] = {
#define ERROR(code, class, reason, remedy) {"ERROR_" #code, reason},
#include "base/errors.def"
#undef ERROR
};

/* A caller's mere question whether an error is of that code does not count. */
static void every_row_is_raised_by_some_source(void)
{
    g_autoptr(GHashTable) sources = words_of(&(Place){ROOT "/src", is_source}, FALSE);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_hash_table_contains(sources, names[i].code))
            continue;
        g_test_message("nothing raises %s: remove its row, or raise it", names[i].code);
        g_test_fail();
    }
}

static void every_row_is_named_in_some_test(void)
{
    g_autoptr(GHashTable) units = words_of(&(Place){ROOT "/src", is_unit_test}, TRUE),
                          scripts = words_of(&(Place){ROOT "/tests", is_script}, TRUE);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_hash_table_contains(units, names[i].code) || g_hash_table_contains(scripts, names[i].reason))
            continue;
        g_test_message("no test knows %s: have one in src name the code, or one in tests its reason, %s",
                       names[i].code, names[i].reason);
        g_test_fail();
    }
}

static void a_foreign_error_is_transient(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "late");
    g_assert_cmpint(error_class(error), ==, TRANSIENT);
    g_assert_cmpint(error_exit_code(error), ==, 75);
}

static void that_somebody_asked_to_stop_is_nothing_to_report(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
    g_assert_cmpstr(error_reason(error), ==, "Canceled");
    g_assert_null(strstr(error_remedy(error), "report"));
}

static void the_class_shows_in_the_exit_code(void)
{
    g_autoptr(GError) error = g_error_new(GANTRY_ERROR, ERROR_BAD_INPUT, "x");
    g_assert_cmpint(error_exit_code(error), ==, 1);
    g_assert_cmpstr(error_class_name(error_class(error)), ==, "fatal");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/errors/every row has a reason and a remedy", every_row_has_a_reason_and_a_remedy);
    g_test_add_func("/base/errors/every row is raised by some source", every_row_is_raised_by_some_source);
    g_test_add_func("/base/errors/every row is named in some test", every_row_is_named_in_some_test);
    g_test_add_func("/base/errors/a foreign error is transient", a_foreign_error_is_transient);
    g_test_add_func("/base/errors/that somebody asked to stop is nothing to report",
                    that_somebody_asked_to_stop_is_nothing_to_report);
    g_test_add_func("/base/errors/the class shows in the exit code", the_class_shows_in_the_exit_code);
    return g_test_run();
}
