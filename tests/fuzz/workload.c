/* Any bytes in place of a VM's document: they are refused as no JSON, or judged; no rule trips over what it
 * finds in them. */
#include "base/json.h"
#include "base/share.h"
#include "policy/rules.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static Rules *default_rules(void)
{
    static Rules *rules;

    if (!rules) {
        g_autofree char *policies = share_find(NULL, "policies", NULL);
        const char *directories[] = {policies, NULL};
        rules = rules_load(directories, FALSE, NULL);
        g_assert_nonnull(rules);
    }
    return rules;
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static const char *const paths[] = {"io/konveyor/forklift/vmware/validate",
                                        "io/konveyor/forklift/ovirt/validate"};
    char *why = NULL;
    g_autoptr(RegoValue) input = rego_value_parse((const char *)data, size, &why);

    g_assert_true((input == NULL) == (why != NULL));
    rego_string_free(why);
    for (gsize i = 0; input && i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *answer = NULL;
        g_assert_true(rules_evaluate(default_rules(), paths[i], input, &answer, NULL));
        g_autoptr(json_t) verdict = json_loads(answer, 0, NULL);
        g_assert_true(json_is_array(json_object_get(verdict, "concerns")));
        g_assert_null(strstr(answer, "gantry.rule.failed"));
    }
    return 0;
}
