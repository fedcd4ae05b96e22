/* gantry get: lists objects, and what a provider holds. */
#include "cmd/print.h"
#include "cmd/progress.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

static struct {
    char *selector, *provider, *query;
    int limit, offset;
    gboolean watch;
} given;

static const GOptionEntry options[] = {
    {"selector", 'l', 0, G_OPTION_ARG_STRING, &given.selector, "Only objects with these labels",
     "LABEL=VALUE,..."},
    {"watch", 'w', 0, G_OPTION_ARG_NONE, &given.watch,
     "Go on showing what there is (of one plan: its disks, with bars)", NULL},
    {"provider", 'p', 0, G_OPTION_ARG_STRING, &given.provider, "Whose inventory (the only source provider's)",
     "NAME"},
    {"query", 'q', 0, G_OPTION_ARG_STRING, &given.query,
     "Which of the inventory: powerState=poweredOn,name~web,-memoryMB", "QUERY"},
    {"limit", 0, 0, G_OPTION_ARG_INT, &given.limit, "At most so many of the inventory", "N"},
    {"offset", 0, 0, G_OPTION_ARG_INT, &given.offset, "Leave out the first N of them", "N"},
    G_OPTION_ENTRY_NULL,
};

/* ---- objects of the cluster ---- */

static gboolean add_named(Session *session, const Kind *kind, char **names, json_t *items, GError **error)
{
    for (; *names; names++) {
        g_autoptr(Object) found = kind_get(kind, session->kube, session->ns, *names, NULL, error);
        if (!found)
            return FALSE;
        json_array_append(items, (json_t *)object_json(found));
    }
    return TRUE;
}

static gboolean add_listed(Session *session, const Kind *kind, json_t *items, GError **error)
{
    for (guint i = 0; kind->resources[i]; i++) {
        g_autoptr(GPtrArray) all = kube_list(session->kube, kind->resources[i], session->list_ns,
                                             given.selector, NULL, NULL, NULL, error);
        if (!all)
            return FALSE;
        for (guint k = 0; k < all->len; k++)
            json_array_append(items, (json_t *)object_json(all->pdata[k]));
    }
    return TRUE;
}

/* ---- the inventory ---- */

static char *query_text(void)
{
    GString *query = g_string_new("detail=4");

    if (given.query)
        g_string_append_uri_escaped(g_string_append(query, "&q="), query_terms(given.query), NULL, FALSE);
    if (given.limit > 0)
        g_string_append_printf(query, "&limit=%d", given.limit);
    if (given.offset > 0)
        g_string_append_printf(query, "&offset=%d", given.offset);
    return g_string_free(query, FALSE);
}

static gboolean add_inventory(Session *session, const Kind *kind, char **names, json_t *items, GError **error)
{
    g_autoptr(Object) provider = provider_chosen(session->kube, session->ns, given.provider, error);
    const char *collection =
        provider ? kind_collection(kind, json_string_at(object_json(provider), "spec.type", ""), error)
                 : NULL;
    InventoryClient *inventory = collection ? verb_inventory(session, error) : NULL;
    g_autofree char *query = query_text();
    g_autoptr(json_t) list = NULL;

    if (!inventory)
        return FALSE;
    for (char **name = names; *name; name++) {
        g_autoptr(json_t) by_name = json_pack("{s:s}", "name", *name),
                          by_id = json_pack("{s:s}", "id", *name);
        json_t *found = inventory_find(inventory, provider, collection, by_name, NULL, NULL);
        if (!found)
            found = inventory_find(inventory, provider, collection, by_id, NULL, error);
        if (!found)
            return FALSE;
        json_array_append_new(items, found);
    }
    if (*names)
        return TRUE;
    list = inventory_query(inventory, provider, collection, query, NULL, error);
    if (list)
        json_array_extend(items, list);
    return list != NULL;
}

/* ---- once, or over and over ---- */

static json_t *collect(Session *session, const Kind *kind, char **names, GError **error)
{
    g_autoptr(json_t) items = json_array();
    gboolean done = !kind->resources ? add_inventory(session, kind, names, items, error)
                    : *names         ? add_named(session, kind, names, items, error)
                                     : add_listed(session, kind, items, error);
    return done ? g_steal_pointer(&items) : NULL;
}

/* On a terminal the table stays in its place; elsewhere it is printed again when it has changed. */
static int watch(Session *session, const Kind *kind, char **names, GError **error)
{
    g_autofree char *last = NULL;
    gboolean terminal = isatty(STDOUT_FILENO);

    for (;;) {
        g_autoptr(json_t) items = collect(session, kind, names, error);
        g_autofree char *text =
            items ? items_table(items, kind->columns, session->output == OUTPUT_WIDE) : NULL;
        if (!text)
            return EXIT_FAILED;
        if (g_strcmp0(text, last)) {
            guint lines = 0;
            for (const char *c = last; c && *c; c++)
                lines += *c == '\n';
            if (terminal && lines)
                printf("\033[%uA\033[J", lines);
            fputs(text, stdout);
            fflush(stdout);
            g_free(last);
            last = g_steal_pointer(&text);
        }
        g_usleep(LOOK_MS * 1000);
    }
}

static int run(Session *session, char **words, GError **error)
{
    const Kind *kind =
        words_count(words, 1, G_MAXUINT, "KIND and names", error) ? kind_find(words[0], error) : NULL;
    g_autoptr(json_t) items = NULL;

    if (!kind)
        return EXIT_USAGE;
    if (given.watch && kind->resources && kind->resources[0] == &KUBE_PLAN && words[1] && !words[2]) {
        g_autoptr(Object) plan = NULL;
        return progress_show(session->kube, session->ns, words[1], TRUE, &plan, error) ? EXIT_DONE
                                                                                       : EXIT_FAILED;
    }
    if (given.watch)
        return watch(session, kind, words + 1, error);
    items = collect(session, kind, words + 1, error);
    if (!items)
        return EXIT_FAILED;
    if (json_array_size(items) == 0 && (session->output == OUTPUT_TABLE || session->output == OUTPUT_WIDE))
        fprintf(stderr, "There is none%s%s.\n", session->list_ns ? " in namespace " : "",
                session->list_ns ? session->list_ns : "");
    else
        print_items(items, words[1] && !words[2], session->output, kind->columns);
    return EXIT_DONE;
}

const Verb verb_get = {
    "get",
    "KIND [NAME...]",
    "list providers, plans, mappings and the like, or what a provider holds",
    "QUERY is that of the inventory's q=: terms joined by commas that must all hold, FIELD=VALUE, "
    "FIELD!=VALUE,\n"
    "FIELD~PART, FIELD>NUMBER, FIELD<NUMBER; name|path~web: either field, host=h1|h2: either value;\n"
    "a term that is only a field sorts by it (-FIELD: downwards).\n\n"
    "  gantry get plan                                 the plans, and how they go\n"
    "  gantry get plan demo -w                         one plan's disks, with bars, until it has ended\n"
    "  gantry get vm -q 'name~web,-memoryMB' --limit 20    the largest twenty of the web servers\n"
    "  gantry get vm debian -o yaml                    all that the inventory knows of a VM",
    options,
    FALSE,
    run};
