/* gantry create: providers, mappings, plans, hooks, hosts. */
#include "cmd/create.h"
#include "cmd/print.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static CreateOptions given;

static const GOptionEntry options[] = {
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &given.dry_run,
     "Print what would be made, as YAML, and make nothing", NULL},
    {"type", 0, 0, G_OPTION_ARG_STRING, &given.type, "provider: vsphere, ovirt or openshift", "TYPE"},
    {"url", 0, 0, G_OPTION_ARG_STRING, &given.url, "provider: https://vcenter.example/sdk", "URL"},
    {"user", 0, 0, G_OPTION_ARG_STRING, &given.user, "provider: who logs in", "USER"},
    {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &given.password_file,
     "provider: the password (openshift: the token), - for standard input; asked for on a terminal", "FILE"},
    {"secret", 0, 0, G_OPTION_ARG_STRING, &given.secret, "provider: a Secret that is there already, instead",
     "NAME"},
    {"cacert", 0, 0, G_OPTION_ARG_FILENAME, &given.cacert, "provider: the CA of its certificate", "FILE"},
    {"fingerprint", 0, 0, G_OPTION_ARG_STRING, &given.fingerprint,
     "provider: its certificate, SHA-1 as in the guide", "AA:BB:..."},
    {"insecure", 0, 0, G_OPTION_ARG_NONE, &given.insecure, "provider: trust any certificate", NULL},
    {"setting", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.settings,
     "provider: vddkInitImage=..., may be given again", "KEY=VALUE"},
    {"source", 's', 0, G_OPTION_ARG_STRING, &given.source,
     "mapping, plan, host: the source provider (the only one)", "NAME"},
    {"destination", 'd', 0, G_OPTION_ARG_STRING, &given.destination,
     "mapping, plan: the target provider (host)", "NAME"},
    {"network", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.networks,
     "mapping, plan: NETWORK=pod, NETWORK=ignored or NETWORK=NAMESPACE/ATTACHMENT; may be given again",
     "PAIR"},
    {"storage", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.storage,
     "mapping, plan: DATASTORE=CLASS; may be given again", "PAIR"},
    {"vms", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.vms, "plan: names or ids", "VM,..."},
    {"file", 'f', 0, G_OPTION_ARG_FILENAME, &given.file,
     "plan: VMs line by line, or a table (CSV: name or id, targetName); - for standard input", "FILE"},
    {"query", 'q', 0, G_OPTION_ARG_STRING, &given.query,
     "plan: all VMs for which this holds (see gantry get --help)", "QUERY"},
    {"target-namespace", 't', 0, G_OPTION_ARG_STRING, &given.target_namespace,
     "plan: where VMs go (default); made when it is not there", "NS"},
    {"warm", 'w', 0, G_OPTION_ARG_NONE, &given.warm, "plan: copy while the VMs run", NULL},
    {"skip-guest-conversion", 0, 0, G_OPTION_ARG_NONE, &given.skip_conversion,
     "plan: leave guests as they are", NULL},
    {"network-map", 0, 0, G_OPTION_ARG_STRING, &given.network_map,
     "plan: a NetworkMap that is there (one is made)", "NAME"},
    {"storage-map", 0, 0, G_OPTION_ARG_STRING, &given.storage_map,
     "plan: a StorageMap that is there (one is made)", "NAME"},
    {"pre-hook", 0, 0, G_OPTION_ARG_STRING, &given.pre_hook, "plan: runs before each VM", "HOOK"},
    {"post-hook", 0, 0, G_OPTION_ARG_STRING, &given.post_hook, "plan: runs after each VM", "HOOK"},
    {"playbook", 0, 0, G_OPTION_ARG_FILENAME, &given.playbook, "hook: an Ansible playbook", "FILE"},
    {"image", 0, 0, G_OPTION_ARG_STRING, &given.image, "hook: the image that runs it", "IMAGE"},
    {"deadline", 0, 0, G_OPTION_ARG_INT, &given.deadline, "hook: at most so long", "SECONDS"},
    {"service-account", 0, 0, G_OPTION_ARG_STRING, &given.service_account, "hook: whose rights it has",
     "NAME"},
    {"host-id", 0, 0, G_OPTION_ARG_STRING, &given.host_id, "host: its id in the inventory (NAME)", "ID"},
    {"ip", 0, 0, G_OPTION_ARG_STRING, &given.address, "host: its address on the migration network",
     "ADDRESS"},
    G_OPTION_ENTRY_NULL,
};

/* ---- what the kinds share ---- */

json_t *manifest_new(const Session *session, const KubeResource *resource, const char *name)
{
    g_autofree char *version = *resource->group ? g_strconcat(resource->group, "/", resource->version, NULL)
                                                : g_strdup(resource->version);
    return json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", version, "kind", resource->kind, "metadata",
                     "name", name, "namespace", session->ns);
}

json_t *reference_new(const Session *session, const char *name)
{
    return json_pack("{s:s, s:s}", "name", name, "namespace", session->ns);
}

