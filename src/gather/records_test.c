/* records_test: what was asked for outlives the process, but not its retention. */
#include "gather/records.h"
#include <glib/gstdio.h>

static char *status_of(Records *records, const char *id)
{
    g_autoptr(json_t) record = records_find(records, id);
    return record ? g_strdup(json_string_at(record, "status", "")) : NULL;
}

#define CHECK_STATUS(records, id, wanted)                                                                    \
    do {                                                                                                     \
        g_autofree char *status = status_of(records, id);                                                    \
        g_assert_cmpstr(status, ==, wanted);                                                                 \
    } while (0)

static void records_outlive_the_process(void)
{
    g_autofree char *dir = g_dir_make_tmp("records-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    Records *records = records_open(dir, &error);
    g_autoptr(json_t) asked = json_pack("{s:s}", "custom-name", "plan");

    g_assert_no_error(error);
    g_assert_cmpint(records_add(records, asked, &error), ==, 1);
    g_assert_cmpint(records_add(records, asked, &error), ==, 2);
    g_assert_cmpuint(records_waiting(records), ==, 2);
    g_assert_true(records_change(records, 1, json_pack("{s:s}", "status", "completed"), &error));
    records_free(records);

    records = records_open(dir, &error);
    g_assert_no_error(error);
    CHECK_STATUS(records, "1", "completed");
    CHECK_STATUS(records, "2", "error");    /* it was under way */
    CHECK_STATUS(records, "plan", "error"); /* the newest of that name */
    CHECK_STATUS(records, "3", NULL);
    CHECK_STATUS(records, "nobody", NULL);
    g_assert_cmpint(records_add(records, asked, &error), ==, 3);
    records_sweep(records, -G_USEC_PER_SEC); /* everything that is done is too old */
    CHECK_STATUS(records, "1", NULL);
    CHECK_STATUS(records, "3", "new");
    g_assert_true(records_change(records, 3, json_pack("{s:s}", "status", "error"), &error));
    records_sweep(records, -G_USEC_PER_SEC);
    records_free(records);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void a_record_that_cannot_be_read_is_named(void)
{
    g_autofree char *dir = g_dir_make_tmp("records-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "1.json", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "{", 1, NULL));
    g_assert_null(records_open(dir, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_JSON);
    g_assert_nonnull(g_strstr_len(error->message, -1, "1.json"));
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/records/records outlive the process", records_outlive_the_process);
    g_test_add_func("/gather/records/a record that cannot be read is named",
                    a_record_that_cannot_be_read_is_named);
    return g_test_run();
}
