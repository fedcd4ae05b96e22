/* gantry patch: changes some fields of an object. */
#include "base/yaml.h"
#include "cmd/print.h"
#include "cmd/verbs.h"
#include <string.h>

enum { MOST_PATCH = 1 << 20 };

static struct {
    char *patch, *type;
    char **set;
} given;

static const GOptionEntry options[] = {
    {"patch", 'p', 0, G_OPTION_ARG_STRING, &given.patch,
     "What changes, as JSON or YAML ({spec: {warm: true}})", "PATCH"},
    {"type", 0, 0, G_OPTION_ARG_STRING, &given.type, "merge (as given) or json (a list of operations)",
     "TYPE"},
    {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.set, "One field: spec.warm=true; may be given again",
     "FIELD=VALUE"},
    G_OPTION_ENTRY_NULL,
};

/* Puts FIELD=VALUE of --set into patch; VALUE is read as YAML, so true and 5 are no texts. */
static gboolean add_field(json_t *patch, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *field = equals ? g_strndup(text, equals - text) : NULL;
    json_t *value;

    if (!field || !*field || *field == '.' || strstr(field, "..") || g_str_has_suffix(field, ".")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "--set %s: it must be FIELD=VALUE, as in spec.warm=true", text);
        return FALSE;
    }
    value = equals[1] ? yaml_parse(equals + 1, strlen(equals + 1), MOST_PATCH, text, error) : json_string("");
    if (!value)
        return FALSE;
    json_set_at_new(patch, field, value);
    return TRUE;
}

static json_t *read_patch(GError **error)
{
    g_autoptr(json_t) patch = given.patch
                                  ? yaml_parse(given.patch, strlen(given.patch), MOST_PATCH, "--patch", error)
                                  : json_object();

    for (int i = 0; patch && given.set && given.set[i]; i++)
        if (!add_field(patch, given.set[i], error))
            return NULL;
    return g_steal_pointer(&patch);
}

static int run(Session *session, char **words, GError **error)
{
    const Kind *kind =
        words_count(words, 2, 2, "KIND and NAME", error) ? kind_find_object(words[0], error) : NULL;
    gboolean operations = !g_strcmp0(given.type, "json");
    g_autoptr(json_t) patch = NULL;
    g_autoptr(Object) found = NULL, changed = NULL;
    const KubeResource *resource;

    if (!kind)
        return EXIT_USAGE;
    if ((!given.patch && !given.set) || (given.set && operations) ||
        (given.type && !operations && strcmp(given.type, "merge"))) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s",
                    !given.patch && !given.set ? "--patch or --set is missing"
                    : given.set && operations  ? "--set does not go with --type json"
                                               : "--type must be merge or json");
        return EXIT_USAGE;
    }
    patch = read_patch(error);
    found = patch ? kind_get(kind, session->kube, session->ns, words[1], &resource, error) : NULL;
    changed = found ? kube_patch(session->kube, resource, session->ns, words[1],
                                 operations ? KUBE_PATCH_JSON : KUBE_PATCH_MERGE, patch, NULL, NULL, error)
                    : NULL;
    if (!changed)
        return EXIT_FAILED;
    print_change(object_json(changed), session->output, "changed");
    return EXIT_DONE;
}

const Verb verb_patch = {"patch",
                         "KIND NAME",
                         "change fields of an object",
                         "  gantry patch plan demo --set spec.warm=true --set spec.targetNamespace=web\n"
                         "  gantry patch provider vcenter -p '{spec: {settings: {vddkInitImage: null}}}'",
                         options,
                         FALSE,
                         run};
