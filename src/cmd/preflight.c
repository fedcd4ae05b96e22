/* gantry preflight: what stands in a plan's way, and what is only worth knowing. */
#include "cmd/plan_argument.h"
#include "cmd/print.h"
#include "cmd/text_table.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

enum { LOOK_SECONDS = 60 };

static gboolean worth_showing(const json_t *condition)
{
    const char *category = json_string_at(condition, "category", "");

    return !strcmp(category, "Critical") || !strcmp(category, "Error") || !strcmp(category, "Warn");
}

/* A row an item, since items say which VM. */
static void add_condition(TextTable *table, const json_t *condition)
{
    const json_t *items = json_object_get(condition, "items");
    size_t rows = MAX(json_array_size(items), 1);

    for (size_t i = 0; i < rows; i++) {
        const char *item = json_string_value(json_array_get(items, i));
        char *row[] = {g_strdup(json_string_at(condition, "category", "")),
                       g_strdup(json_string_at(condition, "type", "")),
                       g_strdup(item ? item : json_string_at(condition, "message", "")), NULL};
        text_table_add_take(table, row);
    }
}

static void print_findings(const Object *plan)
{
    static const char *const titles[] = {"CATEGORY", "CONDITION", "WHAT", NULL};
    g_autoptr(TextTable) table = text_table_new(titles);
    const json_t *condition;
    size_t i;

    json_array_foreach (json_at(object_json(plan), "status.conditions"), i, condition)
        if (worth_showing(condition))
            add_condition(table, condition);
    if (text_table_rows(table))
        text_table_print(table);
    json_array_foreach (json_at(object_json(plan), "status.conditions"), i, condition)
        if (worth_showing(condition))
            printf("\n%s: %s\n", json_string_at(condition, "type", ""),
                   json_string_at(condition, "message", ""));
    printf("%s%s is %s\n", text_table_rows(table) ? "\n" : "", object_name(plan),
           object_condition(plan, "Ready") ? "ready" : "not ready");
}

/* What blocks the plan and does not pass by itself ends the waiting. */
static gboolean has_findings(const Object *plan, GError **error)
{
    const json_t *condition;
    size_t i;

    json_array_foreach (json_at(object_json(plan), "status.conditions"), i, condition)
        if (worth_showing(condition) && strcmp(json_string_at(condition, "category", ""), "Warn") &&
            condition_settled(condition))
            return TRUE;
    return FALSE;
}

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(Object) plan = NULL;
    gboolean is_ready;

    if (!words_count(words, 1, 1, "one PLAN", error))
        return EXIT_USAGE;
    is_ready = wait_for_condition(session->kube, &KUBE_PLAN, session->ns, words[0], "Ready", LOOK_SECONDS,
                                  has_findings, &plan, error);
    if (*error)
        return EXIT_FAILED;
    if (session->output == OUTPUT_TABLE || session->output == OUTPUT_WIDE) {
        print_findings(plan);
    } else {
        g_autoptr(json_t) none = json_array();
        const json_t *conditions = json_at(object_json(plan), "status.conditions");
        print_items(conditions ? conditions : none, FALSE, session->output, NULL);
    }
    return is_ready ? EXIT_DONE : EXIT_FAILED;
}

const Verb verb_preflight = {"preflight",
                             "PLAN",
                             "show what stands in a plan's way",
                             "Exit status: 0 the plan can be started, 1 it cannot.",
                             NULL,
                             FALSE,
                             run};
