/* gantry why: all that is known about what a VM waits for, or why it failed, and what to do. */
#include "cmd/plan_argument.h"
#include "cmd/plan_words.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

enum { LOG_LINES = 5 };

static struct {
    char *plan;
} given;

static const GOptionEntry options[] = {
    {"plan", 'p', 0, G_OPTION_ARG_STRING, &given.plan, "Only in this plan (all that have the VM)", "PLAN"},
    G_OPTION_ENTRY_NULL,
};

/* The remedy of the catalogue for a reason that stands in text ("CopyFailed: …"), or NULL. */
static const char *remedy_in(const char *text)
{
    static const struct {
        const char *reason, *remedy;
    } catalogue[] = {
#define ERROR(code, class, reason, remedy) {reason, remedy},
#include "base/errors.def"
#undef ERROR
    };

    for (guint i = 0; i < G_N_ELEMENTS(catalogue); i++) {
        gsize size = strlen(catalogue[i].reason);
        if (!strncmp(text, catalogue[i].reason, size) && !g_ascii_isalnum(text[size]))
            return catalogue[i].remedy;
    }
    return NULL;
}

static void print_reason(const char *what, const char *text)
{
    const char *remedy = remedy_in(text);

    printf("  %s: %s\n", what, text);
    if (remedy && !strstr(text, remedy))
        printf("    What to do: %s\n", remedy);
}

static void print_errors(const json_t *vm)
{
    const json_t *step, *task, *reason;
    size_t i, k, n;

    json_array_foreach (json_at(vm, "pipeline"), i, step) {
        json_array_foreach (json_at(step, "error.reasons"), n, reason)
            print_reason(json_string_at(step, "name", "step"), json_string_value(reason));
        json_array_foreach (json_at(step, "tasks"), k, task)
            json_array_foreach (json_at(task, "error.reasons"), n, reason)
                print_reason(json_string_at(task, "name", "disk"), json_string_value(reason));
    }
}

static void print_failed_precopies(const json_t *vm)
{
    g_autoptr(GPtrArray) lines = vm_failed_precopies(vm);

    for (guint i = 0; i < lines->len; i++)
        printf("  %s\n", (const char *)lines->pdata[i]);
}

static gboolean mentions(const char *text, const json_t *vm)
{
    const char *id = json_string_at(vm, "id", ""), *name = json_string_at(vm, "name", "");

    return (*id && strstr(text, id)) || (*name && strstr(text, name));
}

/* Conditions of the plan that name the VM, and those that stop every VM. */
static void print_conditions(const Object *plan, const json_t *vm)
{
    const json_t *condition, *item;
    size_t i, k;

    json_array_foreach (json_at(object_json(plan), "status.conditions"), i, condition) {
        const char *category = json_string_at(condition, "category", ""),
                   *type = json_string_at(condition, "type", "");
        const json_t *items = json_object_get(condition, "items");
        gboolean blocks = !strcmp(category, "Critical") || !strcmp(category, "Error");
        if (blocks && !json_array_size(items))
            printf("  %s (%s): %s\n", type, category, json_string_at(condition, "message", ""));
        json_array_foreach (items, k, item)
            if (mentions(json_string_value(item), vm))
                printf("  %s (%s): %s\n    %s\n", type, category, json_string_value(item),
                       json_string_at(condition, "message", ""));
    }
}

static void print_state(const json_t *vm)
{
    const json_t *step = vm_current_step(vm);
    const char *result = vm_result(vm);

    if (json_at(vm, "completed"))
        printf("  It %s in %" G_GINT64_FORMAT " s.\n",
               !strcmp(result, "Succeeded")  ? "was migrated"
               : !strcmp(result, "Canceled") ? "was canceled"
                                             : "failed",
               seconds_of(vm));
    else if (vm_pending(vm))
        printf("  It waits: %s\n", vm_pending(vm));
    else if (step)
        printf("  It is at %s%s%s\n", json_string_at(step, "name", ""),
               json_string_at(step, "reason", NULL) ? ": " : "", json_string_at(step, "reason", ""));
}

