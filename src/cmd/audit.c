/* gantry audit: what was changed at sources, when, by whom, and what was put back. */
#include "base/audit.h"
#include "cmd/print.h"
#include "cmd/text_table.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static struct {
    char *vm;
} given;

static const GOptionEntry options[] = {
    {"vm", 0, 0, G_OPTION_ARG_STRING, &given.vm, "Only of this VM, by its id or name", "VM"},
    G_OPTION_ENTRY_NULL,
};

/* Plans are named as they were: the record of one that is deleted stays. */
static gboolean is_wanted(const json_t *record, const char *plan)
{
    const char *of = json_string_at(record, "plan", ""), *name = strchr(of, '/');

    if (plan && strcmp(name ? name + 1 : of, plan))
        return FALSE;
    return !given.vm || !strcmp(given.vm, json_string_at(record, "vm", "")) ||
           !strcmp(given.vm, json_string_at(record, "name", ""));
}

static int run(Session *session, char **words, GError **error)
{
    static const Column columns[] = {{"AT", "at"},         {"PLAN", "plan"},   {"VM", "name"},
                                     {"CHANGE", "change"}, {"ROUND", "round"}, {"DETAIL", "detail"},
                                     {"UNDOES", "undoes"}, {"BY", "by"},       {0}};
    g_autoptr(GPtrArray) journals = NULL;
    g_autoptr(json_t) all = json_array(), wanted = json_array(), sorted = NULL;
    const json_t *record;
    size_t i;

    if (!words_count(words, 0, 1, "at most one PLAN", error))
        return EXIT_USAGE;
    journals =
        kube_list(session->kube, &KUBE_CONFIG_MAP, session->list_ns, AUDIT_SELECTOR, NULL, NULL, NULL, error);
    if (!journals)
        return EXIT_FAILED;
    for (guint n = 0; n < journals->len; n++)
        audit_append(all, object_json(journals->pdata[n]));
    json_array_foreach (all, i, record)
        if (is_wanted(record, words[0]))
            json_array_append(wanted, (json_t *)record);
    sorted = audit_sorted(wanted);
    if (session->output == OUTPUT_JSON) {
        g_autofree char *lines = audit_lines(sorted);
        fputs(lines, stdout);
    } else if (!json_array_size(sorted)) {
        puts("Nothing was changed at a source.");
    } else {
        print_items(sorted, FALSE, session->output, columns);
    }
    return EXIT_DONE;
}

const Verb verb_audit = {"audit",
                         "[PLAN]",
                         "show what was changed at sources: power, snapshots, change tracking, open disks",
                         "Each record says when, by which Pod, in which plan and migration, of which VM, in "
                         "which round of a warm migration, and what\n"
                         "it put back. Records outlive their plan: they are ConfigMaps with the label "
                         "gantry.io/journal=source, which only you delete.\n"
                         "A VM's journal has at most 256 KiB; of a warm migration that is longer the oldest "
                         "rounds but the first are counted\n"
                         "(\"records left out\"). -o json prints a record a line.",
                         options,
                         FALSE,
                         run};
