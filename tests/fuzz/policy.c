/* Any bytes in place of a Rego file: it is refused with its name and a reason, or it can be asked. */
#include "policy/rules.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size), *answer = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(RuleFiles) files = rule_files_new();
    g_autoptr(Rules) rules = NULL;

    rule_files_add(files, "fuzzed.rego", text);
    rules = rules_new(files, &error);
    g_assert_true((rules == NULL) == (error != NULL));
    if (error)
        g_assert_nonnull(strstr(error->message, "fuzzed.rego"));
    else
        rules_evaluate(rules, "", NULL, &answer, NULL);
    return 0;
}
