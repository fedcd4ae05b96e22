/* gantry migrate: one VM, or a few, in one line: provider, mappings, plan, migration, report. */
#include "cmd/create.h"
#include "cmd/plan_argument.h"
#include "cmd/print.h"
#include "cmd/progress.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

enum { CONNECT_SECONDS = 120, CHECK_SECONDS = 180 };

static struct {
    CreateOptions create;
    char *from, *name;
} given;

static const GOptionEntry options[] = {
    {"from", 0, 0, G_OPTION_ARG_STRING, &given.from,
     "A vCenter, an ESXi host (https://HOST/sdk) or an oVirt engine (https://HOST/ovirt-engine/api)", "URL"},
    {"vm", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.create.vms, "Which VMs, by name or id", "VM,..."},
    {"name", 0, 0, G_OPTION_ARG_STRING, &given.name, "Of the plan (that of the first VM)", "NAME"},
    {"user", 0, 0, G_OPTION_ARG_STRING, &given.create.user, "Who logs in there", "USER"},
    {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &given.create.password_file,
     "The password, - for standard input; asked for on a terminal", "FILE"},
    {"cacert", 0, 0, G_OPTION_ARG_FILENAME, &given.create.cacert, "The CA of its certificate", "FILE"},
    {"fingerprint", 0, 0, G_OPTION_ARG_STRING, &given.create.fingerprint,
     "Its certificate's fingerprint (SHA-1)", "AA:BB:..."},
    {"insecure", 0, 0, G_OPTION_ARG_NONE, &given.create.insecure, "Trust any certificate", NULL},
    {"target-namespace", 't', 0, G_OPTION_ARG_STRING, &given.create.target_namespace,
     "Where VMs go (default)", "NS"},
    {"network", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.create.networks,
     "As of gantry create (proposed from the VMs)", "PAIR"},
    {"storage", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.create.storage,
     "As of gantry create (the default class)", "PAIR"},
    {"warm", 'w', 0, G_OPTION_ARG_NONE, &given.create.warm, "Copy while they run; finish with gantry cutover",
     NULL},
    {"skip-guest-conversion", 0, 0, G_OPTION_ARG_NONE, &given.create.skip_conversion,
     "Leave guests as they are", NULL},
    G_OPTION_ENTRY_NULL,
};

/* "Web Server_1" → "web-server-1": a name that Kubernetes takes. */
static char *object_name_of(const char *text)
{
    GString *name = g_string_new(NULL);

    for (; *text && name->len < 40; text++) {
        char letter = g_ascii_tolower(*text);
        if (g_ascii_isalnum(letter))
            g_string_append_c(name, letter);
        else if (name->len && name->str[name->len - 1] != '-')
            g_string_append_c(name, '-');
    }
    while (name->len && name->str[name->len - 1] == '-')
        g_string_truncate(name, name->len - 1);
    if (!name->len)
        g_string_append(name, "vm");
    return g_string_free(name, FALSE);
}

/* The Provider of that URL when there is one already. */
static Object *known_provider(Session *session, GError **error)
{
    g_autoptr(GPtrArray) all =
        kube_list(session->kube, &KUBE_PROVIDER, session->ns, NULL, NULL, NULL, NULL, error);

    for (guint i = 0; all && i < all->len; i++)
        if (!strcmp(json_string_at(object_json(all->pdata[i]), "spec.url", ""), given.from))
            return object_ref(all->pdata[i]);
    return NULL;
}

static char *make_provider(Session *session, GError **error)
{
    g_autoptr(Object) known = known_provider(session, error);
    g_autoptr(GUri) uri = g_uri_parse(given.from, G_URI_FLAGS_NONE, NULL);
    g_autoptr(json_t) manifests = NULL;
    g_autofree char *name = NULL;

    if (known)
        return g_strdup(object_name(known));
    if (*error)
        return NULL;
    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "https")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "--from %s: it must be https://HOST/sdk or https://HOST/ovirt-engine/api", given.from);
        return NULL;
    }
    name = object_name_of(g_uri_get_host(uri));
    given.create.url = given.from;
    given.create.type = strstr(g_uri_get_path(uri), "ovirt-engine") ? "ovirt" : "vsphere";
    manifests = create_provider(session, &given.create, name, error);
    return manifests && create_all(session, manifests, print_created, error) ? g_steal_pointer(&name) : NULL;
}

static gboolean wait_ready(Session *session, const KubeResource *resource, const char *name, guint seconds,
                           Object **object, GError **error)
{
    if (wait_for_condition(session->kube, resource, session->ns, name, "Ready", seconds, blocked_for_good,
                           object, error))
        return TRUE;
    if (!*error)
        g_set_error(error, GANTRY_ERROR, ERROR_NOT_READY,
                    "%s %s is not ready after %u s; gantry describe tells more", resource->kind, name,
                    seconds);
    return FALSE;
}

static char *make_plan(Session *session, GError **error)
{
    g_autoptr(GPtrArray) vms = option_list(given.create.vms);
    g_autofree char *name = given.name ? g_strdup(given.name) : object_name_of(vms->len ? vms->pdata[0] : "");
    g_autoptr(json_t) manifests = create_plan(session, &given.create, name, error);

    return manifests && create_all(session, manifests, print_created, error) ? g_steal_pointer(&name) : NULL;
}

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(Object) provider = NULL, plan = NULL, migration = NULL, last = NULL;
    g_autofree char *plan_name = NULL;

    if (!words_count(words, 0, 0, "options only", error) || !option_needed("--from", given.from, error) ||
        !option_needed("--vm", given.create.vms ? given.create.vms[0] : NULL, error))
        return EXIT_USAGE;
    given.create.source = make_provider(session, error);
    if (!given.create.source ||
        !wait_ready(session, &KUBE_PROVIDER, given.create.source, CONNECT_SECONDS, &provider, error))
        return EXIT_FAILED;
    plan_name = make_plan(session, error);
    if (!plan_name || !wait_ready(session, &KUBE_PLAN, plan_name, CHECK_SECONDS, &plan, error))
        return EXIT_FAILED;
    migration = plan_start(session->kube, plan, NULL, error);
    if (!migration)
        return EXIT_FAILED;
    print_change(object_json(migration), session->output, "started");
    if (given.create.warm)
        printf("It copies while the VMs run, until: gantry cutover %s\n", plan_name);
    if (!progress_show(session->kube, session->ns, plan_name, TRUE, &last, error))
        return EXIT_FAILED;
    progress_print_report(last);
    return object_condition(last, "Succeeded") ? EXIT_DONE : EXIT_FAILED;
}

const Verb verb_migrate = {"migrate",
                           NULL,
                           "move VMs in one line: connect, map, check, copy, prove",
                           "  gantry migrate --from https://vcenter.example/sdk --user "
                           "administrator@vsphere.local --fingerprint AA:... --vm web1\n\n"
                           "What it makes (Provider, mappings, Plan) stays, so that gantry report, why and "
                           "restart work on it; a Provider of that URL that is\n"
                           "there already is used.",
                           options,
                           FALSE,
                           run};
