/* storage: whose modes count, and how much room is asked for. */
#include "plan/storage.h"
#include <string.h>

#define GI (1024ULL << 20)

static json_t *parse(const char *text)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
    json_t *parsed = json_loads(json, 0, NULL);

    g_assert_nonnull(parsed);
    return parsed;
}

static void modes_are_the_maps_then_cdis_then_the_guides(void)
{
    static const char *const none = "{}";
    static const char *const profile =
        "{'status':{'claimPropertySets':[{'accessModes':['ReadWriteMany'],'volumeMode':'Block'},"
        "{'accessModes':['ReadWriteOnce','ReadWriteMany'],'volumeMode':'Filesystem'}]}}";
    static const struct {
        const char *class, *profile;
        const char *map_access, *map_volume, *access, *volume;
    } rows[] = {
        /* the map */
        {"{'provisioner':'x'}", profile, "ReadOnlyMany", "Block", "ReadOnlyMany", "Block"},
        /* the profile: its best set, and the best that agrees with the map */
        {"{'provisioner':'x'}", profile, NULL, NULL, "ReadWriteMany", "Block"},
        {"{'provisioner':'x'}", profile, "ReadWriteOnce", NULL, "ReadWriteOnce", "Filesystem"},
        {"{'provisioner':'x'}", profile, NULL, "Filesystem", "ReadWriteOnce", "Filesystem"},
        /* the profile says nothing that fits: the table, else the plainest */
        {"{'provisioner':'openshift-storage.rbd.csi.ceph.com'}", profile, "ReadOnlyMany", NULL,
         "ReadOnlyMany", "Block"},
        {"{'provisioner':'openshift-storage.cephfs.csi.ceph.com'}", none, NULL, NULL, "ReadWriteMany",
         "Filesystem"},
        {"{'provisioner':'kubernetes.io/rbd'}", none, NULL, NULL, "ReadWriteOnce", "Block"},
        {"{'provisioner':'ebs.csi.aws.com'}", none, NULL, NULL, "ReadWriteOnce", "Filesystem"},
        {"{'provisioner':'ebs.csi.aws.com'}",
         "{'status':{'claimPropertySets':[{'accessModes':['Nonsense']}]}}", NULL, NULL, "ReadWriteOnce",
         "Filesystem"},
        /* nothing provisions it: only who edits the profile may say more */
        {"{'provisioner':'kubernetes.io/no-provisioner'}", none, NULL, NULL, "ReadWriteOnce", "Filesystem"},
        {"{'provisioner':'kubernetes.io/no-provisioner'}", profile, NULL, NULL, "ReadWriteMany", "Block"},
        {none, none, NULL, NULL, "ReadWriteOnce", "Filesystem"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) class = parse(rows[i].class), parsed = parse(rows[i].profile);
        TargetStorage storage = {.access_mode = rows[i].map_access, .volume_mode = rows[i].map_volume};
        storage_modes(class, parsed, &storage);
        g_assert_cmpstr(storage.access_mode, ==, rows[i].access);
        g_assert_cmpstr(storage.volume_mode, ==, rows[i].volume);
    }
}

static void overhead_is_added_once_and_the_larger_one_counts(void)
{
    static const char *const none = "{}",
                             *const cdi = "{'status':{'filesystemOverhead':{'global':'0.06','storageClass':"
                                          "{'thin':'0.2','odd':'much'}}}}";
    static const struct {
        const char *annotation, *config, *name, *mode;
        gint percent;
        guint64 size, request;
    } rows[] = {
        {NULL, none, "standard", "Filesystem", 0, 9 * GI, 9 * GI},
        {NULL, none, "standard", "Filesystem", 10, 9 * GI, 10 * GI},
        {NULL, none, "standard", "Filesystem", 10, 1, 2 << 20},
        /* CDI adds its 6 % to the request: 9.4 GiB become 10 */
        {NULL, cdi, "standard", "Filesystem", 10, 9 * GI, (guint64)(9.4 * 1024 + 1) << 20},
        /* CDI's own is larger: it is left to CDI */
        {NULL, cdi, "thin", "Filesystem", 10, 9 * GI, 9 * GI},
        {NULL, cdi, "standard", "Filesystem", 5, 9 * GI, 9 * GI},
        {NULL, cdi, "odd", "Filesystem", 10, 9 * GI, 10 * GI},
        /* the class's own word */
        {"0", none, "standard", "Filesystem", 10, 9 * GI, 9 * GI},
        {"50", none, "standard", "Filesystem", 10, 9 * GI, 18 * GI},
        {"100", none, "standard", "Filesystem", 10, 9 * GI, 10 * GI},
        {"a lot", none, "standard", "Filesystem", 10, 9 * GI, 10 * GI},
        /* a block device has no file system */
        {NULL, cdi, "standard", "Block", 10, 9 * GI, 9 * GI + (1 << 20)},
        {NULL, none, "standard", "Filesystem", 10, G_MAXUINT64 - (2 << 20), 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) class = json_object(), config = parse(rows[i].config);
        TargetStorage storage = {.storage_class = rows[i].name, .volume_mode = rows[i].mode};
        StorageOverhead own = {.filesystem_percent = rows[i].percent, .block_bytes = 1 << 19};
        if (rows[i].annotation)
            json_object_set_new(class, "metadata",
                                json_pack("{s:{s:s}}", "annotations", STORAGE_OVERHEAD, rows[i].annotation));
        g_assert_cmpuint(storage_request(class, config, &own, &storage, rows[i].size), ==, rows[i].request);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/storage/" text, function)
    CASE("modes are the map's, then CDI's, then the guide's", modes_are_the_maps_then_cdis_then_the_guides);
    CASE("overhead is added once, and the larger one counts",
         overhead_is_added_once_and_the_larger_one_counts);
    return g_test_run();
}
