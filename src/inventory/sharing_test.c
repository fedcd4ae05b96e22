/* sharing: a disk is shared as long as two VMs hold its file, whoever came first. */
#include "inventory/sharing.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder, *path;
    Database *database;
    guint changes;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->folder = g_dir_make_tmp("gantry-sharing-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "uid.db", NULL);
    f->database = database_open(f->path, NULL);
    g_assert_true(database_begin(f->database, NULL));
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    database_roll_back(f->database);
    database_close(f->database);
    database_remove(f->path);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

static void count(const Row *before, const Row *after, gpointer user_data)
{
    ((Fixture *)user_data)->changes++;
}

static void refresh(Fixture *f, GPtrArray *others)
{
    for (guint i = 0; i < others->len; i++)
        g_assert_true(sharing_refresh(f->database, &provider_type_vsphere, others->pdata[i], count, f, NULL));
}

/* A VM with one disk, or none (file NULL). */
static void put(Fixture *f, const char *vm, const char *file, gboolean says_shared)
{
    g_autoptr(json_t) model =
        json_pack("{s:s, s:s, s:[], s:i}", "id", vm, "name", vm, "disks", "memoryMB", 64);
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);
    g_auto(DocumentTexts) texts = {0};
    Row row;

    if (file)
        json_array_append_new(json_object_get(model, "disks"),
                              json_pack("{s:s, s:b}", "file", file, "shared", says_shared));
    g_assert_true(sharing_put(f->database, vm, model, others, NULL));
    g_assert_true(document_row(&provider_type_vsphere, "VM", vm, model, &texts, &row));
    g_assert_true(database_put(f->database, &row, count, f, NULL));
    refresh(f, others);
}

static void delete (Fixture *f, const char *vm)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);

    g_assert_true(sharing_delete(f->database, vm, others, NULL));
    g_assert_true(database_delete(f->database, "VM", vm, count, f, NULL));
    refresh(f, others);
}

static gboolean look(const Row *row, gpointer shared)
{
    *(gboolean *)shared = strstr(row->brief, "\"shared\":true") != NULL;
    return TRUE;
}

static gboolean is_shared(Fixture *f, const char *vm)
{
    gboolean shared = -1;

    g_assert_true(database_read(f->database, "VM", vm, look, &shared, NULL));
    g_assert_cmpint(shared, !=, -1);
    return shared;
}

static void a_file_of_two_vms_is_shared_by_both(Fixture *f, gconstpointer unused)
{
    put(f, "vm-1", "[ds] a.vmdk", FALSE);
    g_assert_false(is_shared(f, "vm-1"));
    put(f, "vm-2", "[ds] a.vmdk", FALSE);
    g_assert_true(is_shared(f, "vm-1") && is_shared(f, "vm-2"));
    put(f, "vm-3", "[ds] b.vmdk", FALSE);
    g_assert_false(is_shared(f, "vm-3"));
}

static void it_is_shared_no_more_when_one_gives_it_up(Fixture *f, gconstpointer by_deletion)
{
    put(f, "vm-1", "[ds] a.vmdk", FALSE);
    put(f, "vm-2", "[ds] a.vmdk", FALSE);
    if (by_deletion)
        delete (f, "vm-2");
    else
        put(f, "vm-2", "[ds] b.vmdk", FALSE);
    g_assert_false(is_shared(f, "vm-1"));
}

static void what_a_vm_says_itself_lasts(Fixture *f, gconstpointer unused)
{
    put(f, "vm-1", "[ds] a.vmdk", TRUE);
    g_assert_true(is_shared(f, "vm-1"));
    put(f, "vm-2", "[ds] a.vmdk", FALSE);
    delete (f, "vm-2");
    g_assert_true(is_shared(f, "vm-1"));
    put(f, "vm-1", "[ds] a.vmdk", FALSE);
    g_assert_false(is_shared(f, "vm-1"));
}

static void saying_the_same_again_changes_nothing(Fixture *f, gconstpointer unused)
{
    put(f, "vm-1", "[ds] a.vmdk", FALSE);
    put(f, "vm-2", "[ds] a.vmdk", FALSE);
    put(f, "vm-3", NULL, FALSE);
    f->changes = 0;
    put(f, "vm-1", "[ds] a.vmdk", FALSE);
    put(f, "vm-2", "[ds] a.vmdk", FALSE);
    put(f, "vm-3", NULL, FALSE);
    g_assert_cmpuint(f->changes, ==, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *, gconstpointer);
        gconstpointer data;
    } tests[] = {
        {"a file of two VMs is shared by both", a_file_of_two_vms_is_shared_by_both, NULL},
        {"it is shared no more when one goes", it_is_shared_no_more_when_one_gives_it_up, "by deletion"},
        {"it is shared no more when one takes another", it_is_shared_no_more_when_one_gives_it_up, NULL},
        {"what a VM says itself lasts", what_a_vm_says_itself_lasts, NULL},
        {"saying the same again changes nothing", saying_the_same_again_changes_nothing, NULL},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/inventory/sharing/", tests[i].name, NULL);
        g_test_add(path, Fixture, tests[i].data, set_up, tests[i].run, tear_down);
    }
    return g_test_run();
}
