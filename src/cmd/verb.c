/* verb: from a verb's words to its work: parse, connect, run, say what went wrong. */
#include "cmd/verb.h"
#include "kube/kubeconfig.h"
#include <locale.h>
#include <stdio.h>
#include <string.h>

static struct {
    char *kubeconfig, *context, *ns, *output, *inventory, *inventory_ca;
    gboolean all;
} common;

const GOptionEntry common_options[] = {
    {"kubeconfig", 0, 0, G_OPTION_ARG_FILENAME, &common.kubeconfig,
     "How to reach the cluster ($KUBECONFIG, else ~/.kube/config)", "FILE"},
    {"context", 0, 0, G_OPTION_ARG_STRING, &common.context, "Of the kubeconfig (its current one)", "NAME"},
    {"namespace", 'n', 0, G_OPTION_ARG_STRING, &common.ns, "Of Gantry's objects (openshift-mtv)", "NS"},
    {"all-namespaces", 'A', 0, G_OPTION_ARG_NONE, &common.all, "List those of all namespaces", NULL},
    {"output", 'o', 0, G_OPTION_ARG_STRING, &common.output, "table, wide, json, yaml or name", "FORMAT"},
    {"inventory-url", 'i', 0, G_OPTION_ARG_STRING, &common.inventory,
     "The inventory service (that of the cluster's Route; $GANTRY_INVENTORY_URL)", "URL"},
    {"inventory-ca", 0, 0, G_OPTION_ARG_FILENAME, &common.inventory_ca,
     "CA of its certificate, with --inventory-url", "FILE"},
    G_OPTION_ENTRY_NULL,
};

gboolean words_count(char **words, guint least, guint most, const char *what, GError **error)
{
    guint count = g_strv_length(words);

    if (count >= least && count <= most)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "it takes %s, not %u word%s", what, count,
                count == 1 ? "" : "s");
    return FALSE;
}

GPtrArray *option_list(char *const *values)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; values && values[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(values[i], ",", -1);
        for (int k = 0; parts[k]; k++)
            if (*g_strstrip(parts[k]))
                g_ptr_array_add(list, g_strdup(parts[k]));
    }
    return list;
}

const char *query_terms(const char *query)
{
    while (g_ascii_isspace(*query))
        query++;
    return g_str_has_prefix(query, "where ") ? query + 6 : query;
}

static gboolean read_output(Output *output, GError **error)
{
    static const char *const names[] = {"table", "wide", "json", "yaml", "name"};

    *output = OUTPUT_TABLE;
    for (guint i = 0; common.output && i < G_N_ELEMENTS(names); i++)
        if (!strcmp(common.output, names[i])) {
            *output = i;
            return TRUE;
        }
    if (common.output)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "--output %s: it must be table, wide, json, yaml or name", common.output);
    return !common.output;
}

InventoryClient *verb_inventory(Session *session, GError **error)
{
    const char *url = common.inventory ? common.inventory : g_getenv("GANTRY_INVENTORY_URL");
    g_autofree char *pem = NULL, *token = NULL;

    if (session->inventory)
        return session->inventory;
    if (!url || !*url)
        return session->inventory = inventory_client_new_of(session->kube, NULL, error);
    if (common.inventory_ca && !g_file_get_contents(common.inventory_ca, &pem, NULL, error))
        return NULL;
    token = kube_client_token(session->kube);
    session->inventory = inventory_client_new_at(url, pem, token, error);
    if (token)
        explicit_bzero(token, strlen(token));
    return session->inventory;
}

static gboolean begin(const Verb *verb, Session *session, GError **error)
{
    session->ns = common.ns ? common.ns : "openshift-mtv";
    session->list_ns = common.all ? NULL : session->ns;
    if (!read_output(&session->output, error))
        return FALSE;
    if (verb->offline)
        return TRUE;
    kubeconfig_choose_context(common.context);
    session->kube = common.kubeconfig ? kube_client_new_kubeconfig(common.kubeconfig, error)
                                      : kube_client_new_default(error);
    return session->kube != NULL;
}

static int complain(const Verb *verb, const GError *error)
{
    if (g_error_matches(error, GANTRY_ERROR, ERROR_CANCELED))
        fprintf(stderr, "gantry %s: %s\n", verb->name, error->message);
    else if (error->domain == G_OPTION_ERROR)
        fprintf(stderr, "gantry %s: %s; see gantry %s --help\n", verb->name, error->message, verb->name);
    else if (g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT))
        fprintf(stderr, "gantry %s: %s. See gantry %s --help.\n", verb->name, error->message, verb->name);
    else
        fprintf(stderr, "gantry %s: %s. %s\n", verb->name, error->message, error_remedy(error));
    return error->domain == G_OPTION_ERROR || g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT)
               ? EXIT_USAGE
               : EXIT_FAILED;
}

int verb_main(const Verb *verb, int argc, char **argv)
{
    g_autofree char *usage = verb->arguments ? g_strconcat(verb->arguments, " - ", verb->what, NULL)
                                             : g_strconcat("- ", verb->what, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    g_autoptr(GError) error = NULL;
    Session session = {0};
    int code = EXIT_FAILED;

    setlocale(LC_ALL, "");
    if (verb->options)
        g_option_context_add_main_entries(context, verb->options, NULL);
    g_option_context_add_main_entries(context, common_options, NULL);
    g_option_context_set_description(context, verb->more);
    if (g_option_context_parse(context, &argc, &argv, &error) && begin(verb, &session, &error))
        code = verb->run(&session, argv + 1, &error);
    g_clear_pointer(&session.inventory, inventory_client_free);
    g_clear_pointer(&session.kube, kube_client_unref);
    return error ? complain(verb, error) : code;
}