/* The last lines of the Pods that work for it, where one of them has failed. */
static void print_logs(Session *session, const Object *plan, const json_t *vm)
{
    g_autofree char *selector =
        g_strdup_printf("plan=%s,vmID=%s", object_uid(plan), json_string_at(vm, "id", ""));
    const char *ns = json_string_at(object_json(plan), "spec.targetNamespace", "");
    g_autoptr(GPtrArray) pods = kube_list(session->kube, &KUBE_POD, ns, selector, NULL, NULL, NULL, NULL);

    for (guint i = 0; pods && i < pods->len; i++) {
        Object *pod = pods->pdata[i];
        const json_t *container = json_array_get(json_at(object_json(pod), "spec.containers"), 0);
        g_autofree char *log = NULL;
        if (strcmp(json_string_at(object_json(pod), "status.phase", ""), "Failed"))
            continue;
        log = kube_pod_log(session->kube, ns, object_name(pod), json_string_at(container, "name", NULL),
                           LOG_LINES, NULL, NULL);
        printf("  Pod %s/%s has failed; its last lines:\n", ns, object_name(pod));
        g_auto(GStrv) lines = g_strsplit(log ? g_strchomp(log) : "", "\n", -1);
        for (int k = 0; lines[k]; k++)
            printf("    %s\n", lines[k]);
    }
}

static void explain(Session *session, const Object *plan, const json_t *vm)
{
    printf("%s in plan %s/%s (%s)\n", json_string_at(vm, "name", json_string_at(vm, "id", "?")),
           object_namespace(plan), object_name(plan), plan_state(object_json(plan)));
    print_state(vm);
    if (strcmp(vm_result(vm), "Succeeded")) {
        print_conditions(plan, vm);
        print_errors(vm);
        print_failed_precopies(vm);
        print_logs(session, plan, vm);
    }
    if (!json_at(object_json(plan), "status.migration.started") && object_condition(plan, "Ready"))
        printf("  Nothing stands in its way: gantry start %s\n", object_name(plan));
}

/* What the validation rules think of it. */
static void print_concerns(Session *session, const Object *plan, const json_t *vm)
{
    const json_t *source = json_at(object_json(plan), "spec.provider.source"), *concern;
    g_autoptr(Object) provider =
        kube_get(session->kube, &KUBE_PROVIDER, json_string_at(source, "namespace", session->ns),
                 json_string_at(source, "name", ""), NULL, NULL);
    InventoryClient *inventory = provider ? verb_inventory(session, NULL) : NULL;
    g_autoptr(json_t) found = inventory ? inventory_find(inventory, provider, "vms", vm, NULL, NULL) : NULL;
    size_t i;

    if (!found)
        printf("  The inventory of provider %s does not tell of it now.\n",
               json_string_at(source, "name", "?"));
    json_array_foreach (json_at(found, "concerns"), i, concern)
        printf("  Concern (%s): %s\n    %s\n", json_string_at(concern, "category", ""),
               json_string_at(concern, "label", ""), json_string_at(concern, "assessment", ""));
}

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(GPtrArray) plans = NULL;
    guint found = 0;

    if (!words_count(words, 1, 1, "one VM", error))
        return EXIT_USAGE;
    plans = kube_list(session->kube, &KUBE_PLAN, session->list_ns, NULL, NULL, NULL, NULL, error);
    for (guint i = 0; plans && i < plans->len; i++) {
        const json_t *vm = given.plan && strcmp(given.plan, object_name(plans->pdata[i]))
                               ? NULL
                               : plan_vm(plans->pdata[i], words[0], NULL);
        if (!vm)
            continue;
        explain(session, plans->pdata[i], vm);
        print_concerns(session, plans->pdata[i], vm);
        found++;
    }
    if (plans && !found)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "no plan%s%s has a VM '%s'",
                    given.plan ? " " : "", given.plan ? given.plan : "", words[0]);
    return found ? EXIT_DONE : EXIT_FAILED;
}

const Verb verb_why = {
    "why",
    "VM",
    "explain what a VM waits for, or why it failed, and what to do",
    "Looks at the plans that have it (by id or name), its steps, its Pods' logs and its concerns.",
    options,
    FALSE,
    run};
