/* cdi: which object's change concerns which queue. */
#include "local/cdi/cdi.h"
#include "kube/work_queue.h"
#include "local/cdi/claim.h"
#include "local/cdi/data_volume.h"
#include <string.h>

enum { CAPACITY_EVERY_MS = 30000 };

struct LocalCdi {
    LocalView *view;
    /* One thread each: claims of one folder are promised room one after the other. */
    WorkQueue *claims, *data_volumes, *classes;
};

static guint run_claim(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = ((LocalCdi *)user_data)->view;
    return local_end_of_work(view, key, claim_reconcile(view, key, cancel, error), error);
}

static guint run_data_volume(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = ((LocalCdi *)user_data)->view;
    return local_end_of_work(view, key, data_volume_reconcile(view, key, cancel, error), error);
}

static guint run_class(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = ((LocalCdi *)user_data)->view;
    guint next = storage_class_reconcile(view, key, cancel, error) ? CAPACITY_EVERY_MS : 0;
    return local_end_of_work(view, key, next, error);
}

static void add(WorkQueue *queue, const Object *before, const Object *after)
{
    g_autofree char *key = local_key(after ? after : before);
    work_queue_add(queue, key);
}

static void data_volume_changed(Object *before, Object *after, gpointer user_data)
{
    add(((LocalCdi *)user_data)->data_volumes, before, after);
}

/* A claim concerns itself and the DataVolume of its name. */
static void claim_changed(Object *before, Object *after, gpointer user_data)
{
    LocalCdi *cdi = user_data;
    add(cdi->claims, before, after);
    add(cdi->data_volumes, before, after);
}

/* A volume concerns its claim, which may be gone, that one's DataVolume (which may have looked at the bound
 * claim before the volume was seen here: each kind comes on its own), and its class's room. */
static void volume_changed(Object *before, Object *after, gpointer user_data)
{
    LocalCdi *cdi = user_data;
    const json_t *volume = object_json(after ? after : before);
    g_autofree char *claim = g_strdup_printf("%s/%s", json_string_at(volume, "spec.claimRef.namespace", ""),
                                             json_string_at(volume, "spec.claimRef.name", ""));
    g_autofree char *class = g_strdup_printf("/%s", json_string_at(volume, "spec.storageClassName", ""));

    work_queue_add(cdi->claims, claim);
    work_queue_add(cdi->data_volumes, claim);
    work_queue_add(cdi->classes, class);
}

/* A class that comes may be what claims waited for. */
static void class_changed(Object *before, Object *after, gpointer user_data)
{
    LocalCdi *cdi = user_data;

    add(cdi->classes, before, after);
    if (before)
        return;
    g_autoptr(GPtrArray) claims = local_view_list(cdi->view, &KUBE_PERSISTENT_VOLUME_CLAIM, NULL, NULL);
    for (guint i = 0; i < claims->len; i++)
        add(cdi->claims, NULL, claims->pdata[i]);
}

LocalCdi *cdi_new(LocalView *view)
{
    LocalCdi *cdi = g_new0(LocalCdi, 1);

    cdi->view = view;
    cdi->claims = work_queue_new("claims", 1, run_claim, cdi);
    cdi->data_volumes = work_queue_new("data volumes", 1, run_data_volume, cdi);
    cdi->classes = work_queue_new("storage classes", 1, run_class, cdi);
    local_view_subscribe(view, &KUBE_DATA_VOLUME, data_volume_changed, cdi);
    local_view_subscribe(view, &KUBE_PERSISTENT_VOLUME_CLAIM, claim_changed, cdi);
    local_view_subscribe(view, &KUBE_PERSISTENT_VOLUME, volume_changed, cdi);
    local_view_subscribe(view, &KUBE_STORAGE_CLASS, class_changed, cdi);
    return cdi;
}

void cdi_free(LocalCdi *cdi)
{
    work_queue_free(cdi->claims);
    work_queue_free(cdi->data_volumes);
    work_queue_free(cdi->classes);
    g_free(cdi);
}
