/* project: each Namespace has a Project of its name (project.openshift.io/v1), as on OpenShift: making or
 * deleting the one makes or deletes the other.
 *
 * A Project that has the finalizer had its Namespace: when that has gone, so does the Project. One without it
 * is new.
 */
#include "local/controllers/parts.h"
#include "local/controllers/template.h"
#include <string.h>

#define FINALIZER "gantry.io/namespace"

static gboolean has_finalizer(const Object *project)
{
    return json_array_size(json_at(object_json(project), "metadata.finalizers")) > 0;
}

static gboolean set_finalizer(KubeClient *client, const Object *project, gboolean on, GCancellable *cancel,
                              GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:o},s:{s:s}}", "metadata", "finalizers",
                                        on ? json_pack("[s]", FINALIZER) : json_array(), "status", "phase",
                                        on ? "Active" : "Terminating");
    g_autoptr(Object) patched = kube_patch(client, &KUBE_PROJECT, NULL, object_name(project),
                                           KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return patched != NULL;
}

static gboolean make_namespace(KubeClient *client, const Object *project, GCancellable *cancel,
                               GError **error)
{
    g_autoptr(json_t) manifest = json_pack("{s:{s:s}}", "metadata", "name", object_name(project));
    gboolean created;
    g_autoptr(Object) made =
        kube_create_or_get(client, &KUBE_NAMESPACE, NULL, manifest, &created, cancel, error);

    return made && set_finalizer(client, project, TRUE, cancel, error);
}

static gboolean make_project(KubeClient *client, const char *name, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) manifest = json_pack("{s:{s:s,s:[s]},s:{s:s}}", "metadata", "name", name, "finalizers",
                                           FINALIZER, "status", "phase", "Active");
    gboolean created;
    g_autoptr(Object) made =
        kube_create_or_get(client, &KUBE_PROJECT, NULL, manifest, &created, cancel, error);

    return made != NULL;
}

/* The Namespace as the API has it now: whether it is gone is not a question for a view that may lag. */
static gboolean find_namespace(KubeClient *client, const char *name, Object **ns, GCancellable *cancel,
                               GError **error)
{
    g_autoptr(GError) problem = NULL;

    *ns = kube_get(client, &KUBE_NAMESPACE, NULL, name, cancel, &problem);
    if (*ns || g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static void look(const char *key, LocalView *view, GCancellable *cancel, GError **error)
{
    KubeClient *client = local_view_client(view);
    g_autofree char *none = NULL, *name = NULL;
    g_autoptr(Object) project = NULL, ns = NULL;

    local_key_split(key, &none, &name);
    project = local_view_get(view, &KUBE_PROJECT, "", name);
    if (!find_namespace(client, name, &ns, cancel, error))
        return;
    if (!project) {
        if (ns && !object_deleting(ns))
            make_project(client, name, cancel, error);
    } else if (!ns && !object_deleting(project) && !has_finalizer(project)) {
        make_namespace(client, project, cancel, error);
    } else if (!ns) {
        if (object_deleting(project) ||
            kube_delete(client, &KUBE_PROJECT, NULL, name, "Background", cancel, error))
            set_finalizer(client, project, FALSE, cancel, error);
    } else if (object_deleting(project) && !object_deleting(ns)) {
        kube_delete(client, &KUBE_NAMESPACE, NULL, name, "Background", cancel, error);
    } else if (!has_finalizer(project) && !object_deleting(project)) {
        set_finalizer(client, project, TRUE, cancel, error);
    }
}

/* What the view still had is gone: its end is on the way, and wakes us again. */
static guint sync_project(const char *key, gpointer view, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;

    look(key, view, cancel, &problem);
    if (problem && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return local_end_of_work(view, key, 0, error);
}

WorkQueue *projects_new(LocalView *view)
{
    WorkQueue *queue = work_queue_new("projects", 1, sync_project, view);

    local_view_subscribe(view, &KUBE_NAMESPACE, queue_object, queue);
    local_view_subscribe(view, &KUBE_PROJECT, queue_object, queue);
    return queue;
}
