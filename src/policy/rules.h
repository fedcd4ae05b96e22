/* rules: the policies that judge VMs, loaded once and asked many times.
 *
 * Guarantee: a Rules has parsed every *.rego file below its directories (tests, *_test.rego, left out), each
 * in Rego v1 where it says so and in v0 else, as custom rules in the guide's form need it. What contradicts
 * itself does not load: a file that does not parse, or one name with a default in two files of a package.
 * Threads: a Rules is immutable and may be asked by any number of threads.
 * Errors: POLICY_INVALID (file, line and what), POLICY_FAILED (a rule could not be evaluated), BAD_INPUT
 * (directory).
 */
#pragma once
#include "base/json.h"

typedef struct Rules Rules;

/* directories: NULL-terminated; one that does not exist counts as empty, but the first has to exist. */
Rules *rules_load(const char *const *directories, gboolean with_tests, GError **error);
void rules_free(Rules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rules, rules_free)

/* The value at a path of /v1/data ("io/konveyor/forklift/vmware/validate") over input (NULL: an empty
 * document). *value is NULL when it is undefined. */
gboolean rules_evaluate(Rules *rules, const char *path, const json_t *input, json_t **value, GError **error);

guint rules_count(const Rules *rules);      /* files */
const char *rules_hash(const Rules *rules); /* changes when any file's name or text does */

/* The paths of the rules whose names begin with "test_"; only with with_tests. Owned by rules. */
GPtrArray *rules_tests(const Rules *rules);
