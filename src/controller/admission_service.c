/* admission_service: looks at objects through the API. */
#include "controller/admission_service.h"
#include "admission/webhook.h"
#include "base/log.h"
#include <string.h>

struct AdmissionService {
    WebhookStore store;
    HttpServer *server;
};

/* What the rules ask for; "plans.forklift.konveyor.io" */
static const KubeResource *resource_named(const char *name)
{
    static const KubeResource *const known[] = {&KUBE_PLAN, &KUBE_PROVIDER, &KUBE_NAMESPACE,
                                                &KUBE_NETWORK_ATTACHMENT_DEFINITION};

    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        const char *dot = *known[i]->group ? "." : "";
        g_autofree char *own = g_strconcat(known[i]->plural, dot, known[i]->group, NULL);
        if (!strcmp(own, name))
            return known[i];
    }
    return NULL;
}

/* What cannot be read is as if it were not there: the rules then say less, and conditions say it later. */
static Object *look(const char *name, const char *ns, const char *object, gpointer kube)
{
    const KubeResource *resource = resource_named(name);
    g_autoptr(GError) problem = NULL;
    Object *found = resource ? kube_get(kube, resource, ns, object, NULL, &problem) : NULL;

    if (problem && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        log_warn("admission cannot look at an object", "name", object, "error", problem->message, NULL);
    return found;
}

AdmissionService *admission_service_start(KubeClient *kube, const char *listen, const char *cert_file,
                                          const char *key_file, GError **error)
{
    g_autoptr(AdmissionService) service = g_new0(AdmissionService, 1);
    g_autofree char *cert = NULL, *key = NULL;
    gsize key_size = 0;

    service->store = (WebhookStore){.look = look, .store = kube};
    if (!g_file_get_contents(cert_file, &cert, NULL, error) ||
        !g_file_get_contents(key_file, &key, &key_size, error))
        return NULL;
    service->server = webhook_start(listen, cert, key, &service->store, error);
    explicit_bzero(key, key_size);
    return service->server ? g_steal_pointer(&service) : NULL;
}

void admission_service_stop(AdmissionService *service)
{
    if (!service)
        return;
    g_clear_pointer(&service->server, http_server_stop);
    g_free(service);
}
