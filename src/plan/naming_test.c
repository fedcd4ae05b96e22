/* naming: source names and what becomes of them. */
#include "plan/naming.h"
#include <string.h>

static const struct {
    const char *source, *id, *target;
} names[] = {
    {"web", "vm-12", "web"},
    {"Web_Server.01", "vm-12", "web-server01"},
    {"--edge--", "vm-12", "edge"},
    {"__", "vm-1042", "vm-1042"},
    {"", "5f3c-aa01", "vm-aa01"},
    {"名前", "vm-7", "vm-vm7"},
    {"WEB", "vm-12", "web"},
    {"007", "vm-12", "007"},
    {"db (prod) v1.2", "vm-12", "dbprodv12"},
    {"a.b.c", "vm-12", "abc"},
    {"Müller_Ä", "vm-12", "mller"},
    {"-_-a-_-", "vm-12", "a"},
    {"a--b", "vm-12", "a--b"},
    {"tab\tand\nline", "vm-12", "tabandline"},
    {"a/b\\c%2fd", "vm-12", "abc2fd"},
    {".", "f2737930-b567-451a-9ceb-2887f6207009", "vm-7009"},
    {NULL, "vm-12", "vm-vm12"},
    {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg", "vm-1",
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"},
    {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg__x", "vm-1",
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg"},
};

static gboolean in_set(const char *name, gpointer set)
{
    return g_hash_table_contains(set, name);
}

static GHashTable *taken_names(const char *first, const char *second)
{
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
    if (first)
        g_hash_table_add(set, (gpointer)first);
    if (second)
        g_hash_table_add(set, (gpointer)second);
    return set;
}

static void every_name_becomes_a_label(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = naming_normal(names[i].source, names[i].id);
        g_assert_cmpstr(name, ==, names[i].target);
        g_assert_true(naming_is_label(name));
    }
}

static void a_changed_name_gets_a_suffix_when_it_is_taken(void)
{
    g_autoptr(GHashTable) set = taken_names("web-server", NULL);
    g_autofree char *name = naming_target("Web_Server", "vm-1042", NULL, in_set, set, NULL);
    g_assert_cmpstr(name, ==, "web-server-1042");
}

static void a_suffix_keeps_the_name_within_63(void)
{
    g_autofree char *longest = g_strnfill(63, 'a'), *source = g_strconcat(longest, "_B", NULL);
    g_autoptr(GHashTable) set = taken_names(longest, NULL);
    g_autofree char *name = naming_target(source, "vm-1042", NULL, in_set, set, NULL);
    g_assert_cmpuint(strlen(name), ==, 63);
    g_assert_true(g_str_has_suffix(name, "-1042"));
}

static void an_unchanged_name_that_is_taken_is_an_error(void)
{
    g_autoptr(GHashTable) set = taken_names("web", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(naming_target("web", "vm-1", NULL, in_set, set, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_NAME_TAKEN);
    g_assert_nonnull(strstr(error->message, "'web'"));
}

static void a_suffix_that_is_taken_too_is_an_error(void)
{
    g_autoptr(GHashTable) set = taken_names("web-server", "web-server-vm1");
    g_autoptr(GError) error = NULL;
    g_assert_null(naming_target("Web_Server", "vm-1", NULL, in_set, set, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_NAME_TAKEN);
}

static void a_target_name_is_used_as_it_is_or_refused(void)
{
    g_autoptr(GHashTable) set = taken_names("mine", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *name = naming_target("Web_Server", "vm-1", "other", in_set, set, NULL);
    g_assert_cmpstr(name, ==, "other");
    g_assert_null(naming_target("web", "vm-1", "Not A Label", in_set, set, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_clear_error(&error);
    g_assert_null(naming_target("web", "vm-1", "mine", in_set, set, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_NAME_TAKEN);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/naming/" text, function)
    CASE("every name becomes a label", every_name_becomes_a_label);
    CASE("a changed name gets a suffix when it is taken", a_changed_name_gets_a_suffix_when_it_is_taken);
    CASE("a suffix keeps the name within 63", a_suffix_keeps_the_name_within_63);
    CASE("an unchanged name that is taken is an error", an_unchanged_name_that_is_taken_is_an_error);
    CASE("a suffix that is taken too is an error", a_suffix_that_is_taken_too_is_an_error);
    CASE("a targetName is used as it is or refused", a_target_name_is_used_as_it_is_or_refused);
    return g_test_run();
}