const char *destination_name(const CreateOptions *wanted)
{
    return wanted->destination ? wanted->destination : "host";
}

json_t *map_manifest_new(const Session *session, const CreateOptions *wanted, const KubeResource *resource,
                         const char *name, const char *source, json_t *pairs)
{
    json_t *map = manifest_new(session, resource, name);

    json_set_at_new(map, "spec",
                    json_pack("{s:{s:o, s:o}, s:O}", "provider", "source", reference_new(session, source),
                              "destination", reference_new(session, destination_name(wanted)), "map", pairs));
    return map;
}

gboolean option_pair(const char *option, const char *text, char **left, char **right, GError **error)
{
    const char *equals = strrchr(text, '=');

    if (!equals || equals == text || !equals[1]) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s %s: it must be two texts with = between",
                    option, text);
        return FALSE;
    }
    *left = g_strndup(text, equals - text);
    *right = g_strdup(equals + 1);
    return TRUE;
}

gboolean option_needed(const char *option, const char *value, GError **error)
{
    if (!value)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s is missing", option);
    return value != NULL;
}

/* ---- making them ---- */

static const KubeResource *resource_of(const json_t *manifest)
{
    static const KubeResource *const made[] = {&KUBE_SECRET,      &KUBE_PROVIDER, &KUBE_NETWORK_MAP,
                                               &KUBE_STORAGE_MAP, &KUBE_PLAN,     &KUBE_HOOK,
                                               &KUBE_HOST};

    for (guint i = 0; i < G_N_ELEMENTS(made); i++)
        if (!strcmp(json_string_at(manifest, "kind", ""), made[i]->kind))
            return made[i];
    g_assert_not_reached();
}

static void delete_made(Session *session, GPtrArray *made)
{
    for (guint i = made->len; i > 0; i--)
        kube_delete(session->kube, resource_of(object_json(made->pdata[i - 1])), session->ns,
                    object_name(made->pdata[i - 1]), NULL, NULL, NULL);
}

gboolean create_all(Session *session, const json_t *manifests,
                    void (*done)(const json_t *object, Output output), GError **error)
{
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    const json_t *manifest;
    size_t i;

    json_array_foreach (manifests, i, manifest) {
        Object *object =
            kube_create(session->kube, resource_of(manifest), session->ns, manifest, NULL, error);
        if (!object) {
            delete_made(session, made);
            return FALSE;
        }
        g_ptr_array_add(made, object);
    }
    for (guint k = 0; done && k < made->len; k++)
        done(object_json(made->pdata[k]), session->output);
    return TRUE;
}

/* What a Secret holds is not shown, not even to the one who gave it. */
static void hide_secrets(json_t *manifests)
{
    json_t *manifest;
    size_t i;

    json_array_foreach (manifests, i, manifest) {
        json_t *data = json_object_get(manifest, "stringData");
        if (json_object_get(data, "password"))
            json_object_set_new(data, "password", json_string("<password>"));
        if (json_object_get(data, "token"))
            json_object_set_new(data, "token", json_string("<token>"));
    }
}

static const struct {
    const char *name;
    json_t *(*make)(Session *session, const CreateOptions *options, const char *name, GError **error);
} makers[] = {{"provider", create_provider},
              {"mapping", create_mapping},
              {"plan", create_plan},
              {"hook", create_hook},
              {"host", create_host}};

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(json_t) manifests = NULL;

    if (!words_count(words, 2, 2, "KIND and NAME", error))
        return EXIT_USAGE;
    for (guint i = 0; i < G_N_ELEMENTS(makers); i++)
        if (!strcmp(words[0], makers[i].name))
            manifests = makers[i].make(session, &given, words[1], error);
    if (!manifests && !*error)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "it cannot make '%s'; it makes provider, mapping, plan, hook and host", words[0]);
    if (!manifests)
        return EXIT_FAILED;
    if (given.dry_run) {
        hide_secrets(manifests);
        print_items(manifests, TRUE, session->output == OUTPUT_JSON ? OUTPUT_JSON : OUTPUT_YAML, NULL);
        return EXIT_DONE;
    }
    return create_all(session, manifests, print_created, error) ? EXIT_DONE : EXIT_FAILED;
}

const Verb verb_create = {
    "create",
    "KIND NAME",
    "make a provider, mapping, plan, hook or host",
    "Of a plan's mappings what is not given is proposed from its VMs: a network goes to the attachment of "
    "its name, else the most used\n"
    "to the pod network and others nowhere; disks go to the default storage class. --dry-run shows all "
    "before anything is made.\n\n"
    "  gantry create provider vcenter --type vsphere --url https://vcenter.example/sdk --user "
    "administrator@vsphere.local --fingerprint AA:...\n"
    "  gantry create plan web --query name~web --target-namespace web --dry-run\n"
    "  gantry create plan web --vms web1,web2 --network 'VM Network=pod' --storage datastore1=standard\n"
    "  gantry create hook notify --playbook notify.yml\n"
    "  gantry create host esx1 --host-id host-44 --ip 10.0.0.44",
    options,
    FALSE,
    run};
