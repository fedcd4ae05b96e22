/* controllers: starts the single ones. */
#include "local/controllers/controllers.h"
#include "local/controllers/parts.h"

struct LocalControllers {
    WorkQueue *deployments, *replica_sets, *jobs, *namespaces, *projects;
    Garbage *garbage;
    ServingCertificates *certificates;
};

LocalControllers *local_controllers_new(LocalView *view, const LocalControllersOptions *options,
                                        GError **error)
{
    Certificate *authority = certificate_read(options->ca_path, options->ca_key_path, error);

    if (!authority)
        return NULL;
    LocalControllers *controllers = g_new0(LocalControllers, 1);
    controllers->certificates = serving_certificates_new(view, authority, options->listen_host);
    controllers->namespaces = namespaces_new(view);
    controllers->projects = projects_new(view);
    controllers->deployments = deployments_new(view);
    controllers->replica_sets = replica_sets_new(view);
    controllers->jobs = jobs_new(view);
    controllers->garbage = garbage_new(view);
    return controllers;
}

void local_controllers_free(LocalControllers *controllers)
{
    garbage_free(controllers->garbage);
    work_queue_free(controllers->jobs);
    work_queue_free(controllers->replica_sets);
    work_queue_free(controllers->deployments);
    work_queue_free(controllers->projects);
    work_queue_free(controllers->namespaces);
    serving_certificates_free(controllers->certificates);
    g_free(controllers);
}

void queue_object(Object *before, Object *after, gpointer queue)
{
    g_autofree char *key = local_key(after ? after : before);
    work_queue_add(queue, key);
}
