/* rules: the policies that judge VMs, loaded once and asked many times.
 *
 * Guarantee: a Rules has parsed every file it was given, each in Rego v1 where it says so or cannot be read
 * otherwise, and in v0 else, as custom rules in the guide's form need it. What contradicts itself does not
 * load: a file that does not parse, one name with two defaults, or one name that is a set here and a value
 * there (both places are named). An evaluation ends: after 2 seconds, or with 64 MiB held, it fails. When a
 * rule for concerns fails, the others go on: the document is made without that rule's file, and a concern
 * says so; a file that fails again and again is left out for good, and rules_problems() names it. Threads: a
 * Rules is refcounted and may be asked by any number of threads. Errors: POLICY_INVALID (file, line and
 * what), POLICY_FAILED (a rule could not be evaluated).
 */
#pragma once
#include "policy/rego.h"
#include "policy/rule_files.h"

typedef struct Rules Rules;

Rules *rules_new(const RuleFiles *files, GError **error);
/* Of directories: rule_files_read() and rules_new(). */
Rules *rules_load(const char *const *directories, gboolean with_tests, GError **error);
Rules *rules_ref(Rules *rules);
void rules_unref(Rules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rules, rules_unref)

/* A request's body as a value, as rego_reads_parse(): what no rule reads may be missing. */
RegoValue *rules_parse_request(const Rules *rules, const char *json, gsize size, char **error);

/* The document at a path of /v1/data ("io/konveyor/forklift/vmware/validate", "" for all) over input (NULL:
 * undefined), as JSON text; *answer is NULL when it is undefined. */
gboolean rules_evaluate(Rules *rules, const char *path, const RegoValue *input, char **answer,
                        GError **error);

guint rules_count(const Rules *rules);      /* files */
const char *rules_hash(const Rules *rules); /* changes when any file's name or text does */

/* The paths of the rules whose names begin with "test_"; owned by rules. */
GPtrArray *rules_tests(const Rules *rules);
/* What is wrong with single rules while the others are served ("FILE:LINE: …"); yours to unref. */
GPtrArray *rules_problems(Rules *rules);
