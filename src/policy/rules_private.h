/* rules_private: what the parts of rules share: rules.c (life and asking), rules_parse.c, rules_documents.c, rules_failures.c,
 * rules_categories.c. For these alone.
 */
#pragma once
#include "base/json.h"
#include "policy/rules.h"

enum { DEFINITION_MS = 1000 }; /* one definition of a rule, when something is wrong */

/* Files that were parsed together. */
typedef struct {
    gatomicrefcount references;
    RegoEngine *engine; /* never asked itself, only cloned */
    GAsyncQueue *idle;  /* clones that no thread uses now */
} RulesBuild;

typedef struct {
    char *path, *text;
    gboolean v0;
} RulesSource;

struct Rules {
    gatomicrefcount references;
    GPtrArray *sources;  /* of RulesSource */
    GPtrArray *packages; /* that have a validate */
    GPtrArray *tests;
    GPtrArray *documents; /* paths of rules that are no functions, "io/konveyor/forklift/vmware/concerns" */
    RegoReads *reads;
    char *hash;

    GRWLock running; /* held for writing while a failure is looked into: what others hold is no fault of the
                        rule */
    GMutex lock;
    RulesBuild *build;         /* of the files that are not left out */
    GHashTable *strikes;  /* path → how often it has failed */
    GHashTable *left_out; /* path → why */
    GPtrArray *problems;
};

/* ---- rules_parse.c ------------------------------------------------------------------------------------- */

void rules_source_free(gpointer source);
/* The name of the file's package, of rego_string_free(); NULL and *why, to be freed, when it cannot be read. */
char *rules_add_source(RegoEngine *engine, const RulesSource *source, char **why);
gboolean rules_parse(Rules *rules, RegoEngine *engine, const RuleFiles *files, GError **error);
gboolean rules_check(Rules *rules, RegoEngine *engine, GError **error);

/* ---- rules_documents.c --------------------------------------------------------------------------------- */

RulesBuild *rules_build_new(RegoEngine *engine_take);
RulesBuild *rules_build_ref(RulesBuild *build);
void rules_build_unref(RulesBuild *build);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RulesBuild, rules_build_unref)
RulesBuild *rules_build_without(const Rules *rules, GHashTable *without); /* of all files but those */
void rules_compile(const Rules *rules, RegoEngine *engine);
char *rules_package_path(const char *package); /* "a.b" → "a/b", to be freed */
/* Text to be freed, "" when it is undefined; NULL and *why, to be freed, when a rule fails. */
char *rules_evaluate_document(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input, char **why);

/* ---- rules_failures.c ---------------------------------------------------------------------------------- */

/* The answer that can be given without the rules that fail, with a concern for each; NULL: there is none. */
char *rules_evaluate_without_failures(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input);
/* The answer with a concern for each file that is left out. */
char *rules_mark_incomplete(Rules *rules, const char *path, char *answer_take);

/* ---- rules_categories.c -------------------------------------------------------------------------------- */

void rules_check_categories(Rules *rules); /* those that stand in the text */
/* Those of an answer. */
void rules_look_at_categories(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input,
                              const char *answer);

/* ---- rules.c ------------------------------------------------------------------------------------------- */

/* Splits "a/b/concerns" into package and name. FALSE: what is asked for is not made of concerns. */
gboolean rules_split_path(const char *path, char **package, const char **name);
