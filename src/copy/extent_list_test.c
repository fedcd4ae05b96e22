/* extent_list: what was added is found, clipped and merged. */
#include "copy/extent_list.h"
#include <string.h>

static void neighbours_of_a_kind_become_one(void)
{
    g_autoptr(ExtentList) list = extent_list_new();
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Extent));

    g_assert_true(extent_list_add(list, 0, 1024, TRUE));
    g_assert_true(extent_list_add(list, 1024, 512, TRUE));
    g_assert_true(extent_list_add(list, 1536, 512, FALSE));
    g_assert_true(extent_list_add(list, 2048, 4096, TRUE));
    g_assert_cmpuint(extent_list_size(list), ==, 6144);

    extent_list_find(list, 0, 6144, found);
    g_assert_cmpuint(found->len, ==, 3);
    g_assert_cmpuint(g_array_index(found, Extent, 0).size, ==, 1536);
    g_assert_true(g_array_index(found, Extent, 0).zero);

    g_array_set_size(found, 0);
    extent_list_find(list, 1600, 500, found);
    g_assert_cmpuint(found->len, ==, 2);
    g_assert_cmpuint(g_array_index(found, Extent, 0).start, ==, 1600);
    g_assert_cmpuint(g_array_index(found, Extent, 0).size, ==, 448);
    g_assert_cmpuint(g_array_index(found, Extent, 1).size, ==, 52);
}

static void a_gap_an_overlap_and_nothing_are_refused(void)
{
    g_autoptr(ExtentList) list = extent_list_new();

    g_assert_false(extent_list_add(list, 512, 512, FALSE));
    g_assert_true(extent_list_add(list, 0, 512, FALSE));
    g_assert_false(extent_list_add(list, 0, 512, FALSE));
    g_assert_false(extent_list_add(list, 1024, 512, FALSE));
    g_assert_false(extent_list_add(list, 512, 0, FALSE));
    g_assert_false(extent_list_add(list, 512, G_MAXUINT64 - 100, FALSE));
    g_assert_cmpuint(extent_list_size(list), ==, 512);
}

static void changes_are_what_is_dirty(void)
{
    static const char text[] = "[{\"start\":0,\"length\":65536,\"dirty\":false,\"zero\":true},"
                               "{\"start\":65536,\"length\":65536,\"dirty\":true,\"zero\":true}]";
    g_autoptr(GError) error = NULL;
    g_autoptr(ExtentList) list = extent_list_parse_changes(text, strlen(text), 131072, &error);

    g_assert_no_error(error);
    g_assert_true(extent_list_is_zero(list, 0, 65536));
    g_assert_false(extent_list_is_zero(list, 65536, 512));
    g_assert_null(extent_list_parse_changes(text, strlen(text), 65536, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/extent_list/neighbours of a kind become one", neighbours_of_a_kind_become_one);
    g_test_add_func("/copy/extent_list/a gap, an overlap and nothing are refused",
                    a_gap_an_overlap_and_nothing_are_refused);
    g_test_add_func("/copy/extent_list/changes are what is dirty", changes_are_what_is_dirty);
    return g_test_run();
}
