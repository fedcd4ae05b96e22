/* rego: the Rego interpreter (regorus, a Rust crate) behind C calls; src/policy/regorus/ is its other side.
 *
 * Policies are parsed into an engine, which is asked many times; the time of each question and the memory of
 * all are bounded. Owner: strings that come out are given back to rego_string_free(), unless a callback only
 * shows them. Errors are text in *error (owned by the caller), which has to be NULL before. A panic inside is
 * an error like any other. Threads: one engine is used by one thread at a time, clones share what was parsed
 * and are independent; values are immutable.
 */
#pragma once
#include <glib.h>

void rego_string_free(char *string);
void rego_limit_memory(guint64 bytes); /* the most that all evaluations of the process hold together */

/* ---- values ---- */

typedef struct RegoValue RegoValue;
RegoValue *rego_value_parse(const char *json, gsize size,
                            char **error); /* NULL: no JSON, or nested too deep */
void rego_value_free(RegoValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegoValue, rego_value_free)
gboolean rego_value_is_object(const RegoValue *value);
gboolean rego_value_is_null(const RegoValue *value);
RegoValue *rego_value_member(const RegoValue *value,
                             const char *name); /* yours to free; NULL: there is none */
/* An object with the members of both; own's count where both have one. own when either is no object. */
RegoValue *rego_value_merge(const RegoValue *common, const RegoValue *own);
void rego_value_each(const RegoValue *value,
                     void (*each)(const char *name, const RegoValue *member, gpointer user_data),
                     gpointer user_data);

/* ---- parsed policies ---- */

typedef struct RegoEngine RegoEngine;
RegoEngine *rego_engine_new(void);
RegoEngine *rego_engine_clone(const RegoEngine *engine);
void rego_engine_free(RegoEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegoEngine, rego_engine_free)

/* Adds a policy file; v0 says in which version of the language it is written. Gives its package
 * ("data.io.konveyor.forklift.vmware"), or NULL with *error "FILE:LINE:COLUMN: …". */
char *rego_engine_add(RegoEngine *engine, const char *path, const char *policy, int v0, char **error);

/* Every rule as it is written. kind: "value", "function", "set", "object" or "default". */
typedef void (*RegoRule)(const char *file, guint line, const char *package, const char *name,
                         const char *kind, gpointer user_data);
void rego_engine_each_rule(RegoEngine *engine, RegoRule each, gpointer user_data);

/* Makes a program with the rules ("data.a.b.rule") as entries: rego_engine_rule() answers those several times
 * as fast then, clones' too. FALSE: these policies have something that a program cannot do. */
gboolean rego_engine_compile(RegoEngine *engine, const char *const *rules, guint len);

/* The value of a rule ("data.a.b.rule") over input (may be NULL: undefined) as JSON; "" when it is undefined;
 * NULL with *error, after which the engine may be half-way through and is to be freed. */
char *rego_engine_rule(RegoEngine *engine, const char *rule, const RegoValue *input, guint limit_ms,
                       char **error);
/* Each definition of a rule of a package ("io.konveyor.forklift.vmware", "concerns") by itself; either value
 * or error is NULL. */
typedef void (*RegoDefinition)(const char *file, guint line, const char *value, const char *error,
                               gpointer user_data);
void rego_engine_each_definition(RegoEngine *engine, const char *package, const char *name,
                                 const RegoValue *input, guint limit_ms, RegoDefinition each,
                                 gpointer user_data);

/* ---- requests ---- */

/* What the rules of an engine read of their input. Immutable, for any number of threads. */
typedef struct RegoReads RegoReads;
RegoReads *rego_reads_new(RegoEngine *engine);
void rego_reads_free(RegoReads *reads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegoReads, rego_reads_free)
/* A request's body ({"input": …} or {"inputs": {NAME: …}, "common_input": …}) as a value, in which members
 * that no rule reads may be missing. */
RegoValue *rego_reads_parse(const RegoReads *reads, const char *json, gsize size, char **error);
