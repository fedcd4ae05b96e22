/* policy: for those who write rules: runs their tests, and tries a rule on a VM of the inventory. */
#include "base/json.h"
#include "base/share.h"
#include "cmd/commands.h"
#include "cmd/kinds.h"
#include "inventory/client.h"
#include "policy/rules.h"
#include <stdio.h>
#include <string.h>

static int complain(const char *command, const GError *error)
{
    fprintf(stderr, "gantry policy %s: %s. %s\n", command, error->message, error_remedy(error));
    return 1;
}

static void print_problems(Rules *rules)
{
    g_autoptr(GPtrArray) problems = rules_problems(rules);

    for (guint i = 0; i < problems->len; i++)
        printf("WRONG %s\n", (char *)problems->pdata[i]);
}

/* Rego files from directories and single files alike. */
static RuleFiles *read_files(const char *const *directories, const char *file, gboolean with_tests,
                             GError **error)
{
    g_autoptr(RuleFiles) files = rule_files_read(directories, with_tests, error);
    g_autofree char *text = NULL;

    if (!files || (file && !g_file_get_contents(file, &text, NULL, error)))
        return NULL;
    if (file)
        rule_files_add(files, file, text);
    return g_steal_pointer(&files);
}

/* ---- gantry policy test -------------------------------------------------------------------------------- */

/* TRUE: it holds. */
static gboolean run_test(Rules *rules, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;
    gboolean holds = rules_evaluate(rules, path, NULL, &answer, &error) && !g_strcmp0(answer, "true");

    if (!holds)
        printf("FAIL %s%s%s\n", path, error ? ": " : "", error ? error->message : "");
    return holds;
}

static int run_tests(Rules *rules)
{
    GPtrArray *tests = rules_tests(rules);
    guint failed = 0;

    for (guint i = 0; i < tests->len; i++)
        failed += !run_test(rules, tests->pdata[i]);
    print_problems(rules);
    printf("%u of %u tests hold\n", tests->len - failed, tests->len);
    return failed ? 1 : 0;
}

