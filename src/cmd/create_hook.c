/* create hook and create host: what a plan may have beside its VMs. */
#include "cmd/create.h"
#include "cmd/kinds.h"

json_t *create_hook(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    g_autoptr(json_t) hook = manifest_new(session, &KUBE_HOOK, name);
    g_autofree char *playbook = NULL, *encoded = NULL;
    gsize size;

    if (!options->playbook && !options->image) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, "neither --playbook nor --image is given");
        return NULL;
    }
    if (options->playbook && !g_file_get_contents(options->playbook, &playbook, &size, error))
        return NULL;
    json_set_at_new(hook, "spec.image",
                    json_string(options->image ? options->image : "quay.io/konveyor/hook-runner"));
    if (playbook) {
        encoded = g_base64_encode((guchar *)playbook, size);
        json_set_at_new(hook, "spec.playbook", json_string(encoded));
    }
    if (options->deadline > 0)
        json_set_at_new(hook, "spec.deadline", json_integer(options->deadline));
    if (options->service_account)
        json_set_at_new(hook, "spec.serviceAccount", json_string(options->service_account));
    return json_pack("[O]", hook);
}

json_t *create_host(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    g_autoptr(Object) source = provider_chosen(session->kube, session->ns, options->source, error);
    g_autoptr(json_t) host = manifest_new(session, &KUBE_HOST, name);

    if (!source || !option_needed("--ip", options->address, error))
        return NULL;
    json_set_at_new(host, "spec",
                    json_pack("{s:o, s:s, s:s}", "provider", reference_new(session, object_name(source)),
                              "id", options->host_id ? options->host_id : name, "ipAddress",
                              options->address));
    if (options->secret)
        json_set_at_new(host, "spec.secret", reference_new(session, options->secret));
    return json_pack("[O]", host);
}