static int test(int argc, char **argv)
{
    gboolean with_defaults = FALSE;
    g_auto(GStrv) directories = NULL;
    const GOptionEntry entries[] = {
        {"with-default-rules", 0, 0, G_OPTION_ARG_NONE, &with_defaults, "Load them, and their tests, too",
         NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &directories, NULL, "DIR…"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- run the tests of Rego rules");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);

    g_option_context_set_description(
        context, "A test is a rule whose name begins with test_; it holds when it is true.\n"
                 "Exit status: 0 when all hold, 1 when not, 2 for bad usage.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !directories) {
        fprintf(stderr, "gantry policy test: %s; see gantry policy test --help\n",
                error ? error->message : "DIR is missing");
        return 2;
    }
    for (int i = 0; directories[i]; i++)
        g_ptr_array_add(all, g_strdup(directories[i]));
    if (with_defaults)
        g_ptr_array_add(all, share_find(&error, "policies", NULL));
    g_ptr_array_add(all, NULL);
    g_autoptr(Rules) rules = error ? NULL : rules_load((const char *const *)all->pdata, TRUE, &error);
    return rules ? run_tests(rules) : complain("test", error);
}

/* ---- gantry policy check ------------------------------------------------------------------------------- */

typedef struct {
    char *file, *vm, *provider, *ns, *policies;
} Check;

static void check_clear(Check *check)
{
    g_free(check->file);
    g_free(check->vm);
    g_free(check->provider);
    g_free(check->ns);
    g_free(check->policies);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

static RegoValue *read_workload(const Check *check, char **package, GError **error)
{
    g_autoptr(KubeClient) kube = kube_client_new_default(error);
    g_autoptr(Object) provider = kube ? provider_chosen(kube, check->ns, check->provider, error) : NULL;
    g_autoptr(InventoryClient) inventory = provider ? inventory_client_new_of(kube, NULL, error) : NULL;
    g_autoptr(json_t) workload =
        inventory ? inventory_get(inventory, provider, "workloads", check->vm, NULL, error) : NULL;
    g_autofree char *text = workload ? json_text(json_object_get(workload, "input")) : NULL;

    if (!text)
        return NULL;
    const char *type = json_string_at(object_json(provider), "spec.type", "");
    *package = g_strdup(strcmp(type, "vsphere") ? type : "vmware");
    return rego_value_parse(text, strlen(text), NULL);
}

/* Labels and categories of the VM's concerns under rules; NULL on error. */
static json_t *judge(Rules *rules, const char *package, const RegoValue *workload, GError **error)
{
    g_autofree char *path = g_strdup_printf("io/konveyor/forklift/%s/concerns", package), *answer = NULL;

    if (!rules_evaluate(rules, path, workload, &answer, error))
        return NULL;
    return answer ? json_loads(answer, 0, NULL) : json_array();
}

static gboolean holds(const json_t *concerns, const json_t *wanted)
{
    const json_t *one;
    size_t at;

    json_array_foreach (concerns, at, one) {
        if (json_equal(one, wanted))
            return TRUE;
    }
    return FALSE;
}

static void print_difference(const json_t *before, const json_t *after)
{
    const json_t *concern;
    guint changes = 0;
    size_t at;

    json_array_foreach (after, at, concern) {
        if (!holds(before, concern) && ++changes)
            printf("+ %s: %s\n  %s\n", json_string_at(concern, "category", "(no category)"),
                   json_string_at(concern, "label", "(no label)"),
                   json_string_at(concern, "assessment", "(no assessment)"));
    }
    json_array_foreach (before, at, concern) {
        if (!holds(after, concern) && ++changes)
            printf("- %s: %s\n", json_string_at(concern, "category", ""),
                   json_string_at(concern, "label", ""));
    }
    printf("%zu concerns with this file, %zu without%s\n", json_array_size(after), json_array_size(before),
           changes ? "" : ": it says nothing about this VM");
}

static int try_file(const Check *check, GError **error)
{
    const char *directories[] = {check->policies, NULL};
    g_autofree char *package = NULL;
    g_autoptr(RuleFiles) defaults = read_files(directories, NULL, FALSE, error);
    g_autoptr(RuleFiles) files = defaults ? read_files(directories, check->file, FALSE, error) : NULL;
    g_autoptr(Rules) before = files ? rules_new(defaults, error) : NULL;
    g_autoptr(Rules) after = before ? rules_new(files, error) : NULL;
    g_autoptr(RegoValue) workload = after ? read_workload(check, &package, error) : NULL;
    g_autoptr(json_t) old = workload ? judge(before, package, workload, error) : NULL;
    g_autoptr(json_t) new = old ? judge(after, package, workload, error) : NULL;

    if (!new)
        return 1;
    print_difference(old, new);
    print_problems(after);
    return 0;
}

static int check(int argc, char **argv)
{
    g_auto(Check) check = {0};
    g_auto(GStrv) files = NULL;
    const GOptionEntry entries[] = {
        {"vm", 0, 0, G_OPTION_ARG_STRING, &check.vm, "The VM's id in the inventory (vm-431)", "ID"},
        {"provider", 0, 0, G_OPTION_ARG_STRING, &check.provider, "Its Provider (the only source provider)",
         "NAME"},
        {"namespace", 'n', 0, G_OPTION_ARG_STRING, &check.ns, "The Provider's namespace (openshift-mtv)",
         "NAMESPACE"},
        {"policies", 0, 0, G_OPTION_ARG_FILENAME, &check.policies, "Default rules (those that come along)",
         "DIR"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- try a rule on a VM of the inventory, changing nothing");
    g_autoptr(GError) error = NULL;

    g_option_context_set_description(
        context, "Prints what the file adds to (+) and takes from (-) the VM's concerns.\n"
                 "The cluster is that of $KUBECONFIG.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) ||
        g_strv_length(files ? files : (char *[]){NULL}) != 1 || !check.vm) {
        fprintf(stderr, "gantry policy check: %s; see gantry policy check --help\n",
                error ? error->message : "one FILE and --vm ID are needed");
        return 2;
    }
    check.file = g_strdup(files[0]);
    if (!check.ns)
        check.ns = g_strdup("openshift-mtv");
    if (!check.policies)
        check.policies = share_find(&error, "policies", NULL);
    return check.policies && try_file(&check, &error) == 0 ? 0 : complain("check", error);
}

int cmd_policy(int argc, char **argv)
{
    static const char usage[] =
        "Usage: gantry policy test DIR…             runs the tests of Rego rules\n"
        "       gantry policy check FILE --vm ID    tries a rule on a VM of the inventory\n\n"
        "'gantry policy test --help' and 'gantry policy check --help' explain them.\n";

    if (argc > 1 && !strcmp(argv[1], "test"))
        return test(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "check"))
        return check(argc - 1, argv + 1);
    gboolean help = argc > 1 && !strcmp(argv[1], "--help");
    fputs(usage, help ? stdout : stderr);
    return help ? 0 : 2;
}
